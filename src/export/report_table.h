#ifndef TSPROF_EXPORT_REPORT_TABLE_H
#define TSPROF_EXPORT_REPORT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "export/table.h"
#include "tree/breakdown.h"
#include "tree/frame_table.h"
#include "tree/lifetimes.h"
#include "tree/measure.h"
#include "tree/per_call.h"

/*
 * The tables that `report` prints, made from what src/tree calculated.  Times
 * where the profile has them, else samples.  All return 0 or -ENOMEM, and then
 * the table is released; texts are borrowed from the tree, which outlives it.
 */
enum report_kind {
	REPORT_FUNCTIONS,
	REPORT_MODULES,
	REPORT_LINES,
	REPORT_THREADS,
	REPORT_PROCESSES,
	REPORT_GROUPS,
	REPORT_CALLERS,
	REPORT_CALLEES,
};

/* The key of its rows in JSON: "functions", "modules", … */
const char *report_kind_name(enum report_kind kind);

/* What all rows of a table are a part of, where a view is split. */
struct report_group {
	const char *name; /* borrowed from the tree */
	struct measure measure;
};

/* The rows to be shown; what is NULL is not shown. */
struct report_rows {
	const struct frame_table *frames;
	size_t n_rows;			   /* the first of them, in its order */
	const struct lifetimes *lifetimes; /* beside them */
	const struct report_group *group;
};

int report_table_build(struct table *table, enum report_kind kind, const struct report_rows *rows);

/*
 * `duration_ns` is the recorded time looked at, which averages are over; 0: not
 * known.  `group` may be NULL.
 */
int report_table_build_breakdown(struct table *table, const struct breakdown *breakdown,
				 uint64_t duration_ns, const struct report_group *group);
int report_table_build_per_call(struct table *table, const struct per_call *per_call);

#endif
