#ifndef TSPROF_CMD_REPORT_PARTS_H
#define TSPROF_CMD_REPORT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/report_marks.h"
#include "cmd/report_output.h"
#include "cmd/view_options.h"
#include "model/profile.h"

/* Which tables, and which of their rows. */
struct report_options {
	struct view_options view;
	uint64_t top; /* UINT64_MAX: not given */
	bool with_processes;
	bool with_threads;
	bool with_modules;
	bool with_lines;
	const char *callers_of;
	const char *callees_of;
	bool by_total;
	bool by_self;
	bool is_breakdown;
	const char *components;
	const char *per; /* the scope whose calls the breakdown is of; NULL: of the run */
	struct report_marks_options marks;
	bool with_memory;
	const char *output; /* a file, of --snapshot; NULL: standard output */
	bool as_json;
	bool as_csv;
};

/*
 * One part for each table that was asked for, functions when none was.  With
 * --by each of them, other than those of processes and threads, is one part for
 * each group, behind a part that sums the groups up; CSV has no such sums.
 */
int report_parts_add(struct report_output *output, const struct report_options *options,
		     const struct profile *profile, struct error *err);

#endif
