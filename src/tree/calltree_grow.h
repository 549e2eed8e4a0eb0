#ifndef TSPROF_TREE_CALLTREE_GROW_H
#define TSPROF_TREE_CALLTREE_GROW_H

#include <stdint.h>

#include "tree/calltree.h"

/* How a tree grows while it is built; everybody else only reads it.  All return 0 or -ENOMEM. */

/*
 * The tree's frame like this one, added if new.  Files of functions and modules
 * may differ; the first one stays.
 */
int calltree_add_frame(struct calltree *tree, uint32_t *ret_frame,
		       const struct calltree_frame *frame, enum granularity granularity);

/* Node 0 comes first, and is its own parent. */
int calltree_append_node(struct calltree *tree, uint32_t frame, uint32_t parent);

/*
 * The child of `parent` at the frame, added if new.  Most parents have one
 * child: the index is for the children of the others only.
 */
int calltree_add_node(struct calltree *tree, uint32_t *ret_node, uint32_t parent, uint32_t frame);

/* From `*node` to its child of that name, which is put into `frame` and into tree->labels. */
int calltree_add_label(struct calltree *tree, uint32_t *node, struct calltree_frame *frame,
		       const char *name);

#endif
