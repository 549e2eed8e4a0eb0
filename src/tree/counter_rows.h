#ifndef TSPROF_TREE_COUNTER_ROWS_H
#define TSPROF_TREE_COUNTER_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/view.h"

/* The values of one counter in a view, whoever gave them. */
struct counter_row {
	uint32_t name; /* ids in profile.strings */
	uint32_t category;
	uint64_t n_values;
	double min;
	double mean; /* of the values, however long each stood */
	double max;
	double last; /* in time */
	uint64_t last_ns;
};

struct counter_rows {
	struct counter_row *rows; /* in the order in which their names became known */
	size_t n_rows;
};

/* What is not a number is left out. */
int counter_rows_build(struct counter_rows *rows, const struct profile *profile,
		       const struct view *view, struct error *err);
void counter_rows_release(struct counter_rows *rows);

#endif
