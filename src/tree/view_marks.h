#ifndef TSPROF_TREE_VIEW_MARKS_H
#define TSPROF_TREE_VIEW_MARKS_H

#include "tree/view_phases.h"
#include "tree/view_scopes.h"
#include "tree/view_window.h"

/* What view_resolve finds in the marks of a profile; all zero: nothing was asked for. */
struct view_marks {
	struct view_window window;
	struct view_scopes scopes;
	struct view_phases phases; /* for VIEW_BY_PHASE */
	uint32_t *categories;	   /* for VIEW_BY_CATEGORY: scope_categories */
};

#endif
