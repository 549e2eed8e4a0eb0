/* Closed-form share intervals; see the header for the source of the formula. */
#include "base/interval.h"

#include <math.h>

#define Z_95 1.959963984540054 /* the 97.5 % quantile of the normal distribution */

struct interval interval_of_share(double share, double n_trials)
{
	const double n = n_trials;
	const double centre = share + Z_95 * Z_95 / (2 * n);
	const double spread = Z_95 * sqrt(share * (1 - share) / n + Z_95 * Z_95 / (4 * n * n));
	const double scale = 1 + Z_95 * Z_95 / n;

	if (!(n > 0))
		return (struct interval){ .low = 0, .high = 1 };
	return (struct interval){ .low = fmax(0, (centre - spread) / scale),
				  .high = fmin(1, (centre + spread) / scale) };
}

struct interval interval_of_count(double n)
{
	const double centre = n + Z_95 * Z_95 / 2;
	const double spread = Z_95 * sqrt(n + Z_95 * Z_95 / 4);

	return (struct interval){ .low = fmax(0, centre - spread), .high = centre + spread };
}

double interval_half_width(struct interval interval)
{
	return (interval.high - interval.low) / 2;
}
