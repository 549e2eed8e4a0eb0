#ifndef TSPROF_CMD_DOCTOR_OUTPUT_H
#define TSPROF_CMD_DOCTOR_OUTPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "record/machine_checks.h"
#include "record/machine_values.h"

/*
 * What `doctor` says: the engine, a table of checks with the commands that would
 * change what is not allowed, and a table of settings.  Commands are never
 * broken into lines, so that they can be copied, however narrow `columns` is.
 */
void doctor_output_text(struct buffer *out, const struct machine_checks *checks,
			const struct machine_values *values, size_t columns);

/* The same as JSON, schema "tsprof.doctor/1" (docs/json.md). */
void doctor_output_json(struct buffer *out, const struct machine_checks *checks,
			const struct machine_values *values);

#endif
