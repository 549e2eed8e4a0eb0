#ifndef TSPROF_TREE_CALL_ROWS_H
#define TSPROF_TREE_CALL_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/mark_filter.h"
#include "tree/view.h"

/*
 * Single calls of scopes that were kept and begin in the view.  Unless the
 * profile has all calls they are the slowest ones of the whole run and those with
 * errors, so a window may have had others.
 */
struct call_rows {
	const struct scope_call **calls; /* borrowed from the profile */
	size_t n_calls;
};

enum call_choice {
	CALLS_SLOWEST, /* all, the slowest first */
	CALLS_FAILED,  /* those with errors, in order of time */
	CALLS_IN_ORDER /* all, in order of time */
};

int call_rows_build(struct call_rows *rows, const struct profile *profile, const struct view *view,
		    enum call_choice choice, struct error *err);
void call_rows_release(struct call_rows *rows);

/* Calls that failed alike: of one scope, for the same reason. */
struct failure_row {
	uint32_t name; /* ids in profile.strings */
	uint32_t message;
	uint64_t n_calls;
	uint64_t first_ns; /* since the start of the run */
	uint64_t last_ns;
};

struct failure_rows {
	struct failure_row *rows; /* the most frequent first */
	size_t n_rows;
};

/* `failed` are those with errors.  Returns 0 or -ENOMEM. */
int failure_rows_build(struct failure_rows *rows, const struct profile *profile,
		       const struct call_rows *failed);
void failure_rows_release(struct failure_rows *rows);

struct mark_place call_place(const struct profile *profile, const struct scope_call *call);

/* The site of a call; UINT32_MAX for one that makes no sense. */
uint32_t call_site(const struct profile *profile, const struct scope_call *call);

#endif
