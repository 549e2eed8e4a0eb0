#ifndef TSPROF_TREE_VIEW_PHASES_H
#define TSPROF_TREE_VIEW_PHASES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tree/moments.h"

/*
 * Every run cut at its milestones.  All phases between milestones of the same
 * two names are one kind, "loaded → ready"; the first begins at "start", the last ends
 * at "end".  Kinds are numbered in the order in which they begin.
 */
struct view_phase {
	uint64_t from_ns; /* since the start of the run; it ends where the next begins */
	uint32_t kind;
};

struct view_phases {
	struct view_phase *phases; /* neighbours of one kind are one */
	size_t n_phases;
	size_t *first; /* by run, and one more: where its phases begin; each has at least one */
	size_t n_runs;
	struct view_phase_kind {
		uint32_t from, to; /* string ids of the milestones; 0: start or end of the run */
	} * kinds;
	size_t n_kinds, kinds_capacity;
};

/* Returns 0 or -ENOMEM. */
int view_phases_init(struct view_phases *phases, const struct moments *moments);
void view_phases_release(struct view_phases *phases);

/* The phase that a run is in; its index. */
size_t view_phases_at(const struct view_phases *phases, uint32_t run, uint64_t since_ns);

/* Where it ends: UINT64_MAX for the last of its run. */
uint64_t view_phase_end_ns(const struct view_phases *phases, uint32_t run, size_t phase);

/* "loaded → ready" */
void view_phases_add_name(const struct view_phases *phases, struct buffer *out,
			  const struct profile *profile, uint32_t kind);

#endif
