#ifndef TSPROF_CMD_REPORT_MARKS_H
#define TSPROF_CMD_REPORT_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/command.h"
#include "cmd/report_output.h"
#include "model/profile.h"

/* The options of `report` that are about marks. */
struct report_marks_options {
	bool with_milestones;
	bool with_scopes;
	bool as_tree;
	uint64_t hot; /* UINT64_MAX: not given, as the next ones; 0: all */
	uint64_t slowest;
	bool with_errors;
	bool with_timeline;
	bool with_counters;
	uint64_t max;
	bool with_snapshots;
	const char *snapshot; /* its id or its name */
	bool is_forced;
};

#define REPORT_MARKS_OPTIONS_INIT                                                                  \
	{                                                                                          \
		.hot = UINT64_MAX, .slowest = UINT64_MAX, .max = UINT64_MAX                        \
	}

/* Entries of an option table; `struct type` has a member `struct report_marks_options marks`. */
#define REPORT_MARKS_OPTION_(type, name, kind, argument, help, member)                             \
	{                                                                                          \
		name, 0, kind, argument, help, offsetof(struct type, marks.member), NULL           \
	}
#define REPORT_MARKS_OPTIONS(type)                                                                 \
	REPORT_MARKS_OPTION_(type, "milestones", OPTION_FLAG, NULL,                                \
			     "the milestones, and the phases between them", with_milestones),      \
		REPORT_MARKS_OPTION_(type, "scopes", OPTION_FLAG, NULL, "a row per scope",         \
				     with_scopes),                                                 \
		REPORT_MARKS_OPTION_(type, "tree", OPTION_FLAG, NULL,                              \
				     "scopes within the scopes around them", as_tree),             \
		REPORT_MARKS_OPTION_(type, "hot", OPTION_COUNT, "N",                               \
				     "the N scopes with the most self time", hot),                 \
		REPORT_MARKS_OPTION_(type, "slowest", OPTION_COUNT, "N",                           \
				     "the N slowest single calls of scopes", slowest),             \
		REPORT_MARKS_OPTION_(type, "errors", OPTION_FLAG, NULL,                            \
				     "calls of scopes that failed", with_errors),                  \
		REPORT_MARKS_OPTION_(type, "timeline", OPTION_FLAG, NULL,                          \
				     "marks and memory in order of time", with_timeline),          \
		REPORT_MARKS_OPTION_(type, "counters", OPTION_FLAG, NULL, "a row per counter",     \
				     with_counters),                                               \
		REPORT_MARKS_OPTION_(type, "max", OPTION_COUNT, "N",                               \
				     "rows of lists in order of time (default 50; 0: all)", max),  \
		REPORT_MARKS_OPTION_(type, "snapshots", OPTION_FLAG, NULL, "a row per snapshot",   \
				     with_snapshots),                                              \
		REPORT_MARKS_OPTION_(type, "snapshot", OPTION_STRING, "ID|NAME",                   \
				     "write the bytes of a snapshot, or the last of a name",       \
				     snapshot),                                                    \
		REPORT_MARKS_OPTION_(type, "force", OPTION_FLAG, NULL,                             \
				     "write them even to a terminal", is_forced)

/* The number of tables that are asked for. */
int report_marks_n_tables(const struct report_marks_options *options);

/*
 * A part for each table that was asked for; `top` is for those that are sorted
 * by size.  -ENODATA when none of them has anything to tell, saying how to mark.
 */
int report_marks_add(struct report_output *output, const struct report_marks_options *options,
		     uint64_t top, struct error *err);

#endif
