#ifndef TSPROF_OS_PERF_SAMPLER_H
#define TSPROF_OS_PERF_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/perf_event.h"
#include "os/perf_record.h"

/*
 * Everything perf has to say about one process, its threads and its children,
 * in the order in which it happened.
 *
 * On each CPU a sampling event and a side-band event (mappings, names, forks)
 * write to rings of their own, so that a flood of samples never costs a module.
 * The rings are merged by time without copying.  A record of one CPU can become
 * visible later than a younger one of another, therefore only what is older
 * than a short lag is handed out.
 *
 *	perf_sampler_begin(sampler, false);
 *	while (perf_sampler_next(sampler, &record))
 *		…
 *
 * Weights: a sample stands for the time that its event counted since the
 * thread's last sample on that CPU, so that ticks which the kernel coalesced or
 * had no room for stay in the sum.  Where the kernel cannot tell (before 6.12)
 * it is one period.
 *
 * One thread only.  next() allocates when it first sees a thread on a CPU.
 */
struct perf_sampler_options {
	const struct perf_event_kind *kind;
	uint64_t rate_hz;
	uint64_t stack_bytes; /* of each dump, at most; 0: as much as fits */
	pid_t pid;	      /* sampling starts when it execs */
};

/* What the kernel granted. */
struct perf_sampler_facts {
	struct perf_abilities abilities;
	uint64_t period_ns;   /* 0 when the event does not count time */
	uint64_t stack_bytes; /* of each dump */
	uint64_t ring_bytes;  /* for each CPU */
	uint32_t n_cpus;      /* online */
};

struct perf_sampler;

int perf_sampler_open(struct perf_sampler **ret_sampler, const struct perf_sampler_options *options,
		      struct error *err);
void perf_sampler_close(struct perf_sampler *sampler);

/* Borrowed: as long as the sampler. */
const struct perf_sampler_facts *perf_sampler_facts(const struct perf_sampler *sampler);

/* Readable when a ring is filling up; to be polled together with others. */
int perf_sampler_fd(const struct perf_sampler *sampler);

/* See what the rings hold; `is_final` leaves out the lag: there will be no more. */
void perf_sampler_begin(struct perf_sampler *sampler, bool is_final);

/* False at the end of the batch.  What `record` points to is valid until the next call. */
bool perf_sampler_next(struct perf_sampler *sampler, struct perf_record *record);

/* Stop all events, so that a last batch is the last. */
void perf_sampler_stop(struct perf_sampler *sampler);

/* CPU time that the events counted so far, sampled or not; 0 when it is not known. */
uint64_t perf_sampler_counted_ns(const struct perf_sampler *sampler);

/* Samples without room in their ring, so far. */
uint64_t perf_sampler_n_lost(const struct perf_sampler *sampler);

#endif
