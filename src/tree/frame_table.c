/*
 * Totals come from one walk in depth-first order that knows which frames are
 * on the current path; callers and callees need no walk, since a node's parent
 * is always decided before it.
 */
#include "tree/frame_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One row a frame, and one more for FRAME_NONE at the end. */
static int frame_table_init(struct frame_table *table, const struct calltree *tree)
{
	*table = (struct frame_table){ .tree = tree };
	table->rows = calloc(tree->n_frames + 1, sizeof(*table->rows));
	if (!table->rows)
		return -ENOMEM;
	table->n_rows = tree->n_frames + 1;
	for (size_t i = 0; i < tree->n_frames; i++)
		table->rows[i].frame = (uint32_t)i;
	table->rows[tree->n_frames].frame = FRAME_NONE;
	return 0;
}

void frame_table_release(struct frame_table *table)
{
	free(table->rows);
	*table = (struct frame_table){ 0 };
}

static void frame_table_drop_empty(struct frame_table *table)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < table->n_rows; i++)
		if (!calltree_value_is_empty(&table->rows[i].total))
			table->rows[n_kept++] = table->rows[i];
	table->n_rows = n_kept;
}

static void frame_table_drop_other(struct frame_table *table, enum frame_rows rows)
{
	const bool is_label = rows == FRAME_ROWS_LABELS;
	size_t n_kept = 0;

	for (size_t i = 0; i < table->n_rows; i++) {
		const uint32_t frame = table->rows[i].frame;

		if (frame != FRAME_NONE && (table->tree->frames[frame].is_label != 0) == is_label &&
		    table->tree->frames[frame].label_kind != LABEL_SCOPE_INSIDE)
			table->rows[n_kept++] = table->rows[i];
	}
	table->n_rows = n_kept;
}

/* n_on_path[frame]: how often the frame is on the path to the current node. */
static void frame_table_walk(struct frame_table *table, uint32_t *n_on_path)
{
	const struct calltree_node *nodes = table->tree->nodes;
	uint32_t at = nodes[0].first_child;

	while (at) {
		struct frame_row *row = &table->rows[nodes[at].frame];

		calltree_value_add(&row->self, &nodes[at].self);
		if (n_on_path[nodes[at].frame]++ == 0)
			calltree_value_add(&row->total, &nodes[at].total);
		if (nodes[at].first_child) {
			at = nodes[at].first_child;
			continue;
		}
		while (at && !nodes[at].next_sibling) {
			n_on_path[nodes[at].frame]--;
			at = nodes[at].parent;
		}
		if (at) {
			n_on_path[nodes[at].frame]--;
			at = nodes[at].next_sibling;
		}
	}
}

int frame_table_build(struct frame_table *table, const struct calltree *tree, enum frame_rows rows,
		      struct error *err)
{
	uint32_t *n_on_path = calloc(tree->n_frames + 1, sizeof(*n_on_path));

	if (!n_on_path || frame_table_init(table, tree) < 0) {
		free(n_on_path);
		return error_set_no_memory(err);
	}
	frame_table_walk(table, n_on_path);
	frame_table_drop_other(table, rows);
	frame_table_drop_empty(table);
	free(n_on_path);
	return 0;
}

int frame_table_build_callers(struct frame_table *table, const struct calltree *tree,
			      const bool *is_wanted, struct error *err)
{
	/* By node: 1 + the row of its stack's caller, 0 while no wanted frame was met. */
	uint32_t *callers = calloc(tree->n_nodes, sizeof(*callers));

	if (!callers || frame_table_init(table, tree) < 0) {
		free(callers);
		return error_set_no_memory(err);
	}
	for (size_t i = 1; i < tree->n_nodes; i++) {
		const struct calltree_node *node = &tree->nodes[i];

		callers[i] = callers[node->parent];
		if (callers[i] == 0 && is_wanted[node->frame])
			callers[i] = 1 + (node->parent ? tree->nodes[node->parent].frame
						       : (uint32_t)tree->n_frames);
		if (callers[i])
			calltree_value_add(&table->rows[callers[i] - 1].total, &node->self);
	}
	frame_table_drop_empty(table);
	free(callers);
	return 0;
}

int frame_table_build_callees(struct frame_table *table, const struct calltree *tree,
			      const bool *is_wanted, struct error *err)
{
	/* By node: 1 + the frame its stack counts for, 0 while no wanted frame was met. */
	uint32_t *callees = calloc(tree->n_nodes, sizeof(*callees));

	if (!callees || frame_table_init(table, tree) < 0) {
		free(callees);
		return error_set_no_memory(err);
	}
	for (size_t i = 1; i < tree->n_nodes; i++) {
		const struct calltree_node *node = &tree->nodes[i];
		const bool is_own = is_wanted[node->frame];
		const bool is_below = node->parent && is_wanted[tree->nodes[node->parent].frame];

		callees[i] = is_own || is_below ? 1 + node->frame : callees[node->parent];
		if (!callees[i])
			continue;
		calltree_value_add(&table->rows[callees[i] - 1].total, &node->self);
		if (is_own)
			calltree_value_add(&table->rows[callees[i] - 1].self, &node->self);
	}
	frame_table_drop_empty(table);
	free(callees);
	return 0;
}

struct sort_key {
	struct frame_row row;
	uint64_t weight;
	uint64_t second_weight;
	const char *name;
};

static int compare_sort_keys(const void *a, const void *b)
{
	const struct sort_key *x = a;
	const struct sort_key *y = b;
	int r;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->second_weight != y->second_weight)
		return x->second_weight > y->second_weight ? -1 : 1;
	r = strcmp(x->name, y->name);
	return r ? r : x->row.frame < y->row.frame ? -1 : x->row.frame > y->row.frame;
}

int frame_table_sort(struct frame_table *table, bool by_total)
{
	struct sort_key *keys = calloc(table->n_rows + 1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct frame_row *row = &table->rows[i];
		const uint64_t self = calltree_weight(table->tree, &row->self);
		const uint64_t total = calltree_weight(table->tree, &row->total);

		keys[i] = (struct sort_key){ .row = *row,
					     .weight = by_total ? total : self,
					     .second_weight = by_total ? self : total,
					     .name = frame_row_name(table, row) };
	}
	qsort(keys, table->n_rows, sizeof(*keys), compare_sort_keys);
	for (size_t i = 0; i < table->n_rows; i++)
		table->rows[i] = keys[i].row;
	free(keys);
	return 0;
}

static int compare_labels(const void *a, const void *b, void *context)
{
	const struct calltree_frame *frames = context;
	const uint32_t x = frames[((const struct frame_row *)a)->frame].function;
	const uint32_t y = frames[((const struct frame_row *)b)->frame].function;

	return x < y ? -1 : x > y;
}

void frame_table_sort_labels(struct frame_table *table, size_t n_rows)
{
	qsort_r(table->rows, n_rows, sizeof(*table->rows), compare_labels, table->tree->frames);
}

const char *frame_row_name(const struct frame_table *table, const struct frame_row *row)
{
	if (row->frame == FRAME_NONE)
		return "[outermost]";
	return calltree_frame_name(table->tree, &table->tree->frames[row->frame]);
}
