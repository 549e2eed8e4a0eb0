#ifndef TSPROF_RECORD_STOLEN_TIME_H
#define TSPROF_RECORD_STOLEN_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/profile.h"

/*
 * Events count on while a hypervisor has the CPU, which the clock of a process
 * does not.  So samples may weigh more than the CPU time that there was, and the tick that
 * came late weighs for all that was stolen before it: a lump on whatever ran there.
 *
 * Before samples are written, what those of a process weigh too much, all together
 * and by its clock, is taken off: from those that came late, as far as they did, and
 * then from all alike.  Of a process that ended before its clock was read only what
 * came late is.  Never more than what the kernel says was stolen from the machine.
 */
struct stolen_time {
	struct profile *profile; /* borrowed */
	uint64_t period_ns;	 /* of samples that are not late; 0: not known */
	/* Where the clocks come from; replaced by tests. */
	int (*read_process)(uint64_t *ret_ns, uint32_t pid);
	uint64_t (*read_stolen)(void);
	uint64_t start_stolen_ns;
	uint64_t taken_ns; /* off all samples so far */
	bool with_waits;   /* what is taken off is a wait: the thread was preempted */
	bool may_have_run; /* … processes, before they were sampled */
	struct stolen_process {
		uint32_t pid;
		bool has_base;
		uint64_t base_ns;      /* its clock when sampling began */
		uint64_t clock_ns;     /* when it was read last */
		uint64_t end_ns;       /* when it ended, if somebody saw it; else 0 */
		uint64_t preempted_ns; /* not told yet */
		uint64_t weight_ns;    /* of its samples in earlier batches */
		struct stolen_batch {
			uint64_t weight_ns, late_ns;
			uint64_t clock_ns; /* since sampling began; UINT64_MAX: not known */
			uint64_t cpus;	   /* that they came from, a bit each, modulo 64 */
			double from_late, from_rest; /* what is taken off, as shares */
		} batch;
	} * processes;
	size_t n_processes, capacity;
	struct hash_index index; /* by pid */
	uint32_t *in_batch;
	size_t n_in_batch, in_batch_capacity;
};

/* `is_attached`: to processes that run already. */
void stolen_time_init(struct stolen_time *stolen, struct profile *profile, uint64_t period_ns,
		      bool is_attached);
void stolen_time_release(struct stolen_time *stolen);

/* Sampling paused or went on: what clocks said before is no measure of samples to come. */
void stolen_time_restart(struct stolen_time *stolen);

/* A process ended, after that much CPU time. */
int stolen_time_note_end(struct stolen_time *stolen, uint32_t pid, uint64_t cpu_ns);

/* Correct all samples that are not written yet; they were taken before the call.  0 or -ENOMEM. */
int stolen_time_take(struct stolen_time *stolen);

/* The most that can have been stolen from the target since the start. */
uint64_t stolen_time_limit_ns(const struct stolen_time *stolen);

#endif
