#ifndef TSPROF_PROFILE_PROFILE_MERGE_H
#define TSPROF_PROFILE_PROFILE_MERGE_H

#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"

/*
 * Several profiles into one: add each, then finish.
 *
 * Texts, stacks and places in code are stored once.  A module is the same when
 * path, kind and build-id are; with a build-id a place has the first names that
 * any profile knew for it, without one the places of two profiles are the same
 * only when their names are too, so that no name is ever taken from other code.
 * Threads stay apart by run: numbers say nothing across runs.
 *
 * Every run begins at the same moment, that of the first: a time means "so long
 * after the start" in all of them, as clocks of hosts cannot be compared.  The
 * duration is that of the longest; quality figures are summed.
 *
 * Merging is associative: what was merged before counts as the runs it is of.
 */
struct profile_merger {
	struct profile *into; /* borrowed, initialised and empty at the start */
	uint64_t weight_ns;   /* of all samples so far */
	uint64_t n_ticks;
};

/*
 * -EINVAL when the two cannot be one: other architectures, times and counts
 * only, wall time and CPU time, or more than fits.  After a failure `into` is
 * good for nothing but to be released.
 */
int profile_merge_add(struct profile_merger *merger, const struct profile *from, struct error *err);

/* What is said of the whole: for a text all that the runs say.  Returns 0 or -ENOMEM. */
int profile_merge_finish(struct profile_merger *merger);

#endif
