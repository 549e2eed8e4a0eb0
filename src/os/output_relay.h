#ifndef TSPROF_OS_OUTPUT_RELAY_H
#define TSPROF_OS_OUTPUT_RELAY_H

#include <regex.h>
#include <stdint.h>

#include "lib/marks_wire.h"

/*
 * A process of its own that passes on what a command prints, byte for byte and
 * at once, and tells of the lines that match.  It lives as long as anybody can write, also
 * after tsprof, so that what a command leaves behind may go on printing.
 */
struct output_relay {
	int from_fd;	 /* a pipe, or the master of a terminal */
	int to_fd;	 /* what the command would have printed to */
	int control_fd;	 /* a SOCK_SEQPACKET: a byte from it asks for OUTPUT_RELAY_SYNCED */
	int is_terminal; /* `from_fd` gets the size of `to_fd` */
	const regex_t *pattern;
};

enum output_relay_what {
	OUTPUT_RELAY_LINE = 1,
	OUTPUT_RELAY_SYNCED = 2, /* all that had been printed was passed on and told */
};

/* What it tells, of which only the used part of the texts is sent. */
struct output_relay_message {
	uint32_t what;	    /* enum output_relay_what */
	uint32_t n_dropped; /* lines before this one for which there was no room */
	uint64_t time_ns;   /* CLOCK_MONOTONIC, when the line's last byte was read */
	uint32_t name_bytes;
	uint32_t data_bytes;
	char text[TSPROF_NAME_MAX_BYTES + TSPROF_TEXT_MAX_BYTES]; /* the name, then the line */
};

/* In a child of fork: becomes the relay, whatever else is open is closed. */
_Noreturn void output_relay_run(const struct output_relay *relay);

#endif
