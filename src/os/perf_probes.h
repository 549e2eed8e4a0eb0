#ifndef TSPROF_OS_PERF_PROBES_H
#define TSPROF_OS_PERF_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/bpf_probes.h"
#include "os/perf_event.h"
#include "os/sampler_options.h"
#include "os/sampler_record.h"
#include "os/trace_events.h"

/*
 * The perf events on the probes of one recording.
 *
 * Where BPF programs write the hits down: one for every probe and thread that is
 * attached to, which only bring the break points, and one for every probe that carries
 * its program.  Threads do not inherit the latter, since the program would go with the first of
 * them.
 *
 * Else: for each CPU, and each thread that is attached to, one for every probe.  Those of a CPU
 * share a ring, which belongs to the first.
 */
struct perf_probes {
	struct trace_events events;
	struct bpf_probes programs;
	struct error refusal; /* why there are no programs; code 0: nobody asked */
	bool is_carried;      /* the programs have their events */
	int *fds;	      /* all but those that the rings belong to */
	size_t n_fds, capacity;
};

#define PERF_PROBES_INIT                                                                           \
	((struct perf_probes){ .events = TRACE_EVENTS_INIT, .programs = BPF_PROBES_INIT })

/* Nothing when no probes are asked for.  Falls back to perf's records by itself. */
int perf_probes_init(struct perf_probes *probes, const struct sampler_options *options,
		     struct error *err);
void perf_probes_release(struct perf_probes *probes);

/*
 * With programs: have the hits of one thread written down, and of those that it will
 * start; or with pid -1 all hits, and then `cpu` is any.  `options` needs no trace_event.
 */
int perf_probes_watch(struct perf_probes *probes, const struct perf_event_options *options, int cpu,
		      struct error *err);

/* Another event, whose descriptor is theirs from now on.  0 or -ENOMEM, and then it is closed. */
int perf_probes_keep(struct perf_probes *probes, int fd);

/* Close all events again. */
void perf_probes_close(struct perf_probes *probes);

/* Switch them by hand. */
void perf_probes_set_enabled(const struct perf_probes *probes, bool is_on);

/*
 * A record of their rings: a sample is somebody coming by, and says where and
 * with what; BAD when it belongs to no probe.
 */
void perf_probes_take(const struct perf_probes *probes, struct sampler_record *record);

#endif
