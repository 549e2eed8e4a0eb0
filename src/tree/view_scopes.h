#ifndef TSPROF_TREE_VIEW_SCOPES_H
#define TSPROF_TREE_VIEW_SCOPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"

/*
 * The scopes that are looked at, as nodes of profile.marks.scopes: those that
 * have the name, or the category, and all inside them.  What is nested in itself is
 * in it once.
 */
struct view_scopes {
	bool *has_node; /* by scope node; NULL: all */
	size_t n_nodes;
};

/*
 * Name and category are globs, or NULL; given both, a sample is in a scope of that name and
 * in one of that category.  -EINVAL where nothing is called so, saying what is.
 */
int view_scopes_init(struct view_scopes *scopes, const struct profile *profile, const char *name,
		     const char *category, struct error *err);
void view_scopes_release(struct view_scopes *scopes);

static inline bool view_scopes_have(const struct view_scopes *scopes, uint32_t node)
{
	return !scopes->has_node || (node < scopes->n_nodes && scopes->has_node[node]);
}

/* What is known of calls in the whole run. */
struct view_calls {
	uint64_t n_calls; /* that ended */
	uint64_t total_ns;
	uint32_t sample_rate; /* of some scope only one call in so many was recorded; 1: all were */
};

/* Those of the scopes, apart from calls inside others of them; node 0 is no scope. */
struct view_calls view_scopes_calls(const struct view_scopes *scopes,
				    const struct profile *profile);

/* Has anybody opened a scope? */
bool profile_has_scopes(const struct profile *profile);

/* String ids of a scope node's name and category; 0 for the outside of all and for none. */
uint32_t scope_name(const struct profile *profile, uint32_t node);
uint32_t scope_category(const struct profile *profile, uint32_t node);

/* The name, or a glob that fits it? */
bool scope_is_called(const struct profile *profile, uint32_t node, const char *wanted);

/* The category of the innermost scope around that has one, by scope node, to be freed. */
uint32_t *scope_categories(const struct profile *profile);

#endif
