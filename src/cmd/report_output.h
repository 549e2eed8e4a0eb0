#ifndef TSPROF_CMD_REPORT_OUTPUT_H
#define TSPROF_CMD_REPORT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/command.h"
#include "export/report_table.h"
#include "export/table.h"
#include "tree/breakdown.h"
#include "tree/calltree.h"
#include "tree/components.h"
#include "tree/per_call.h"
#include "tree/view.h"

/* One table of a report with what its texts are borrowed from. */
struct report_part {
	struct table table;
	enum report_kind kind;
	const char *function; /* whose callers or callees these are; borrowed */
	uint64_t n_hidden;    /* rows that are there and not shown */
	bool is_breakdown;
	bool is_per_call;
	bool is_marks;	   /* with the next three; nothing but the table and they is there */
	const char *title; /* a literal */
	struct buffer note;
	uint64_t n_left_out; /* rows, as the note says */
	bool has_group;
	struct report_group group;
	struct breakdown breakdown;
	struct per_call per_call;
};

enum report_format {
	REPORT_TEXT,
	REPORT_JSON,
	REPORT_CSV,
};

enum { REPORT_MAX_TREES = 8 };

struct report_output {
	const struct profile *profile; /* borrowed */
	struct view view;	       /* resolved; released with the rest */
	enum report_format format;
	struct components components;
	struct calltree trees[REPORT_MAX_TREES]; /* what the parts are made from: one at least */
	size_t n_trees;
	struct report_part **parts;
	size_t n_parts, parts_capacity;
};

/* A new part behind the others, borrowed; NULL when memory is short. */
struct report_part *report_output_add_part(struct report_output *output);

/* Take the last part away again. */
void report_output_drop_part(struct report_output *output);

/*
 * Everything to app->out at once.  Text is laid out for the terminal, below the
 * quality line, in ASCII where LC_ALL, LC_CTYPE or LANG says that the terminal
 * is not UTF-8.  Without samples a word about it goes to app->messages.
 */
int report_output_write(const struct report_output *output, struct app *app, struct error *err);
void report_output_release(struct report_output *output);

#endif
