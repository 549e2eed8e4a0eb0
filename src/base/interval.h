#ifndef TSPROF_BASE_INTERVAL_H
#define TSPROF_BASE_INTERVAL_H

/* A confidence interval: of a share each end is between 0 and 1. */
struct interval {
	double low;
	double high;
};

/*
 * The 95 % Wilson score interval for a share, 0 to 1, that `n_trials` gave (E. B.
 * Wilson, JASA 22, 1927): unlike the normal approximation it holds for shares
 * near 0 and 1 and for few trials, which need not be whole where they stand for
 * others of unequal weight.  It treats samples as independent; sampling at fixed
 * intervals usually varies less than that, so it errs on the wide side.
 * No trials: [0, 1].
 */
struct interval interval_of_share(double share, double n_trials);

/*
 * The 95 % score interval for the mean of a Poisson count of which `n` was seen:
 * for events that come independently, however many there could have been.
 * Holds for small counts too: of none it is [0, 3.8].  Need not be whole either.
 */
struct interval interval_of_count(double n);

/* Half of the interval's length: the "±" of a table. */
double interval_half_width(struct interval interval);

#endif
