#ifndef TSPROF_MODEL_MARKS_H
#define TSPROF_MODEL_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/mark_records.h"
#include "model/scope_tree.h"

/*
 * What the program, or somebody about it, said of what it was doing, as a part
 * of a profile.  All text is an id in profile.strings (0: none), times are
 * CLOCK_MONOTONIC.  Arrays grow in the order in which things became known, which is
 * nearly that of time; views sort.  Sites, scopes and milestones only grow; for the
 * others see n_calls_rearranged.
 */

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
