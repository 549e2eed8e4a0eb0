#ifndef TSPROF_RECORD_PROBE_CALLS_H
#define TSPROF_RECORD_PROBE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "model/profile.h"
#include "os/sampler_record.h"
#include "record/mark_thread.h"
#include "record/marks_store.h"
#include "record/probe_plan.h"
#include "record/process_table.h"

/*
 * From the hits of probes, in order of time, to milestones and calls; and the
 * repair of stacks meanwhile.
 *
 * While a traced function runs, the kernel has put the address of a trampoline
 * of its own where the function's return address was, so no unwinder would
 * get past it.  What was there is known from the hit at the function's entry: the dump of each
 * sample gets its return addresses back before it is walked.
 *
 * An entry and its return are paired by the stack pointer, as the kernel does: what a longjmp
 * or an exception jumped out of is noticed when the stack is seen above it.  The
 * kernel watches at most PROBE_CALLS_MAX_DEPTH returns of a thread; calls deeper than that
 * are counted, but have no duration.
 */
enum { PROBE_CALLS_MAX_DEPTH = 64 };

struct probe_call {
	uint64_t slot;	    /* the stack pointer at the function's entry */
	uint64_t return_ip; /* what the kernel took away; 0: not known any more */
	uint64_t start_ns;
	uint32_t probe;
	bool is_inherited; /* entered before the fork */
};

struct probe_thread {
	uint32_t pid;
	uint32_t tid;
	uint64_t last_ip;	 /* of the last hit … */
	uint64_t last_sp;	 /* … and the stack pointer there */
	struct probe_call ended; /* the one that ended last; slot 0: none */
	struct probe_call open[PROBE_CALLS_MAX_DEPTH];
	struct buffer texts[PROBE_CALLS_MAX_DEPTH]; /* their arguments */
	size_t n_open;
	struct mark_thread *marks; /* NULL: nothing was told of it so far */
};

struct probe_calls {
	const struct probe_plan *plan;	 /* borrowed; NULL: there are no probes */
	struct marks_store *store;	 /* borrowed */
	struct process_table *processes; /* borrowed */
	uint32_t *sites;		 /* by probe, plus one; 0: not hit so far */
	uint64_t *n_hits;		 /* by probe: what the target paid for */
	struct probe_thread **threads;	 /* never move */
	size_t n_threads, threads_capacity;
	struct hash_index index; /* by tid */
	uint64_t *ips;		 /* where probes were hit, in any process */
	size_t n_ips, ips_capacity;
	struct hash_index ip_index;
	struct buffer text;
	struct raw_sample mended;
	uint8_t *stack_bytes; /* of `mended` */
	uint64_t n_lost;      /* hits that found the ring full */
	uint64_t n_too_deep;
	uint64_t n_unmatched; /* returns whose entry was not seen */
};

/* What it was all worth. */
struct probe_summary {
	uint64_t n_hits; /* entries */
	uint64_t n_lost;
	uint64_t n_too_deep;
	uint64_t n_unmatched;
	size_t n_never_hit;    /* functions that nobody called */
	const char *never_hit; /* the first of them; of the plan */
	const char *inlined;   /* some of its calls were, and are missing; of the plan, or NULL */
	uint64_t cost_ns;      /* of the target's time, by what a hit costs here; 0: too few hits */
};

/* Does nothing, at no cost, when the plan is empty.  Returns 0 or -ENOMEM. */
int probe_calls_init(struct probe_calls *calls, const struct probe_plan *plan,
		     struct marks_store *store, struct process_table *processes);
/* Before the processes are. */
void probe_calls_release(struct probe_calls *calls);

/* A thread came by a probe.  Returns 0 or -ENOMEM. */
int probe_calls_take(struct probe_calls *calls, const struct sampler_record *record);

/* A process was forked: it is inside the functions that the forking thread is in. */
int probe_calls_fork(struct probe_calls *calls, const struct sampler_record *record);

/* The thread ended, or its process became another program: what is open never returns. */
int probe_calls_end_thread(struct probe_calls *calls, uint32_t tid, uint64_t time_ns);

/* The same for all threads: the recording is over. */
int probe_calls_finish(struct probe_calls *calls, uint64_t time_ns);

enum { PRICE_MIN_HITS = 1000 };

/*
 * Measures what hits cost, if there were PRICE_MIN_HITS.  The profile is the recorded one,
 * with its names; `has_programs` as in struct sampler_facts.
 */
struct probe_summary probe_calls_sum_up(const struct probe_calls *calls,
					const struct profile *profile, bool has_programs);

/*
 * The sample with its return addresses where they were: `raw` itself when none is missing,
 * else a copy, borrowed until the next.  `trampoline` is where the kernel's code
 * for probes is mapped in the process, 0 when nowhere.
 */
const struct raw_sample *probe_calls_mend(struct probe_calls *calls, uint64_t trampoline,
					  const struct raw_sample *raw);

#endif
