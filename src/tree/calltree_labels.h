#ifndef TSPROF_TREE_CALLTREE_LABELS_H
#define TSPROF_TREE_CALLTREE_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "tree/calltree.h"
#include "tree/view_parts.h"

/*
 * The outermost nodes of a tree while it is built, those that are not code: for
 * each thread and group of its samples (tree/view_parts.h) the node below which the
 * stacks go.
 */
struct calltree_labels {
	struct calltree *tree; /* borrowed, as are the next */
	const struct profile *profile;
	const struct view *view;
	bool *has_thread; /* by thread: in the view */
	struct calltree_label {
		uint32_t thread;
		uint32_t group;
		uint32_t scope; /* 0 unless the view is with_scopes_inside */
		uint32_t node;
	} * items;
	size_t n_items, capacity;
	struct hash_index index;
	size_t last; /* the one found last */
};

/* The tree has its root.  Returns 0 or -ENOMEM; to be released in any case. */
int calltree_labels_init(struct calltree_labels *labels, struct calltree *tree,
			 const struct profile *profile, const struct view *view);
void calltree_labels_release(struct calltree_labels *labels);

/* Is the thread in the view? */
static inline bool calltree_labels_have(const struct calltree_labels *labels, uint32_t thread)
{
	return labels->has_thread[thread];
}

/* For a part of a sample.  Returns 0 or -ENOMEM. */
int calltree_labels_find(struct calltree_labels *labels, const struct view_part *part,
			 uint32_t *ret_node);

#endif
