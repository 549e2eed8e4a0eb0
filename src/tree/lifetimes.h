#ifndef TSPROF_TREE_LIFETIMES_H
#define TSPROF_TREE_LIFETIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/frame_table.h"
#include "tree/view.h"

/* From when to when there was a group, in time since the start of the run. */
struct lifetime {
	bool has_start; /* false: not known, as of what was there before */
	bool has_end;	/* false: not known, as of what went on afterwards */
	uint64_t start_ns;
	uint64_t end_ns;
	const struct thread *thread; /* the first of it; borrowed from the profile */
};

struct lifetimes {
	struct lifetime *rows; /* beside those of the table */
	size_t n_rows;
};

/*
 * For every row of a table of labels that a view by `by` made; what it started
 * and ended with are the first and the last of its threads.  Without times
 * nothing is known.
 */
int lifetimes_find(struct lifetimes *lifetimes, const struct frame_table *table, enum view_by by,
		   struct error *err);
void lifetimes_release(struct lifetimes *lifetimes);

#endif
