#ifndef TSPROF_MODEL_STACK_TRIE_H
#define TSPROF_MODEL_STACK_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * All stacks of a run as one tree, outermost frame at the top: a node is its
 * parent and one location, so stacks share their beginnings.  Node 0 is the
 * empty stack; a parent's id is always smaller than its children's.
 */
struct stack_node {
	uint32_t parent;
	uint32_t location;    /* id in a location_table; 0 and meaningless in node 0 */
	uint32_t first_child; /* the oldest; 0: none.  The others are found in the index */
};

struct stack_trie {
	struct stack_node *nodes;
	size_t n_nodes;
	size_t capacity;
	struct hash_index index; /* by (parent, location): all but first children */
};

/* Returns 0 or -ENOMEM. */
int stack_trie_init(struct stack_trie *trie);
void stack_trie_release(struct stack_trie *trie);

/* The child of `parent` at `location`, added if new.  Returns 0 or -ENOMEM. */
int stack_trie_add(struct stack_trie *trie, uint32_t *ret_node, uint32_t parent, uint32_t location);

#endif
