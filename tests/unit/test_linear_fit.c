/* Lines through points, and how well they are known. */
#include "unit.h"

#include <math.h>

#include "base/hash.h"
#include "base/linear_fit.h"

enum { N = 200 };

/* Even on -1 to 1, the same for the same state. */
static double noise(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (double)(hash_u64(*state) >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

static void linear_fit__finds_a_line_exactly(void **state)
{
	double x[N], y[N];
	struct linear_fit fit;

	(void)state;
	for (int i = 0; i < N; i++) {
		x[i] = 1e6 + i / 10.0;
		y[i] = 3e12 - 2.5e6 * x[i];
	}
	assert_true(linear_fit_find(&fit, x, y, N));
	assert_true(fabs(fit.slope + 2.5e6) < 1e-3);
	assert_true(fit.slope_error < 1);
	assert_true(fit.r2 > 0.999999);
}

static void linear_fit__has_none_without_three_points_or_time(void **state)
{
	const double x[] = { 1, 1, 1, 2 };
	const double y[] = { 1, 2, 3, 4 };
	struct linear_fit fit;

	(void)state;
	assert_false(linear_fit_find(&fit, x, y, 0));
	assert_false(linear_fit_find(&fit, x + 2, y, 2));
	assert_false(linear_fit_find(&fit, x, y, 3));
	assert_true(linear_fit_find(&fit, x, y, 4));
}

static void linear_fit__a_level_explains_nothing(void **state)
{
	double x[N], y[N];
	struct linear_fit fit;

	(void)state;
	for (int i = 0; i < N; i++) {
		x[i] = i;
		y[i] = 7e9;
	}
	assert_true(linear_fit_find(&fit, x, y, N));
	assert_true(fit.slope == 0 && fit.slope_error == 0 && fit.r2 == 0);
}

/* The share of 400 series in which the interval has the true slope. */
static double coverage(double resemblance)
{
	uint64_t random = 1;
	int n_hits = 0;

	for (int round = 0; round < 400; round++) {
		double x[N], y[N], rest = 0;
		struct linear_fit fit;

		for (int i = 0; i < N; i++) {
			rest = resemblance * rest + noise(&random);
			x[i] = i;
			y[i] = 0.01 * i + rest;
		}
		assert_true(linear_fit_find(&fit, x, y, N));
		n_hits += fabs(fit.slope - 0.01) <= fit.slope_error;
	}
	return n_hits / 400.0;
}

/*
 * Of 400 intervals 95 % hold the slope, with a standard error of 1.1 points; where
 * each point resembles the last, the correlation is estimated a little low.
 */
static void linear_fit__its_interval_is_one_of_95_percent(void **state)
{
	const double of_noise = coverage(0);
	const double of_series = coverage(0.7);

	(void)state;
	print_message("coverage %.3f, of points that resemble each other %.3f\n", of_noise,
		      of_series);
	assert_true(of_noise > 0.91 && of_noise < 0.99);
	assert_true(of_series > 0.88 && of_series < 0.99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear_fit__finds_a_line_exactly),
		cmocka_unit_test(linear_fit__has_none_without_three_points_or_time),
		cmocka_unit_test(linear_fit__a_level_explains_nothing),
		cmocka_unit_test(linear_fit__its_interval_is_one_of_95_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
