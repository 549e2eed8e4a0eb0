#ifndef TSPROF_RECORD_THREAD_WAIT_H
#define TSPROF_RECORD_THREAD_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Where a thread waits and why, as one sample will tell it. */
struct wait_place {
	uint32_t node;	/* in profile.stacks */
	uint32_t entry; /* in profile.threads */
	uint16_t end;	/* enum stack_end */
	uint8_t state;	/* enum sample_state */
	uint32_t scope; /* in profile.marks.scopes */
};

/* Several waits too short for a tick, in the same place and soon after each other. */
struct wait_sum {
	struct wait_place place;
	uint64_t start_ns; /* of the first */
	uint64_t weight_ns;
	uint64_t n_ticks;
	uint32_t n_waits; /* 0: not in use */
};

enum { THREAD_WAIT_SUMS = 4 };

/* What is known about one thread's waiting; all zero at first. */
struct thread_wait {
	bool is_seen;	 /* some record said whether it ran */
	bool is_waiting; /* since since_ns, or running since then */
	bool is_leaving; /* the stack of the switch that comes next is in `place` */
	bool has_stack;	 /* `place` is where the wait began */
	uint64_t since_ns;
	uint8_t first_reason;  /* enum sample_state: what it waited for when it was attached to */
	uint64_t left_over_ns; /* of the waits so far, beyond their whole ticks */
	struct wait_place place;
	struct wait_sum sums[THREAD_WAIT_SUMS];
	uint8_t next_sum; /* to be replaced */
};

#endif
