#ifndef TSPROF_FLAMEGRAPH_FLAME_LAYOUT_H
#define TSPROF_FLAMEGRAPH_FLAME_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/calltree.h"

/* What the width of a box means. */
enum flame_unit {
	FLAME_SAMPLES, /* ticks */
	FLAME_TIME,    /* weight in nanoseconds */
};

/* A rectangle of the graph: one tree node, `start` and `width` in the layout's unit. */
struct flame_box {
	uint32_t node;
	uint32_t depth; /* 0 is the root "all" */
	uint64_t start; /* from the left edge of the picture */
	uint64_t width; /* never 0 */
};

struct flame_layout {
	struct flame_box *boxes; /* parents before children, siblings from left to right */
	size_t n_boxes, boxes_capacity;
	uint64_t total;	   /* width of the whole picture */
	uint32_t n_levels; /* deepest box + 1 */
	uint64_t n_pruned; /* tree nodes without a box */
	uint64_t pruned;   /* samples or time that end in one of those */
	enum flame_unit unit;
};

#define FLAME_LAYOUT_INIT ((struct flame_layout){ 0 })

/*
 * Boxes for every node at least `min_share` (part of the whole) wide; what is
 * narrower is left out with everything above it.  Children start where their
 * parent starts, in the tree's order; its self value is the gap on the right.
 * O(n_nodes).  -ENODATA when the tree holds nothing in that unit.
 */
int flame_layout_build(struct flame_layout *layout, const struct calltree *tree,
		       enum flame_unit unit, double min_share, struct error *err);
void flame_layout_release(struct flame_layout *layout);

/* The part of a value that the unit is about. */
uint64_t flame_unit_value(enum flame_unit unit, const struct calltree_value *value);

#endif
