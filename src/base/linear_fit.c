/* Sums of squares around the means, so that large numbers keep their digits. */
#include "base/linear_fit.h"

#include <math.h>

/* Of the normal distribution: two sides of 2.5 %. */
#define Z_95 1.96

/* A series that hardly moves on its own is known no better than this. */
#define MAX_CORRELATION 0.95

static double mean_of(const double *numbers, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += numbers[i];
	return sum / (double)n;
}

/* How alike one residual and the next are, 0 to MAX_CORRELATION. */
static double residual_correlation(const double *x, const double *y, size_t n, double slope)
{
	const double mean_x = mean_of(x, n);
	const double mean_y = mean_of(y, n);
	double squares = 0, products = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		const double residual = y[i] - mean_y - slope * (x[i] - mean_x);

		squares += residual * residual;
		products += i ? residual * last : 0;
		last = residual;
	}
	if (squares <= 0 || products <= 0)
		return 0;
	return fmin(products / squares, MAX_CORRELATION);
}

bool linear_fit_find(struct linear_fit *ret_fit, const double *x, const double *y, size_t n)
{
	const double mean_x = n ? mean_of(x, n) : 0;
	const double mean_y = n ? mean_of(y, n) : 0;
	double xx = 0, xy = 0, yy = 0, variance, correlation;

	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mean_x) * (x[i] - mean_x);
		xy += (x[i] - mean_x) * (y[i] - mean_y);
		yy += (y[i] - mean_y) * (y[i] - mean_y);
	}
	if (n < 3 || xx <= 0)
		return false;
	correlation = residual_correlation(x, y, n, xy / xx);
	variance = fmax(yy - xy * xy / xx, 0) / (double)(n - 2);
	*ret_fit = (struct linear_fit){
		.slope = xy / xx,
		.slope_error = Z_95 * sqrt(variance / xx * (1 + correlation) / (1 - correlation)),
		.r2 = yy > 0 ? fmin(xy * xy / (xx * yy), 1) : 0,
	};
	return true;
}
