#ifndef TSPROF_FLAMEGRAPH_FLAME_LAYOUT_H
#define TSPROF_FLAMEGRAPH_FLAME_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/calltree.h"

/* A rectangle of the graph: one tree node.  x and width are parts of the whole, 0…1. */
struct flame_box {
	uint32_t node;
	uint32_t depth; /* 0 is the root "all" */
	double x;
	double width;
};

struct flame_layout {
	struct flame_box *boxes; /* parents before children */
	size_t n_boxes;
	uint32_t n_levels; /* deepest box + 1 */
};

/*
 * Boxes for every node at least `min_width` (part of the whole) wide; what is
 * narrower is left out with everything above it.
 */
int flame_layout_build(struct flame_layout *layout, const struct calltree *tree, double min_width,
		       struct error *err);
void flame_layout_release(struct flame_layout *layout);

#endif
