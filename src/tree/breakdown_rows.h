#ifndef TSPROF_TREE_BREAKDOWN_ROWS_H
#define TSPROF_TREE_BREAKDOWN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "tree/breakdown.h"

/* The rows of a breakdown while it is being made: in any order, parents first. */
struct breakdown_item {
	const char *name; /* borrowed */
	enum breakdown_kind kind;
	uint32_t parent;
	struct calltree_value own;   /* samples that are no part's */
	struct calltree_value total; /* with those of its parts; set at the end */
	uint32_t n_parts;
};

struct breakdown_rows {
	struct breakdown_item *items;
	size_t n_items, capacity;
	struct hash_index index;
	bool is_in_order; /* equally heavy components stay in the order they were added */
};

/* Both return 0 or -ENOMEM. */
int breakdown_rows_add(struct breakdown_rows *rows, uint32_t *ret_row, uint32_t parent,
		       enum breakdown_kind kind, const char *name);
int breakdown_rows_find_or_add(struct breakdown_rows *rows, uint32_t *ret_row, uint32_t parent,
			       enum breakdown_kind kind, const char *name);

/*
 * Sum up, fold what is beyond the `n_inside` heaviest functions of a parent
 * into one row, and write all to the breakdown: the heaviest first, rests and
 * UNEXPLAINED behind them, TOTAL last.  Returns 0 or -ENOMEM.
 */
int breakdown_rows_finish(struct breakdown_rows *rows, struct breakdown *breakdown,
			  size_t n_inside);

void breakdown_rows_release(struct breakdown_rows *rows);

#endif
