#ifndef TSPROF_CMD_REPORT_MEMORY_H
#define TSPROF_CMD_REPORT_MEMORY_H

#include <stdint.h>

#include "base/error.h"
#include "cmd/report_output.h"

/*
 * The memory of processes over time, of those with the largest peaks first;
 * `top` as --top has it, UINT64_MAX when it was not given.  -ENODATA when none was recorded.
 */
int report_memory_add(struct report_output *output, uint64_t top, struct error *err);

#endif
