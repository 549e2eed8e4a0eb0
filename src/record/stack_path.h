#ifndef TSPROF_RECORD_STACK_PATH_H
#define TSPROF_RECORD_STACK_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "model/stack_trie.h"

/*
 * A thread's last stack as a path through the trie.  Successive stacks of a
 * thread share most of their outer frames, so only what differs is looked up.
 */
struct stack_path {
	uint32_t *locations; /* outermost first */
	uint32_t *nodes;     /* those that they led to */
	size_t n_steps;
	size_t locations_capacity, nodes_capacity;
};

void stack_path_release(struct stack_path *path);

/* Forget the last stack and keep the memory. */
void stack_path_clear(struct stack_path *path);

/*
 * The node of the stack of `n_locations`, outermost first; added to the trie as
 * far as it is new.  Returns 0 or -ENOMEM.
 */
int stack_path_follow(struct stack_path *path, struct stack_trie *trie, const uint32_t *locations,
		      size_t n_locations, uint32_t *ret_node);

#endif
