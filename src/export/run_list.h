#ifndef TSPROF_EXPORT_RUN_LIST_H
#define TSPROF_EXPORT_RUN_LIST_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/json_writer.h"
#include "model/profile.h"

/*
 * The runs of a merged profile, a line each of at most `columns` columns, with
 * the numbers that stand behind those of its processes; nothing for one run.
 */
void run_list_write_text(struct buffer *out, const struct profile *profile, size_t columns);

/* The same with all that is known of them, an array "runs". */
void run_list_write_json(struct json_writer *json, const struct profile *profile);

#endif
