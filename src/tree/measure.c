/* The interval is drawn around the share by weight, so that it always holds the share. */
#include "tree/measure.h"

#include <math.h>

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
	n_hits = (uint64_t)(measure.share * (double)n_trials + 0.5);
	measure.interval = interval_of_share(n_hits < n_trials ? n_hits : n_trials, n_trials);
	return measure;
}
