/* Shares of a tree's whole, and how well they are known where samples weigh differently. */
#include "unit.h"

#include <math.h>

#include "base/hash.h"
#include "tree/measure.h"

#define MS 1000000ULL

enum { N_SERIES = 1000, N_SAMPLES = 600 };

static double random_share(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (double)(hash_u64(*state) >> 11) / (double)(UINT64_C(1) << 53);
}

static void add(struct calltree_value *value, uint64_t weight_ns, enum sample_state state)
{
	const struct sample sample = { .weight_ns = weight_ns,
				       .count = 1,
				       .state = (uint8_t)state };
	const struct calltree_value more = calltree_value_of(&sample);

	calltree_value_add(value, &more);
}

static void add_rows(struct calltree *tree, struct calltree_value *value, int n, uint64_t weight_ns)
{
	for (int i = 0; i < n; i++) {
		add(&tree->whole, weight_ns, SAMPLE_RUNNING);
		if (value)
			add(value, weight_ns, SAMPLE_RUNNING);
	}
}

static void assert_near(double is, double expected, double tolerance)
{
	if (!(fabs(is - expected) <= tolerance))
		fail_msg("%.9g is not %.9g ± %g", is, expected, tolerance);
}

static void measure__of_equal_weights_has_wilsons_interval(void **state)
{
	const struct profile profile = { .info = { .has_times = true } };
	struct calltree tree = { .profile = &profile };
	struct calltree_value value = { 0 };
	struct measure measure;

	(void)state;
	add_rows(&tree, &value, 30, MS);
	add_rows(&tree, NULL, 70, MS);
	measure = measure_of(&tree, &value);
	assert_near(measure.share, 0.3, 1e-9);
	/* By hand: the centre is 0.307400, half of the width 0.088450. */
	assert_near(measure.interval.low, 0.218949, 1e-5);
	assert_near(measure.interval.high, 0.395849, 1e-5);
	measure = measure_of(&tree, &(struct calltree_value){ 0 });
	assert_near(measure.interval.low, 0, 1e-9);
	assert_near(measure.interval.high, 0.036993, 1e-5);
	measure = measure_of(&tree, &tree.whole);
	assert_near(measure.interval.high, 1, 1e-9);
}

/* A wait that is half of the whole is known, so that half as much is uncertain. */
static void measure__of_waits_is_as_sure_as_they_are_measured(void **state)
{
	const struct profile profile = { .info = { .has_times = true } };
	struct calltree tree = { .profile = &profile };
	struct calltree_value value = { 0 };
	struct measure measure;

	(void)state;
	add_rows(&tree, &value, 30, MS);
	add_rows(&tree, NULL, 70, MS);
	add(&tree.whole, 100 * MS, SAMPLE_LOCK);
	measure = measure_of(&tree, &value);
	assert_near(measure.share, 0.15, 1e-9);
	assert_near(interval_half_width(measure.interval), 0.088450 / 2, 1e-5);
}

/* Runs at 100 and at 1,000 Hz in one tree: who was in the first alone is known less well. */
static void measure__of_two_rates_goes_by_the_rate_of_each(void **state)
{
	const struct profile profile = { .info = { .has_times = true } };
	struct calltree tree = { .profile = &profile };
	struct calltree_value slow = { 0 };
	struct calltree_value fast = { 0 };
	double of_slow;
	double of_fast;

	(void)state;
	add_rows(&tree, &slow, 500, 10 * MS);
	add_rows(&tree, NULL, 500, 10 * MS);
	add_rows(&tree, &fast, 5000, MS);
	add_rows(&tree, NULL, 5000, MS);
	assert_near(calltree_value_effective_rows(&tree.whole), 400.0 / 0.11, 1e-6);
	of_slow = interval_half_width(measure_of(&tree, &slow).interval);
	of_fast = interval_half_width(measure_of(&tree, &fast).interval);
	/* 1.96 √(500 10² 0.75² + (500 10² + 10,000) 0.25²) / 20,000: in milliseconds. */
	assert_near(of_slow, 0.01750, 5e-5);
	/* And never narrower than all samples together allow. */
	assert_near(of_fast, 1.96 * sqrt(0.25 * 0.75 * 0.11 / 400), 5e-5);
}

struct coverage {
	double by_weight;
	double by_count; /* as if all samples were of the same weight */
};

/*
 * The share of series in which the interval has the true one: samples of 1 ms, and one in
 * `every` of `heavy_ms`, as where others have the ticks for a while.
 */
static struct coverage coverage_of(double share, double every, uint64_t heavy_ms)
{
	const struct profile profile = { .info = { .has_times = true } };
	struct coverage coverage = { 0 };
	uint64_t random = 1;

	for (int round = 0; round < N_SERIES; round++) {
		struct calltree tree = { .profile = &profile };
		struct calltree_value value = { 0 };
		struct measure measure;
		struct interval by_count;

		for (int i = 0; i < N_SAMPLES; i++) {
			const bool is_heavy = random_share(&random) * every < 1;
			const bool is_hit = random_share(&random) < share;

			add_rows(&tree, is_hit ? &value : NULL, 1, is_heavy ? heavy_ms * MS : MS);
		}
		measure = measure_of(&tree, &value);
		by_count = interval_of_share(measure.share, N_SAMPLES);
		coverage.by_weight += measure.interval.low <= share &&
				      share <= measure.interval.high;
		coverage.by_count += by_count.low <= share && share <= by_count.high;
	}
	coverage.by_weight /= N_SERIES;
	coverage.by_count /= N_SERIES;
	return coverage;
}

/*
 * Of 1,000 intervals 95 % hold the share, with a standard error of 0.7 points; that the error is
 * one of first order, and of few heavy samples, may take another two.
 */
static void measure__its_interval_is_one_of_95_percent(void **state)
{
	const double shares[] = { 0.5, 0.2, 0.05 };

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		const struct coverage even = coverage_of(shares[i], 1, 1);
		const struct coverage uneven = coverage_of(shares[i], 10, 20);

		print_message("share %.2f: coverage %.3f, of uneven samples %.3f (by count %.3f)\n",
			      shares[i], even.by_weight, uneven.by_weight, uneven.by_count);
		assert_true(even.by_weight > 0.915);
		assert_true(uneven.by_weight > 0.915);
		assert_true(uneven.by_count < 0.85);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measure__of_equal_weights_has_wilsons_interval),
		cmocka_unit_test(measure__of_waits_is_as_sure_as_they_are_measured),
		cmocka_unit_test(measure__of_two_rates_goes_by_the_rate_of_each),
		cmocka_unit_test(measure__its_interval_is_one_of_95_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
