#ifndef TSPROF_TREE_SCOPE_WINDOW_H
#define TSPROF_TREE_SCOPE_WINDOW_H

#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/mark_filter.h"
#include "tree/scope_groups.h"

/*
 * The scopes of a part of a run, from its single calls: a call counts, whole,
 * when it begins in the view.  The nodes are those of the profile, so that ids
 * and groups stay good.
 */
struct scope_window {
	struct scope_tree tree;
	uint64_t *outer_ns; /* by node, as scope_groups_outer has it */
};

/* The profile must have all calls.  Returns 0 or -ENOMEM. */
int scope_window_init(struct scope_window *window, const struct mark_filter *filter,
		      const struct scope_groups *groups);
void scope_window_release(struct scope_window *window);

#endif
