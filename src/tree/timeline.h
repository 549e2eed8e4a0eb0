#ifndef TSPROF_TREE_TIMELINE_H
#define TSPROF_TREE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * All that is known of single moments of a view, in order of time: milestones,
 * the calls of scopes that were kept, values of counters, snapshots and the memory of processes.
 *
 * At most `max` entries.  Each kind has an equal share of them; what one does
 * not need goes to the others.  Of calls those that failed are taken, then the
 * longest; of the rest an even choice with the first and the last.
 */
enum timeline_kind {
	TIMELINE_MILESTONE,
	TIMELINE_SCOPE,
	TIMELINE_COUNTER,
	TIMELINE_SNAPSHOT,
	TIMELINE_MEMORY,
	TIMELINE_N_KINDS,
};

struct timeline_entry {
	uint64_t at_ns; /* since the start of the run */
	size_t index;	/* into the array of profile.marks that the kind is in */
	enum timeline_kind kind;
};

struct timeline {
	struct timeline_entry *entries;
	size_t n_entries;
	size_t n_left_out[TIMELINE_N_KINDS];
};

int timeline_build(struct timeline *timeline, const struct profile *profile,
		   const struct view *view, size_t max, struct error *err);
void timeline_release(struct timeline *timeline);

#endif
