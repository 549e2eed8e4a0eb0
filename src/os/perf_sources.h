#ifndef TSPROF_OS_PERF_SOURCES_H
#define TSPROF_OS_PERF_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/hash.h"
#include "os/bpf_stacks.h"
#include "os/perf_event.h"
#include "os/perf_probes.h"
#include "os/perf_record.h"
#include "os/perf_ring.h"
#include "os/sampler_options.h"
#include "os/sampler_record.h"

/*
 * The events of one recording: on each CPU a sampling event and a side-band
 * event, each with a ring.  To attach to running processes, these are opened on
 * tsprof itself and stay switched off; then each thread gets events of its own,
 * which write to the rings of their CPU.
 */
struct perf_source {
	struct perf_ring ring;
	struct perf_layout layout;
	int fd; /* the event that the ring was made for */
	int cpu;
	enum perf_event_role role;
	bool is_sampler; /* its role is PERF_ROLE_SAMPLES */
	/* Where the reader is. */
	uint64_t next_time_ns; /* of the ring's first record, UINT64_MAX when empty */
	const uint8_t *next;
	size_t next_bytes;
	uint64_t published; /* the ring's tail when it was last given back */
	bool is_after_loss; /* the ring's last record told of lost ones */
	bool is_whole;	    /* what is next comes from the program for stacks, without perf's */
};

/* An event of one more thread, which writes to the ring of a source. */
struct perf_member {
	int fd;
	uint32_t source;
	uint32_t tid;
	uint64_t stream_id; /* of its samples; 0: none, or the thread has ended */
};

struct perf_sources {
	struct sampler_options options;
	struct sampler_facts *facts; /* borrowed */
	struct perf_abilities abilities;
	enum perf_event_start start; /* of the sampling events */
	struct perf_source *sources; /* each CPU's in the order of enum perf_event_role */
	struct perf_member *members;
	size_t n_sources;
	size_t n_members, members_capacity;
	struct hash_index member_index; /* by (tid, source) */
	struct perf_probes probes;
	struct bpf_stacks stacks;
	int epoll_fd; /* readable when a ring has filled to its mark */
};

/* `facts` gets period_ns now, the rest when the rings are there. */
int perf_sources_init(struct perf_sources *sources, const struct sampler_options *options,
		      struct sampler_facts *facts, struct error *err);
void perf_sources_release(struct perf_sources *sources);

/*
 * Rings and events for one process and what it will start, as large as this user
 * may have them.  -1 is everything on each CPU, 0 tsprof itself.
 */
int perf_sources_open(struct perf_sources *sources, pid_t pid, struct error *err);

/* One event of `role`; `at` counts those of a role that has several.  As perf_event_open_role. */
int perf_sources_open_event(struct perf_sources *sources, pid_t pid, int cpu,
			    enum perf_event_role role, size_t at, struct perf_layout *ret_layout,
			    struct error *err);

/* The probes from the one at `first` on, which write to the ring of `source`. */
int perf_sources_add_probes(struct perf_sources *sources, const struct perf_source *source,
			    pid_t pid, size_t first, struct error *err);

/* With programs: have the hits of that thread written down, or with pid -1 all. */
int perf_sources_watch_probes(struct perf_sources *sources, pid_t pid, struct error *err);

/*
 * Events for one more thread.  -ESRCH: it is gone; -EMFILE when descriptors run
 * out even after the soft limit was raised.
 */
int perf_sources_add_thread(struct perf_sources *sources, pid_t tid, struct error *err);

/*
 * A sample came from that source.  When it came from an inherited event and the
 * thread was given one of its own besides, because it was listed while it was
 * being started, its own one is closed.
 */
void perf_sources_forget_doubled(struct perf_sources *sources, const struct perf_source *source,
				 const struct sampler_record *sample);

/* A thread has ended; its events stay, since others may have inherited them. */
void perf_sources_thread_ended(struct perf_sources *sources, uint32_t tid);

/* Switch the sampling events; the side-band goes on. */
void perf_sources_set_sampling(const struct perf_sources *sources, bool is_on);
void perf_sources_stop(const struct perf_sources *sources);

/* What all sampling events counted, and what they lost. */
uint64_t perf_sources_counted_ns(const struct perf_sources *sources);
uint64_t perf_sources_n_lost(const struct perf_sources *sources);

/*
 * Would it work?  Opens events of the calling thread with the smallest rings, and
 * closes them.  0, or a negative errno with the reason.
 */
int perf_sources_probe(const struct sampler_options *options, struct error *err);

#endif
