#ifndef TSPROF_RECORD_OUTPUT_MARKS_H
#define TSPROF_RECORD_OUTPUT_MARKS_H

#include <regex.h>

#include "base/error.h"
#include "os/output_tap.h"
#include "record/marks_store.h"

struct recording_turn;

/* Lines that the command prints as milestones: named by what matched, the line as data. */
struct output_marks {
	struct output_tap tap;
	struct marks_store *store; /* borrowed */
};

#define OUTPUT_MARKS_INIT ((struct output_marks){ .tap = OUTPUT_TAP_INIT })

/* Early: see output_tap_open. */
int output_marks_open(struct output_marks *marks, struct marks_store *store, const regex_t *pattern,
		      struct error *err);

/* For struct recording_source: `context` is the output_marks. */
int output_marks_take(void *context, const struct recording_turn *turn, struct error *err);

/* Waits until what the command printed has been passed on. */
void output_marks_close(struct output_marks *marks);

#endif
