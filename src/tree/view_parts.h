#ifndef TSPROF_TREE_VIEW_PARTS_H
#define TSPROF_TREE_VIEW_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tree/view.h"

/*
 * A sample as the groups of a view have it: whole in one, but for a wait, which goes
 * on through several phases.  The parts add up to what view_clip leaves.
 */
struct view_parts {
	const struct view *view; /* borrowed, with the profile */
	const struct profile *profile;
	struct sample sample;
	uint32_t run;
	uint64_t from_ns, to_ns; /* of a wait, since the start; what is left */
	uint64_t before_ns;	 /* what it has from before the start */
	uint64_t taken_ns;	 /* given out so far */
	uint64_t n_counted;
	bool is_split;
	bool is_done;
};

/*
 * What tells the samples of a thread apart: the state, the kind of phase, the
 * scope's node or the category's string id; 0 when the view goes by none of them.
 */
struct view_part {
	struct sample sample;
	uint32_t group;
};

/* In place of a group: when it was, and so in which, was not sampled. */
#define VIEW_GROUP_UNKNOWN UINT32_MAX

/* Its thread is not looked at. */
void view_parts_init(struct view_parts *parts, const struct view *view,
		     const struct profile *profile, const struct sample *sample);
bool view_parts_next(struct view_parts *parts, struct view_part *ret_part);

/* "loaded → ready", "parse", "[outside scopes]": a group's name; nothing for states. */
void view_part_add_name(const struct view *view, const struct profile *profile, uint32_t group,
			struct buffer *out);

#endif
