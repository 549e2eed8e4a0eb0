#ifndef TSPROF_BASE_LINEAR_FIT_H
#define TSPROF_BASE_LINEAR_FIT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The line through points that comes nearest to them in y, by least squares.
 *
 * Points of a series in time resemble the ones before them, which makes a line
 * look better known than it is: the error is widened by their correlation
 * (first-order autoregressive residuals).
 */
struct linear_fit {
	double slope;
	double slope_error; /* half of its 95 % confidence interval */
	double r2;	    /* share of the variance of y that the line explains, 0 to 1 */
};

/* False for fewer than three points, or when all are at one x. */
bool linear_fit_find(struct linear_fit *ret_fit, const double *x, const double *y, size_t n);

#endif
