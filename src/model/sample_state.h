#ifndef TSPROF_MODEL_SAMPLE_STATE_H
#define TSPROF_MODEL_SAMPLE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a thread was doing during the time that a sample stands for: running,
 * or waiting, and then for what, as far as it is known.  Numbers are stored in
 * profile files: append only.
 */
enum sample_state {
	SAMPLE_RUNNING = 0,
	SAMPLE_WAITING = 1,   /* the reason is not known */
	SAMPLE_PREEMPTED = 2, /* could run, but had no CPU */
	SAMPLE_SLEEP = 3,     /* asked for it: nanosleep and the like */
	SAMPLE_LOCK = 4,      /* a futex: mutexes, condition variables, joins */
	SAMPLE_POLL = 5,      /* poll, select, epoll */
	SAMPLE_DISK = 6,      /* a block device or a file system */
	SAMPLE_PIPE = 7,      /* a pipe, FIFO or eventfd */
	SAMPLE_SOCKET = 8,
	SAMPLE_TERMINAL = 9,
	SAMPLE_CHILD = 10,  /* the end of another process */
	SAMPLE_SIGNAL = 11, /* sigwait, pause; stopped */
	SAMPLE_MEMORY = 12, /* a page fault or reclaim */
	SAMPLE_KERNEL = 13, /* a lock or a grace period inside the kernel */
	SAMPLE_N_STATES
};

/* Sets of states, as views ask for them. */
enum sample_state_set {
	SAMPLE_STATES_RUNNING = 1u << SAMPLE_RUNNING,
	SAMPLE_STATES_ALL = (1u << SAMPLE_N_STATES) - 1,
	SAMPLE_STATES_WAITING = SAMPLE_STATES_ALL & ~SAMPLE_STATES_RUNNING,
};

/* "running", "waiting", "preempted", "sleep", "lock", …: the words of reports and options. */
const char *sample_state_name(enum sample_state state);

/* "running", or "waiting: lock": as the name of a frame or row that stands alone. */
const char *sample_state_label(enum sample_state state);

static inline bool sample_state_is_in(enum sample_state state, unsigned int set)
{
	return set >> state & 1;
}

#endif
