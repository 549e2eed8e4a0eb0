/* The interval is drawn around the share by weight, so that it always holds the share. */
#include "tree/measure.h"

#include <math.h>

/*
 * Waits are measured, so that only what ran is uncertain: its interval, shrunk
 * to the part that it has in the whole.
 */
static struct interval interval_of_mixture(const struct calltree_value *all,
					   const struct calltree_value *value, double share)
{
	const double ran = (double)(all->weight_ns - all->waited_ns);
	const double part = ran / (double)all->weight_ns;
	const double share_of_ran = ran > 0 ? (double)(value->weight_ns - value->waited_ns) / ran
					    : 0;
	const uint64_t n_hits = (uint64_t)(share_of_ran * (double)all->n_rows + 0.5);
	const struct interval of_ran =
		interval_of_share(n_hits < all->n_rows ? n_hits : all->n_rows, all->n_rows);

	return (struct interval){
		.low = fmax(0, share - (share_of_ran - of_ran.low) * part),
		.high = fmin(1, share + (of_ran.high - share_of_ran) * part),
	};
}

struct measure measure_of(const struct calltree *tree, const struct calltree_value *value)
{
	const struct calltree_value *all = &tree->whole;
	const uint64_t all_weight = calltree_weight(tree, all);
	const uint64_t n_trials = tree->profile->info.has_times ? all->n_rows : all->n_ticks;
	struct measure measure = {
		.weight = calltree_weight(tree, value),
		.n_ticks = value->n_ticks,
	};
	uint64_t n_hits;

	if (all_weight > 0)
		measure.share = fmin(1, (double)measure.weight / (double)all_weight);
	if (all->waited_ns) {
		measure.interval = interval_of_mixture(all, value, measure.share);
		return measure;
	}
	n_hits = (uint64_t)(measure.share * (double)n_trials + 0.5);
	measure.interval = interval_of_share(n_hits < n_trials ? n_hits : n_trials, n_trials);
	return measure;
}
