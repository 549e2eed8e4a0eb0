#ifndef TSPROF_SYMBOL_JITDUMP_H
#define TSPROF_SYMBOL_JITDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/jit_symbols.h"

/*
 * jit-PID.dump, as tools/perf/Documentation/jitdump-specification.txt of Linux
 * describes it: a header, then records with times.  Code that is loaded or moved
 * becomes a symbol, with the lines that a debug record told before.  The code's
 * bytes and its unwinding information are passed over.
 */
struct jitdump {
	bool has_header;
	bool is_bad;	/* not a jitdump of this machine, or damaged: nothing more is taken */
	bool has_times; /* CLOCK_MONOTONIC; false: a clock of the processor, of no use here */
	/* Lines that were told for the code about to be loaded there. */
	uint64_t lines_ip;
	uint32_t first_line;
	uint32_t n_lines;
	uint64_t n_unknown; /* records that say nothing to us, or nonsense */
};

enum {
	JITDUMP_HEADER_BYTES = 40,
	/* All that is looked at of a record: a name has to be in it, lines as far as they are. */
	JITDUMP_LOOK_BYTES = 1 << 20,
};

/* Is this the path of one?  "…/jit-123.dump" */
bool jitdump_is_path(const char *path);

/*
 * Take in a piece of a dump.  `ret_taken` are the bytes to go on behind: fewer
 * than `size` when the last record is not all there, and more when it ends with
 * bytes that need not be read.  A record longer than JITDUMP_LOOK_BYTES is taken
 * when that much of it is there.  Returns 0 or -ENOMEM.
 */
int jitdump_parse(struct jitdump *dump, struct jit_symbols *symbols, const uint8_t *data,
		  size_t size, uint64_t *ret_taken);

#endif
