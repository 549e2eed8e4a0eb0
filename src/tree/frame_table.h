#ifndef TSPROF_TREE_FRAME_TABLE_H
#define TSPROF_TREE_FRAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/calltree.h"

/*
 * The frames of a tree with what was spent in them: `self` in the frame itself,
 * `total` below it as well.  A frame that is on a stack several times counts
 * once for that stack, so a total is never more than the whole.
 *
 * What a row is follows the tree's granularity: functions, lines or modules;
 * with FRAME_ROWS_LABELS the processes and threads instead of code.
 */
enum frame_rows {
	FRAME_ROWS_CODE,
	FRAME_ROWS_LABELS,
};

/* In place of a frame: the caller of a frame that has none. */
#define FRAME_NONE UINT32_MAX

struct frame_row {
	uint32_t frame; /* into tree->frames, or FRAME_NONE */
	struct calltree_value self;
	struct calltree_value total;
};

struct frame_table {
	const struct calltree *tree; /* borrowed */
	struct frame_row *rows;
	size_t n_rows;
};

/* Rows in the order of tree->frames.  On failure nothing is left to release. */
int frame_table_build(struct frame_table *table, const struct calltree *tree, enum frame_rows rows,
		      struct error *err);

/*
 * Who called the frames of which `is_wanted[frame]` is set: a row a caller.
 * Each stack counts for one caller, that of its outermost wanted frame, so the
 * rows' totals add up to the wanted frames'.  `self` is zero.
 */
int frame_table_build_callers(struct frame_table *table, const struct calltree *tree,
			      const bool *is_wanted, struct error *err);

/*
 * What the wanted frames called: below its innermost wanted frame each stack
 * goes on to one callee, or to none; the latter is the row of that frame
 * itself with all its time as `self`.  The rows' totals add up likewise.
 */
int frame_table_build_callees(struct frame_table *table, const struct calltree *tree,
			      const bool *is_wanted, struct error *err);

void frame_table_release(struct frame_table *table);

/* Heaviest first; equal ones by name. */
int frame_table_sort(struct frame_table *table, bool by_total);

/* The first `n_rows` by when their phases begin; for labels of phases only. */
void frame_table_sort_labels(struct frame_table *table, size_t n_rows);

/* Borrowed; "[outermost]" for FRAME_NONE. */
const char *frame_row_name(const struct frame_table *table, const struct frame_row *row);

#endif
