/* Nodes in an array, children found through one hash index of (parent, location). */
#include "model/stack_trie.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

int stack_trie_init(struct stack_trie *trie)
{
	*trie = (struct stack_trie){ 0 };
	trie->nodes = array_grown(NULL, &trie->capacity, 1, sizeof(*trie->nodes));
	if (!trie->nodes)
		return -ENOMEM;
	trie->nodes[0] = (struct stack_node){ 0 };
	trie->n_nodes = 1;
	return 0;
}

void stack_trie_release(struct stack_trie *trie)
{
	free(trie->nodes);
	hash_index_release(&trie->index);
	*trie = (struct stack_trie){ 0 };
}

int stack_trie_add(struct stack_trie *trie, uint32_t *ret_node, uint32_t parent, uint32_t location)
{
	const uint64_t hash = hash_pair(parent, location);
	struct hash_cursor cursor = hash_index_cursor(&trie->index, hash);
	struct stack_node *grown;
	uint32_t id;

	while ((id = hash_index_next(&trie->index, &cursor)) != HASH_INDEX_NONE) {
		if (trie->nodes[id].parent == parent && trie->nodes[id].location == location) {
			*ret_node = id;
			return 0;
		}
	}
	id = (uint32_t)trie->n_nodes;
	grown = array_grown(trie->nodes, &trie->capacity, trie->n_nodes + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	trie->nodes = grown;
	if (hash_index_add(&trie->index, hash, id) < 0)
		return -ENOMEM;
	grown[id] = (struct stack_node){ .parent = parent, .location = location };
	trie->n_nodes++;
	*ret_node = id;
	return 0;
}
