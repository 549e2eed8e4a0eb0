/* Compare with the last stack from the outermost frame, look up the rest. */
#include "record/stack_path.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void stack_path_release(struct stack_path *path)
{
	free(path->steps);
	*path = (struct stack_path){ 0 };
}

void stack_path_clear(struct stack_path *path)
{
	path->n_steps = 0;
}

int stack_path_follow(struct stack_path *path, struct stack_trie *trie, const uint32_t *locations,
		      size_t n_locations, uint32_t *ret_node)
{
	struct stack_path_step *grown = array_grown(path->steps, &path->capacity, n_locations + 1,
						    sizeof(*grown));
	size_t n_same = 0;
	uint32_t node = 0;

	if (!grown)
		return -ENOMEM;
	path->steps = grown;
	while (n_same < n_locations && n_same < path->n_steps &&
	       path->steps[n_same].location == locations[n_same])
		n_same++;
	if (n_same)
		node = path->steps[n_same - 1].node;
	path->n_steps = n_same;
	for (size_t i = n_same; i < n_locations; i++) {
		if (stack_trie_add(trie, &node, node, locations[i]) < 0)
			return -ENOMEM;
		path->steps[path->n_steps++] = (struct stack_path_step){ .location = locations[i],
									 .node = node };
	}
	*ret_node = node;
	return 0;
}
