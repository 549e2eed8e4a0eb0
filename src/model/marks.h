#ifndef TSPROF_MODEL_MARKS_H
#define TSPROF_MODEL_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/scope_tree.h"

/*
 * What the program, or somebody about it, said of what it was doing, as a part
 * of a profile.  All text is an id in profile.strings (0: none), times are
 * CLOCK_MONOTONIC.  Arrays grow in the order in which things became known, which is
 * nearly that of time; views sort.  Sites, scopes and milestones only grow; for the
 * others see n_calls_rearranged.
 */
enum mark_kind {
	MARK_MILESTONE = 1, /* as enum tsprof_kind of include/tsprof.h */
	MARK_SCOPE = 2,
	MARK_COUNTER = 3,
	MARK_SNAPSHOT = 4,
};

enum mark_source {
	MARK_SOURCE_LIBRARY, /* include/tsprof.h */
	MARK_SOURCE_COMMAND, /* `tsprof mark` */
	MARK_SOURCE_OUTPUT,  /* a line that the target printed */
	MARK_SOURCE_PROBE,   /* a function that was entered or left */
};

/* A place that marks; equal ones of several processes are one.  Index: the site id. */
struct mark_site {
	uint32_t name;
	uint32_t category;
	uint32_t file;
	uint32_t line;
	uint32_t sample_rate; /* scopes: one call in so many was recorded; 0 and 1: all */
	uint8_t kind;	      /* enum mark_kind */
	uint8_t source;	      /* enum mark_source */
};

/* In place of a thread: nobody knows which, or it is none of the target's. */
#define MARK_NO_THREAD UINT32_MAX

struct milestone {
	uint64_t time_ns;
	uint32_t thread; /* index into profile.threads, or MARK_NO_THREAD */
	uint32_t site;
	uint32_t data;
	uint32_t run; /* index into profile.runs; 0 when it has none */
};

enum scope_call_flags {
	SCOPE_CALL_ERROR = 1, /* the program said that it failed */
	SCOPE_CALL_OPEN = 2,  /* never ended: the duration is what there was until the end */
	SCOPE_CALL_CUT = 4,   /* ended because one around it did */
	SCOPE_CALL_COSTS = 8, /* cpu_ns and the next are known */
};

/* A single call that was kept: the slowest ones, those with errors, or all on request. */
struct scope_call {
	uint64_t start_ns;
	uint64_t duration_ns;
	uint64_t cpu_ns;
	uint64_t allocated_bytes;
	uint64_t n_faults;
	uint32_t thread;
	uint32_t node; /* of scopes */
	uint32_t arguments;
	uint32_t error;
	uint8_t flags; /* enum scope_call_flags */
};

/* Of a counter with very many values, an even choice. */
struct counter_value {
	uint64_t time_ns;
	double value;
	uint32_t thread;
	uint32_t site;
};

struct snapshot {
	uint64_t time_ns;
	uint64_t bytes_offset; /* into marks.bytes */
	uint32_t size_bytes;
	uint32_t thread;
	uint32_t site;
	bool is_text;
	bool is_cut; /* the program had more */
};

/* The memory of a process at one moment. */
struct resource_sample {
	uint64_t time_ns;
	uint32_t pid;
	uint32_t run; /* index into profile.runs; 0 when it has none */
	uint64_t rss_bytes;
	uint64_t pss_bytes;	  /* 0: not known */
	uint64_t heap_bytes;	  /* of [heap] */
	uint64_t anonymous_bytes; /* resident, [heap] included */
	uint64_t n_minor_faults;
	uint64_t n_major_faults;
	uint64_t n_voluntary_switches;
	uint64_t n_involuntary_switches;
};

/* What limits all this. */
struct marks_quality {
	uint64_t n_records;	       /* of the library's that arrived */
	uint64_t n_lost;	       /* … that found their ring full */
	uint64_t n_homeless;	       /* … of threads that got no ring */
	uint64_t n_bad;		       /* … that made no sense */
	uint64_t n_sites_dropped;      /* places beyond those that have room */
	uint64_t n_milestones_dropped; /* beyond MARKS_MAX_MILESTONES */
	uint64_t n_snapshots_dropped;  /* the oldest of a name */
	uint64_t n_counters_dropped;   /* values that were thinned out */
	uint64_t n_calls_dropped;      /* single calls with errors beyond what is kept */
	uint64_t n_late_samples;       /* samples whose scope was no longer known */
};

enum {
	MARKS_MAX_MILESTONES = 1 << 20,
	MARKS_MAX_SITES_KEPT = 1 << 16,
	MARKS_MAX_SCOPE_NODES = 1 << 20,
	MARKS_SNAPSHOTS_PER_NAME = 100, /* unless the user says otherwise */
};

struct marks {
	struct mark_site *sites;
	size_t n_sites, sites_capacity;
	struct milestone *milestones;
	size_t n_milestones, milestones_capacity;
	struct scope_tree scopes; /* scope_node.site is an index into sites */
	struct scope_call *calls;
	size_t n_calls, calls_capacity;
	struct counter_value *counters;
	size_t n_counters, counters_capacity;
	struct snapshot *snapshots;
	size_t n_snapshots, snapshots_capacity;
	uint8_t *bytes; /* of the snapshots */
	size_t n_bytes, bytes_capacity;
	struct resource_sample *resources;
	size_t n_resources, resources_capacity;
	struct marks_quality quality;
	bool has_all_calls; /* every call of every scope is in `calls` */
	/*
	 * To be counted up whenever entries that were there before are changed or taken
	 * away (the slowest calls, values thinned out): a file has the list anew then,
	 * instead of what was appended.
	 */
	uint32_t n_calls_rearranged;
	uint32_t n_counters_rearranged;
	uint32_t n_snapshots_rearranged; /* whoever changes `bytes` sets the offsets right */
	uint32_t n_resources_rearranged;
};

/* Nothing but the outside of all scopes.  Returns 0 or -ENOMEM. */
int marks_init(struct marks *marks);
void marks_release(struct marks *marks);

/* Has anybody said anything? */
bool marks_are_there(const struct marks *marks);

/* Appends, returning 0 or -ENOMEM; `ret_id` is the new index and may be NULL. */
int marks_add_site(struct marks *marks, uint32_t *ret_id, const struct mark_site *site);
int marks_add_milestone(struct marks *marks, const struct milestone *milestone);
int marks_add_call(struct marks *marks, const struct scope_call *call);
int marks_add_resource(struct marks *marks, const struct resource_sample *resource);

/* A value that is no number is left out and counted as bad. */
int marks_add_counter(struct marks *marks, const struct counter_value *value);

/* Copies the bytes; `snapshot->bytes_offset` is set here. */
int marks_add_snapshot(struct marks *marks, const struct snapshot *snapshot, const void *bytes);

#endif
