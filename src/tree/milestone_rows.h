#ifndef TSPROF_TREE_MILESTONE_ROWS_H
#define TSPROF_TREE_MILESTONE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * The milestones of a view in order of time, and the phases between successive
 * ones.  Successive are those of the view's threads and scopes whatever the
 * time window, so that a window shows figures as they are without it: a
 * milestone that lies in the window, a phase that begins there.  Runs that were
 * merged are looked at one by one.
 */
struct milestone_row {
	const struct milestone *milestone; /* borrowed from the profile */
	uint64_t at_ns;			   /* since the start of the run */
	uint64_t delta_ns;		   /* since the one before, or the start */
	uint64_t cpu_ns;		   /* sampled in that time in the view's threads, running */
};

/* In place of a name: the start of the run, or its end. */
#define PHASE_EDGE UINT32_MAX

/* All phases from a milestone of one name to one of another. */
struct phase_row {
	uint32_t from; /* ids in profile.strings, or PHASE_EDGE */
	uint32_t to;
	uint64_t n_times;
	uint64_t total_ns;
	uint64_t cpu_ns;
	uint64_t min_ns;
	uint64_t median_ns; /* exact, as the next: of what there is, never between two */
	uint64_t p95_ns;
	uint64_t max_ns;
};

struct milestone_rows {
	struct milestone_row *rows;
	size_t n_rows;
	struct phase_row *phases; /* in the order in which they first occur */
	size_t n_phases;
	uint64_t duration_ns; /* of all runs together */
};

int milestone_rows_build(struct milestone_rows *rows, const struct profile *profile,
			 const struct view *view, struct error *err);
void milestone_rows_release(struct milestone_rows *rows);

#endif
