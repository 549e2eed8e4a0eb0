#ifndef TSPROF_CMD_REPORT_PER_CALL_H
#define TSPROF_CMD_REPORT_PER_CALL_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/json_writer.h"
#include "cmd/report_output.h"

/*
 * The breakdown of a call, as a part of the report: what stands above and below
 * its table, and what JSON says beside it.
 */

/* "parse: 1,200 calls of 12.3 µs, 11.8 ± 0.4 µs of it CPU time by 3,456 samples" */
void report_per_call_heading(struct buffer *out, const struct per_call *per_call);

/* What its rows mean, and what they are not. */
void report_per_call_note(struct buffer *out, const struct per_call *per_call,
			  const struct profile *profile);
void report_per_call_json(struct json_writer *json, const struct per_call *per_call);

#endif
