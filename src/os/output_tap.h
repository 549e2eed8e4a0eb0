#ifndef TSPROF_OS_OUTPUT_TAP_H
#define TSPROF_OS_OUTPUT_TAP_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/output_relay.h"

/*
 * A look at the lines that a command prints.  Its standard output and error go
 * through a relay each, or through one when they are the same file, so that their order stays;
 * a terminal is replaced by another that changes nothing.  What was printed
 * is never held up by whoever asks for lines.
 */
struct output_channel {
	pid_t pid; /* of the relay; 0: none */
	int fd;	   /* messages from it; -1: none, or no more */
	bool is_synced;
};

struct output_tap {
	struct output_channel channels[2];
	int child_fds[2]; /* to be the command's standard output and error; -1: its own stay */
	int epoll_fd;	  /* readable when there may be a line */
	uint64_t n_dropped;
	struct output_relay_message message;
};

#define OUTPUT_TAP_INIT                                                                            \
	((struct output_tap){ .channels = { { .fd = -1 }, { .fd = -1 } },                          \
			      .child_fds = { -1, -1 },                                             \
			      .epoll_fd = -1 })

/* What matched; borrowed until the next call. */
struct output_line {
	uint64_t time_ns; /* CLOCK_MONOTONIC, when it was read */
	const char *name;
	size_t name_bytes;
	const char *line;
	size_t line_bytes;
};

/* Early, while there is one thread and little is open: forks. `tap` is initialised. */
int output_tap_open(struct output_tap *tap, const regex_t *pattern, struct error *err);

/* The command has its ends. */
void output_tap_close_child_fds(struct output_tap *tap);

/* False when there is none now; does not wait. */
bool output_tap_next(struct output_tap *tap, struct output_line *line);

/*
 * The command has ended: have everything that was printed passed on and told, for
 * as long as `timeout_ms` (-1: for ever).  The lines are there to be taken as it waits: `take`
 * is called for each.
 */
int output_tap_sync(struct output_tap *tap, int timeout_ms,
		    int (*take)(void *context, const struct output_line *line), void *context);

/* Relays that still have somebody to serve live on. */
void output_tap_close(struct output_tap *tap);

#endif
