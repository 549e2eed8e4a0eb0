/*
 * Nodes in an array.  A new stack differs from all others in one place and is a
 * chain of only children from there on, so the first child is kept in its parent
 * and only the others are in a hash index: a chain is written and followed in
 * order, where every index look-up would be a cache miss.
 */
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

/* The node at `location` among the parent's children but the first; HASH_INDEX_NONE if new. */
static uint32_t find_later_child(const struct stack_trie *trie, uint64_t hash, uint32_t parent,
				 uint32_t location)
{
	struct hash_cursor cursor = hash_index_cursor(&trie->index, hash);
	uint32_t id;

	while ((id = hash_index_next(&trie->index, &cursor)) != HASH_INDEX_NONE)
		if (trie->nodes[id].parent == parent && trie->nodes[id].location == location)
			break;
	return id;
}

int stack_trie_add(struct stack_trie *trie, uint32_t *ret_node, uint32_t parent, uint32_t location)
{
	const uint32_t first = trie->nodes[parent].first_child;
	uint32_t id = first;
	uint64_t hash = 0;
	struct stack_node *grown;

	if (first && trie->nodes[first].location != location) {
		hash = hash_pair(parent, location);
		id = find_later_child(trie, hash, parent, location);
	}
	if (first && id != HASH_INDEX_NONE) {
		*ret_node = id;
		return 0;
	}
	id = (uint32_t)trie->n_nodes;
	grown = array_grown(trie->nodes, &trie->capacity, trie->n_nodes + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	trie->nodes = grown;
	if (first && hash_index_add(&trie->index, hash, id) < 0)
		return -ENOMEM;
	if (!first)
		grown[parent].first_child = id;
	grown[id] = (struct stack_node){ .parent = parent, .location = location };
	trie->n_nodes++;
	*ret_node = id;
	return 0;
}
