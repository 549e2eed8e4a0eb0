/* Compare with the last stack from the outermost frame, look up the rest. */
#include "record/stack_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { COMPARED_AT_ONCE = 8 };

void stack_path_release(struct stack_path *path)
{
	free(path->locations);
	free(path->nodes);
	*path = (struct stack_path){ 0 };
}

void stack_path_clear(struct stack_path *path)
{
	path->n_steps = 0;
}

static int make_room(struct stack_path *path, size_t n_locations)
{
	uint32_t *locations = array_grown(path->locations, &path->locations_capacity,
					  n_locations + 1, sizeof(*locations));
	uint32_t *nodes;

	if (!locations)
		return -ENOMEM;
	path->locations = locations;
	nodes = array_grown(path->nodes, &path->nodes_capacity, n_locations + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	path->nodes = nodes;
	return 0;
}

static size_t find_difference(const uint32_t *a, const uint32_t *b, size_t n)
{
	size_t i = 0;

	while (i + COMPARED_AT_ONCE <= n &&
	       memcmp(a + i, b + i, COMPARED_AT_ONCE * sizeof(*a)) == 0)
		i += COMPARED_AT_ONCE;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

int stack_path_follow(struct stack_path *path, struct stack_trie *trie, const uint32_t *locations,
		      size_t n_locations, uint32_t *ret_node)
{
	const size_t n_common = path->n_steps < n_locations ? path->n_steps : n_locations;
	size_t n_same;
	uint32_t node;
	int r = make_room(path, n_locations);

	if (r < 0)
		return r;
	n_same = find_difference(path->locations, locations, n_common);
	node = n_same ? path->nodes[n_same - 1] : 0;
	path->n_steps = n_same;
	for (size_t i = n_same; i < n_locations; i++) {
		if (stack_trie_add(trie, &node, node, locations[i]) < 0)
			return -ENOMEM;
		path->locations[i] = locations[i];
		path->nodes[i] = node;
		path->n_steps++;
	}
	*ret_node = node;
	return 0;
}
