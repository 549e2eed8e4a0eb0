#ifndef TSPROF_TREE_PER_CALL_H
#define TSPROF_TREE_PER_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interval.h"
#include "model/sample_state.h"
#include "tree/breakdown.h"
#include "tree/scope_calls.h"
#include "tree/view.h"

/*
 * Where the time of a call goes, on average over many: samples taken inside the
 * scope, divided by the number of its calls.  The scope may be far shorter than
 * the time between two samples.
 *
 * TOTAL is the mean that the scope's own begins and ends measured, on the
 * wall clock.  Components and UNEXPLAINED are CPU time by samples, WAITING is time in which the
 * thread did not run: as recorded, where it was, else what the samples leave of
 * TOTAL.  What recorded waiting leaves over, or sampled time that is more than TOTAL, is DIFFERENCE
 * and may be negative.  So topmost rows always add up to TOTAL.
 *
 * The error is that of counting samples: they come independently of where in a call the
 * program is, so that a row's count is Poisson.  Waiting that was recorded is measured and has
 * none.
 */
struct per_call_row {
	const char *name; /* borrowed from the breakdown, or static */
	enum breakdown_kind kind;
	uint32_t parent;    /* index, smaller than its own; BREAKDOWN_TOP for a topmost row */
	unsigned int depth; /* 0 for topmost rows */
	double mean_ns;
	struct interval interval_ns; /* 95 %; meaningless unless … */
	bool has_interval;
	double share; /* of TOTAL */
	uint64_t n_samples;
};

struct per_call {
	const char *scope; /* borrowed */
	struct scope_calls calls;
	struct per_call_row cpu;   /* all samples together */
	bool has_waits;		   /* waiting was recorded */
	struct per_call_row *rows; /* in the order to be shown: the last is TOTAL */
	size_t n_rows;
};

/* Waiting inside the scope by reason, recorded. */
struct per_call_waits {
	uint64_t waited_ns[SAMPLE_N_STATES];
	bool has_waits; /* waiting was recorded, if only elsewhere */
};

void per_call_find_waits(struct per_call_waits *waits, const struct profile *profile,
			 const struct view *view);

/*
 * The breakdown is one of running samples inside the scope `name`, of timed samples, and
 * outlives the result, as `name` does.  -EINVAL as scope_calls_find.
 */
int per_call_build(struct per_call *per_call, const struct breakdown *breakdown,
		   const struct scope_calls *calls, const struct per_call_waits *waits,
		   const char *name, struct error *err);
void per_call_release(struct per_call *per_call);

#endif
