#ifndef TSPROF_BASE_INTERVAL_H
#define TSPROF_BASE_INTERVAL_H

#include <stdint.h>

/* A confidence interval: of a share each end is between 0 and 1. */
struct interval {
	double low;
	double high;
};

/*
 * The 95 % Wilson score interval for `n_hits` of `n_trials` (E. B. Wilson,
 * JASA 22, 1927): unlike the normal approximation it holds for shares near 0
 * and 1 and for few trials.  It treats samples as independent; sampling at
 * fixed intervals usually varies less than that, so it errs on the wide side.
 * No trials: [0, 1].
 */
struct interval interval_of_share(uint64_t n_hits, uint64_t n_trials);

/*
 * The 95 % score interval for the mean of a Poisson count of which `n` was seen:
 * for events that come independently, however many there could have been.
 * Holds for small counts too: of none it is [0, 3.8].
 */
struct interval interval_of_count(uint64_t n);

/* Half of the interval's length: the "±" of a table. */
double interval_half_width(struct interval interval);

#endif
