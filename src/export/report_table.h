#ifndef TSPROF_EXPORT_REPORT_TABLE_H
#define TSPROF_EXPORT_REPORT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "export/table.h"
#include "tree/breakdown.h"
#include "tree/frame_table.h"

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
	REPORT_CALLERS,
	REPORT_CALLEES,
};

/* The key of its rows in JSON: "functions", "modules", … */
const char *report_kind_name(enum report_kind kind);

/* The first `n_rows` rows of `frames`, in its order. */
int report_table_build(struct table *table, enum report_kind kind, const struct frame_table *frames,
		       size_t n_rows);

/* `duration_ns` is the recorded time looked at, which averages are over; 0: not known. */
int report_table_build_breakdown(struct table *table, const struct breakdown *breakdown,
				 uint64_t duration_ns);

#endif
