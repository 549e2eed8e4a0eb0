#ifndef TSPROF_RECORD_WAITS_H
#define TSPROF_RECORD_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"
#include "record/process_table.h"

/*
 * From switches, in order of time, to waiting samples: a wait begins when its
 * thread leaves the CPU, in the place where it was then, and ends when it comes
 * back; its weight is the time between.  Nothing is estimated: all waits of a
 * thread add up to the time that it did not run.
 *
 * Waits shorter than a tick are added up where they follow each other within
 * WAITS_SUM_NS in the same place: programs switch 100,000 times a second.
 *
 * All functions return 0 or -ENOMEM.
 */
#define WAITS_SUM_NS UINT64_C(10000000)

enum { WAITS_MAX_PAUSES = 1000 };

struct waits {
	struct profile *profile;	 /* borrowed */
	struct process_table *processes; /* borrowed */
	uint64_t period_ns;		 /* what one tick stands for */
	bool is_on;			 /* switches are recorded */
	uint32_t bare_node; /* the stack that says that there is none; 0: not yet made */
	struct wait_pause {
		uint64_t start_ns;
		uint64_t end_ns; /* UINT64_MAX: goes on */
	} pauses[WAITS_MAX_PAUSES];
	size_t n_pauses;
};

void waits_init(struct waits *waits, struct profile *profile, struct process_table *processes,
		uint64_t period_ns);
void waits_release(struct waits *waits);

/* The stack of a thread that is about to leave its CPU; `reason` unless it is preempted. */
void waits_take_stack(struct live_thread *thread, uint32_t node, enum stack_end end,
		      enum sample_state reason);

int waits_leave(struct waits *waits, struct live_thread *thread, uint64_t time_ns,
		bool is_preempted);
int waits_return(struct waits *waits, struct live_thread *thread, uint64_t time_ns);

/* A tick found it running: if it waited, it came back until then and the record was lost. */
int waits_see_running(struct waits *waits, struct live_thread *thread, uint64_t time_ns);

/* It was just started: until it comes to a CPU it could run. */
int waits_start_thread(struct waits *waits, struct live_thread *thread, uint64_t time_ns);
int waits_end_thread(struct waits *waits, struct live_thread *thread);

/* What is waited for while recording is paused does not count.  After the last one it does. */
void waits_pause(struct waits *waits, uint64_t time_ns);
void waits_resume(struct waits *waits, uint64_t time_ns);

/* The recording is over: what still waits has waited until now. */
int waits_finish(struct waits *waits, uint64_t time_ns);

#endif
