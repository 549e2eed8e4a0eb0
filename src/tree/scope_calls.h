#ifndef TSPROF_TREE_SCOPE_CALLS_H
#define TSPROF_TREE_SCOPE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/view.h"

/*
 * How often a scope was called and how long that took, for averages per call.
 * Of calls inside each other only the outermost counts, with all that is inside.
 *
 * The whole run's calls are counted by the recorder.  For a part of it single
 * calls have to be there; one that reaches over an end of the part counts for
 * the share of it that is inside, so that the mean stays that of whole calls.
 */
struct scope_calls {
	double n_calls;	       /* that were recorded, of which … */
	double total_ns;       /* … this is the time */
	double n_estimated;    /* with those that sample_rate left out */
	double deviation_ns;   /* of single calls; 0 when not known */
	bool is_estimate;      /* some were left out */
	uint64_t n_inner;      /* calls inside others, which are a part of those */
	uint64_t n_open;       /* of n_calls: had not ended at the end, and count until then */
	uint64_t n_unfinished; /* never ended, and how long they took is not known: not counted */
};

/*
 * Of the scopes that the view, which is resolved, is in.  -EINVAL when it is of a part of the
 * run and calls are only counted, and when none ended.
 */
int scope_calls_find(struct scope_calls *calls, const struct profile *profile,
		     const struct view *view, struct error *err);

/* 0 when there are none. */
static inline double scope_calls_mean_ns(const struct scope_calls *calls)
{
	return calls->n_calls > 0 ? calls->total_ns / calls->n_calls : 0;
}

#endif
