#ifndef TSPROF_SYMBOL_PERF_MAP_H
#define TSPROF_SYMBOL_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "symbol/jit_symbols.h"

/*
 * /tmp/perf-PID.map, where a runtime tells what it compiled: lines of "START
 * SIZE name", both in hex, the name reaching to the end of the line.  A map has
 * no times: of two lines about one address the later one holds for all of the
 * run.  Lines that are none are skipped.
 */

/* The longest line that is waited for; what is longer is read as if it ended there. */
enum { PERF_MAP_LINE_MAX_BYTES = 1 << 16 };

/*
 * Take in a piece of a map.  A line without its end is left for the next piece,
 * unless `is_last`; `ret_taken` are the bytes to go on behind.  Returns 0 or
 * -ENOMEM.
 */
int perf_map_parse(struct jit_symbols *symbols, const char *text, size_t size, bool is_last,
		   size_t *ret_taken);

#endif
