#ifndef TSPROF_TREE_BREAKDOWN_H
#define TSPROF_TREE_BREAKDOWN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interner.h"
#include "tree/calltree.h"
#include "tree/components.h"

/*
 * Where the time went, by component.  Every sample is in exactly one of them:
 * that which claims the innermost frame claimed by any.  A row includes the
 * rows inside it, and the rows inside add up to it; all topmost rows,
 * UNEXPLAINED among them, add up to TOTAL.
 *
 * Scopes, where the tree has them (view.with_scopes_inside), are frames around all others.
 *
 * Without rules a component is a module, and inside it are the heaviest
 * functions that samples hit there, nameless ones ("[module+0x1234]") too.  Code
 * that is in no file and has no name is unexplained.
 */
enum breakdown_kind {
	BREAKDOWN_COMPONENT,   /* of the rules, or a module */
	BREAKDOWN_FUNCTION,    /* inside a module */
	BREAKDOWN_REST,	       /* what the rows beside it do not say */
	BREAKDOWN_UNEXPLAINED, /* nobody's, and the reasons inside it */
	BREAKDOWN_TOTAL,
	/* Of the wall time of calls only, see tree/per_call.h. */
	BREAKDOWN_WAITING, /* not running, and the reasons inside it */
	BREAKDOWN_DIFFERENCE,
};

struct breakdown_row {
	const char *name; /* borrowed until the breakdown is released */
	enum breakdown_kind kind;
	uint32_t parent;    /* index, smaller than its own; BREAKDOWN_TOP for a topmost row */
	unsigned int depth; /* 0 for topmost rows */
	struct calltree_value value;
};

#define BREAKDOWN_TOP UINT32_MAX

struct breakdown {
	const struct calltree *tree; /* borrowed */
	struct interner names;
	struct breakdown_row *rows; /* in the order to be shown: the last is TOTAL */
	size_t n_rows, rows_capacity;
};

/*
 * `components` is NULL for none; else borrowed until the breakdown is released.
 * The tree must be one of functions.  At most `n_inside` rows are told apart
 * inside a module and inside a reason.  On failure nothing is left to release.
 */
int breakdown_build(struct breakdown *breakdown, const struct calltree *tree,
		    const struct components *components, size_t n_inside, struct error *err);
void breakdown_release(struct breakdown *breakdown);

/* "component", "function", "rest", "unexplained", "total", "waiting", "difference". */
const char *breakdown_kind_key(enum breakdown_kind kind);

#endif
