/* The interval is drawn around the share by weight, so that it always holds the share. */
#include "tree/measure.h"

#include <math.h>

/*
 * As many trials of equal weight would have the same error as the share that
 * `value` has of `all`, to first order: the value's own samples count by how
 * far they are from the share, and so do the others.  Few of equal weight do
 * not make up for the unequal weights of all.
 */
static double trials_of(const struct calltree_value *all, const struct calltree_value *value,
			double share)
{
	const double ran_ns = (double)(all->weight_ns - all->waited_ns);
	const double trials = calltree_value_effective_rows(all);
	const double others_ns2 = all->squares_ns2 - value->squares_ns2;
	const double error_ns2 = value->squares_ns2 * (1 - share) * (1 - share) +
				 fmax(0, others_ns2) * share * share;

	if (!(error_ns2 > 0 && share < 1))
		return trials;
	return fmin(trials, share * (1 - share) * ran_ns * ran_ns / error_ns2);
}

/*
 * Waits are measured, so that only what ran is uncertain: its interval, shrunk
 * to the part that it has in the whole.
 */
static struct interval interval_of_timed(const struct calltree_value *all,
					 const struct calltree_value *value, double share)
{
	const double ran = (double)(all->weight_ns - all->waited_ns);
	const double part = all->weight_ns ? ran / (double)all->weight_ns : 1;
	const double value_ran = (double)(value->weight_ns - value->waited_ns);
	const double share_of_ran = ran > 0 ? fmin(1, value_ran / ran) : 0;
	const struct interval of_ran = interval_of_share(share_of_ran,
							 trials_of(all, value, share_of_ran));

	return (struct interval){
		.low = fmax(0, share - (share_of_ran - of_ran.low) * part),
		.high = fmin(1, share + (of_ran.high - share_of_ran) * part),
	};
}

struct measure measure_of(const struct calltree *tree, const struct calltree_value *value)
{
	const struct calltree_value *all = &tree->whole;
	const uint64_t all_weight = calltree_weight(tree, all);
	struct measure measure = {
		.weight = calltree_weight(tree, value),
		.n_ticks = value->n_ticks,
	};

	if (all_weight > 0)
		measure.share = fmin(1, (double)measure.weight / (double)all_weight);
	if (calltree_is_timed(tree))
		measure.interval = interval_of_timed(all, value, measure.share);
	else
		measure.interval = interval_of_share(measure.share, (double)all->n_ticks);
	return measure;
}
