#ifndef TSPROF_OS_CHILD_H
#define TSPROF_OS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A command that waits to be started, so that it can be watched from its first
 * instruction, with its standard input, output and error untouched unless told otherwise.
 *
 * Signals: what the terminal sends reaches the child by itself, since it is in
 * the same process group; what somebody sent to tsprof alone is to be passed on.
 * The child runs with the signal mask that it is given.
 */
struct child {
	pid_t pid;	/* 0 when there is none */
	int start_fd;	/* writing one byte starts it */
	int failure_fd; /* tells the errno of a failed exec; closed by a good one */
};

#define CHILD_INIT ((struct child){ .start_fd = -1, .failure_fd = -1 })

/* How it ended. */
struct child_end {
	int exit_status;     /* as a shell tells it: 128 + n for a signal */
	int signal;	     /* 0 unless killed by one */
	uint64_t cpu_ns;     /* user and system time of it and the children it waited for … */
	uint64_t own_cpu_ns; /* … and of it alone, by its clock; 0: not known */
};

/*
 * Fork `argv`, which must end with NULL; it waits for child_start.  `environment`
 * holds "NAME=VALUE" that replace or join what tsprof itself was given, ended by
 * NULL; may be NULL.  `output_fds` become its standard output and error where they are not
 * negative; may be NULL.
 */
int child_prepare(struct child *child, char *const *argv, char *const *environment,
		  const int output_fds[2], const sigset_t *mask, struct error *err);

/*
 * Let it exec.  Returns 0, or the negative errno of the exec with a message like
 * a shell's; then the child is gone.
 */
int child_start(struct child *child, struct error *err);

/* Pass a signal on; nothing when it has ended. */
void child_signal(const struct child *child, int number);

/* True when it has ended, filling `ret_end`; does not wait unless told to. */
bool child_reap(struct child *child, bool is_waiting, struct child_end *ret_end);

/* End it if it never started, wait for it, and close everything. */
void child_release(struct child *child);

/* The exit status of a shell for an exec that failed: 127 not found, 126 otherwise. */
int child_exec_status(int code);

#endif
