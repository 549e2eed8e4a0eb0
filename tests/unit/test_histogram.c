/* Buckets, their limits, and percentiles against sorted numbers. */
#include "unit.h"

#include <stdbool.h>

#include "base/histogram.h"

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 16;
}

static int compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left;
	const uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static void histogram_bucket__is_where_it_says_it_starts(void **state)
{
	(void)state;
	for (size_t i = 0; i < HISTOGRAM_MAX_BUCKETS; i++) {
		const uint64_t start = histogram_bucket_start(i);

		assert_int_equal(histogram_bucket(start), i);
		if (i)
			assert_int_equal(histogram_bucket(start - 1), i - 1);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_MAX_BUCKETS - 1);
}

static void percentile__is_within_one_percent(void **state)
{
	enum { N = 20000 };
	static const double shares[] = { 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999 };
	uint64_t *values = calloc(N, sizeof(*values));
	struct histogram histogram = { 0 };
	uint64_t seed = 7;

	(void)state;
	assert_non_null(values);
	for (size_t i = 0; i < N; i++) {
		/* From nanoseconds to hours: every number of bits is as frequent. */
		values[i] = next_random(&seed) >> (next_random(&seed) % 48);
		assert_int_equal(histogram_add(&histogram, values[i], 1), 0);
	}
	qsort(values, N, sizeof(*values), compare);
	for (size_t i = 0; i < N_ITEMS(shares); i++) {
		const double truth = (double)values[(size_t)(shares[i] * N) - 1];
		const double found = (double)histogram_percentile(&histogram, shares[i]);

		assert_true(found >= truth * 0.99 - 0.5 && found <= truth * 1.01 + 0.5);
	}
	assert_int_equal(histogram_percentile(&histogram, 0), values[0]);
	assert_int_equal(histogram_percentile(&histogram, 1), values[N - 1]);
	histogram_release(&histogram);
	free(values);
}

static void percentile__of_one_number_is_that_number(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
	assert_int_equal(histogram_add(&histogram, UINT64_MAX, 3), 0);
	assert_int_equal(histogram_percentile(&histogram, 0.5), UINT64_MAX);
	assert_int_equal(histogram.n_values, 3);
	histogram_release(&histogram);
}

static void histogram_merge__is_as_if_all_were_added_to_one(void **state)
{
	struct histogram parts[2] = { 0 };
	struct histogram whole = { 0 };
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		const uint64_t value = next_random(&seed) >> (i % 40);

		assert_int_equal(histogram_add(&parts[i % 3 == 0], value, 1), 0);
		assert_int_equal(histogram_add(&whole, value, 1), 0);
	}
	assert_int_equal(histogram_merge(&parts[0], &parts[1]), 0);
	assert_int_equal(parts[0].n_values, whole.n_values);
	for (int percent = 0; percent <= 100; percent++)
		assert_int_equal(histogram_percentile(&parts[0], percent / 100.0),
				 histogram_percentile(&whole, percent / 100.0));
	histogram_release(&parts[0]);
	histogram_release(&parts[1]);
	histogram_release(&whole);
}

static void histogram_merge_times__counts_each_as_many(void **state)
{
	struct histogram part = { 0 };
	struct histogram whole = { 0 };

	(void)state;
	for (uint64_t value = 1; value <= 1000; value++)
		assert_int_equal(histogram_add(&part, value, 1), 0);
	assert_int_equal(histogram_add(&whole, 5000, 10), 0);
	assert_int_equal(histogram_merge_times(&whole, &part, 100), 0);
	assert_int_equal(whole.n_values, 100010);
	assert_int_equal(histogram_percentile(&whole, 0.5), histogram_percentile(&part, 0.5));
	assert_int_equal(whole.min, 1);
	assert_int_equal(whole.max, 5000);
	assert_int_equal(histogram_merge_times(&whole, &part, UINT64_MAX), 0);
	assert_int_equal(whole.n_values, UINT64_MAX);
	histogram_release(&part);
	histogram_release(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histogram_bucket__is_where_it_says_it_starts),
		cmocka_unit_test(percentile__is_within_one_percent),
		cmocka_unit_test(percentile__of_one_number_is_that_number),
		cmocka_unit_test(histogram_merge__is_as_if_all_were_added_to_one),
		cmocka_unit_test(histogram_merge_times__counts_each_as_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
