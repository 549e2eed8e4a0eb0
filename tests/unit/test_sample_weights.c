/* Time between samples of a stream, and what to do where it is not known. */
#include "unit.h"

#include "os/sample_weights.h"

static uint64_t next(struct sample_weights *weights, uint64_t stream_id, uint64_t value)
{
	const struct sampler_record record = { .stream_id = stream_id,
					       .read_value = value,
					       .read_time_ns = 2 * value };

	return sample_weights_next(weights, &record);
}

static void weights__are_differences_within_a_stream(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .has_counts = true, .is_time = true };

	(void)state;
	assert_int_equal(next(&weights, 1, 1000), 1000);
	assert_int_equal(next(&weights, 2, 1500), 1500);
	assert_int_equal(next(&weights, 1, 4000), 3000);
	assert_int_equal(next(&weights, 2, 2500), 1000);
	sample_weights_release(&weights);
}

static void weights__start_anew_when_a_count_falls(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .has_counts = true, .is_time = true };

	(void)state;
	assert_int_equal(next(&weights, 1, 5000), 5000);
	assert_int_equal(next(&weights, 1, 1000), 1000);
	sample_weights_release(&weights);
}

static void weights__are_a_period_without_counts(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .is_time = true };

	(void)state;
	assert_int_equal(next(&weights, 1, 5000), 1000);
	sample_weights_release(&weights);
}

static void weights__never_hold_unsampled_kernel_time(void **state)
{
	struct sample_weights weights = {
		.period_ns = 1000, .has_counts = true, .is_time = true, .is_capped = true
	};

	(void)state;
	assert_int_equal(next(&weights, 1, 5000), 1000);
	assert_int_equal(next(&weights, 1, 5500), 500);
	sample_weights_release(&weights);
}

static void weights__of_counted_events_are_running_time(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .has_counts = true };

	(void)state;
	assert_int_equal(next(&weights, 1, 5000), 10000);
	sample_weights_release(&weights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights__are_differences_within_a_stream),
		cmocka_unit_test(weights__start_anew_when_a_count_falls),
		cmocka_unit_test(weights__are_a_period_without_counts),
		cmocka_unit_test(weights__never_hold_unsampled_kernel_time),
		cmocka_unit_test(weights__of_counted_events_are_running_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
