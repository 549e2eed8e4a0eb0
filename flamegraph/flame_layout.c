/*
 * From the call tree to rectangles: one walk in preorder, without recursion,
 * because a stack may be thousands of frames deep.  `next_start[depth]` is
 * where the next box of that depth begins; a box hands its own start down.
 */
#include "flamegraph/flame_layout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"

struct walk {
	const struct calltree *tree;
	double min_width;
	uint64_t *next_start;
	size_t capacity;
};

uint64_t flame_unit_value(enum flame_unit unit, const struct calltree_value *value)
{
	return unit == FLAME_TIME ? value->weight_ns : value->n_ticks;
}

/* The first child, else the next sibling of the node or of an ancestor; 0 at the end. */
static uint32_t walk_next(const struct walk *walk, uint32_t node, uint32_t *depth, bool descend)
{
	const struct calltree_node *nodes = walk->tree->nodes;

	if (descend && nodes[node].first_child) {
		*depth += 1;
		return nodes[node].first_child;
	}
	while (node && !nodes[node].next_sibling) {
		node = nodes[node].parent;
		*depth -= 1;
	}
	return node ? nodes[node].next_sibling : 0;
}

static int layout_add(struct flame_layout *layout, const struct flame_box *box)
{
	void *grown = array_grown(layout->boxes, &layout->boxes_capacity, layout->n_boxes + 1,
				  sizeof(*layout->boxes));

	if (!grown)
		return -ENOMEM;
	layout->boxes = grown;
	layout->boxes[layout->n_boxes++] = *box;
	if (box->depth >= layout->n_levels)
		layout->n_levels = box->depth + 1;
	return 0;
}

/* Place one node, wide enough or not; `ret_is_drawn` tells which. */
static int layout_place(struct flame_layout *layout, struct walk *walk, uint32_t node,
			uint32_t depth, bool *ret_is_drawn)
{
	const uint64_t width = flame_unit_value(layout->unit, &walk->tree->nodes[node].total);
	void *grown = array_grown(walk->next_start, &walk->capacity, (size_t)depth + 2,
				  sizeof(*walk->next_start));
	struct flame_box box = { .node = node, .depth = depth, .width = width };

	if (!grown)
		return -ENOMEM;
	walk->next_start = grown;
	if (depth == 0)
		walk->next_start[0] = 0;
	box.start = walk->next_start[depth];
	walk->next_start[depth] += width;
	walk->next_start[depth + 1] = box.start;
	*ret_is_drawn = node == 0 || (width > 0 && (double)width >= walk->min_width);
	if (*ret_is_drawn)
		return layout_add(layout, &box);
	layout->pruned += width;
	return 0;
}

int flame_layout_build(struct flame_layout *layout, const struct calltree *tree,
		       enum flame_unit unit, double min_share, struct error *err)
{
	const bool has_unit = tree->n_nodes && (unit == FLAME_SAMPLES || calltree_is_timed(tree));
	const uint64_t total = has_unit ? flame_unit_value(unit, &tree->nodes[0].total) : 0;
	struct walk walk = { .tree = tree, .min_width = min_share * (double)total };
	uint32_t node = 0;
	uint32_t depth = 0;
	int r = 0;

	*layout = FLAME_LAYOUT_INIT;
	if (!total)
		return error_set(err, -ENODATA, "nothing to draw: no %s in this selection",
				 unit == FLAME_TIME ? "time" : "samples");
	layout->total = total;
	layout->unit = unit;
	do {
		bool is_drawn;

		r = layout_place(layout, &walk, node, depth, &is_drawn);
		if (r < 0) {
			flame_layout_release(layout);
			r = error_set_no_memory(err);
			break;
		}
		node = walk_next(&walk, node, &depth, is_drawn);
	} while (node);
	if (r == 0)
		layout->n_pruned = tree->n_nodes - layout->n_boxes;
	free(walk.next_start);
	return r;
}

void flame_layout_release(struct flame_layout *layout)
{
	free(layout->boxes);
	*layout = FLAME_LAYOUT_INIT;
}
