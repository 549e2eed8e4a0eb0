#ifndef TSPROF_TREE_SCOPE_GROUPS_H
#define TSPROF_TREE_SCOPE_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/mark_filter.h"

/*
 * The nodes of a scope tree by what a user calls them: all of one name and
 * category are one group, wherever in the program and in the tree they are.
 */
struct scope_group {
	uint32_t name; /* ids in profile.strings */
	uint32_t category;
};

struct scope_groups {
	struct scope_group *groups;
	size_t n_groups, groups_capacity;
	uint32_t *group_of; /* by node; meaningless for node 0 */
};

int scope_groups_init(struct scope_groups *groups, const struct profile *profile,
		      struct error *err);
void scope_groups_release(struct scope_groups *groups);

/* The node that this one is in; 0, the outside, also where a file says nonsense. */
static inline uint32_t scope_parent(const struct scope_tree *tree, uint32_t node)
{
	return tree->nodes[node].parent < node ? tree->nodes[node].parent : 0;
}

/*
 * What each node of the profile adds to the time of its group, so that a scope
 * within one of its own group counts once: nothing where one of the group is around
 * it, unless that one knows of less time than is inside (it never ended).  What
 * is not in the view's scopes adds nothing and is around nothing.  `outer_ns` has room for
 * every node.  Returns 0 or -ENOMEM.
 */
int scope_groups_outer(const struct scope_groups *groups, const struct mark_filter *filter,
		       uint64_t *outer_ns);

#endif
