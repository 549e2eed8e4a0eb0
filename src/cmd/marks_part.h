#ifndef TSPROF_CMD_MARKS_PART_H
#define TSPROF_CMD_MARKS_PART_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/report_marks.h"
#include "cmd/report_output.h"
#include "export/marks_table.h"

/* What the parts of a report that are about marks have in common. */
enum {
	MARKS_TOP = 20, /* rows of what is sorted by size, unless --top says another number */
	MARKS_MAX = 50, /* … by time, unless --max does */
};

/* What making any of them needs; all borrowed. */
struct marks_maker {
	struct report_output *output;
	const struct report_marks_options *options;
	const struct profile *profile;
	const struct view *view;
	uint64_t top;
	uint64_t max;
	struct error *err;
};

/* What an option says: UINT64_MAX is the usual number, and 0 is all. */
uint64_t marks_limit(uint64_t asked, uint64_t usual);
size_t marks_at_most(size_t n, uint64_t max);

/* A new part, borrowed; NULL, with the error set, when memory is short.  `title` is a literal. */
struct report_part *marks_part_add(const struct marks_maker *maker, const char *title);

/* What came of building the table, as an error of the report. */
int marks_part_finish(const struct marks_maker *maker, int r);

/* One more sentence below the table. */
void marks_part_note(struct report_part *part, const char *text);

/* If it has no rows: that there are no `what`. */
void marks_part_note_nothing(struct report_part *part, const char *what);

/* If it has not all of `n` that are in order of time: how many are left out. */
void marks_part_note_gap(struct report_part *part, size_t n, struct list_part shown,
			 const char *what);

/* If it has only the largest: how many more there are, which `option` shows. */
void marks_part_note_rest(struct report_part *part, size_t n_hidden, const char *option);

#endif
