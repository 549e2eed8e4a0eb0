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

/* Nothing that was counted once is counted again. */
static void weights__are_a_period_when_a_count_falls(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .has_counts = true, .is_time = true };

	(void)state;
	assert_int_equal(next(&weights, 1, 500000), 500000);
	assert_int_equal(next(&weights, 1, 499990), 1000);
	assert_int_equal(next(&weights, 1, 501000), 1010);
	sample_weights_release(&weights);
}

struct step {
	uint32_t tid;
	uint32_t cpu;
	bool is_after_loss;
	uint64_t stream_id;
	uint64_t value;
	uint64_t weight_ns;
};

/* Stream 1 is the event of the command, all others were inherited from it. */
static void weights__follow_the_thread_where_samples_were_lost(void **state)
{
	static const struct step steps[] = {
		{ 10, 0, false, 1, 1000, 1000 },
		/* A child, one of its samples with its parent's id. */
		{ 11, 0, false, 2, 5000, 5000 },
		{ 11, 0, true, 1, 90000, 85000 },
		{ 11, 0, false, 2, 91000, 1000 },
		/* The parent goes on where it was. */
		{ 10, 0, false, 1, 2000, 1000 },
		/* The same child on another CPU, where its first samples were lost. */
		{ 11, 1, true, 1, 30000, 30000 },
		{ 11, 1, true, 1, 32000, 2000 },
		{ 11, 1, false, 3, 33000, 1000 },
		{ 11, 0, false, 2, 92000, 1000 },
		/* A thread that has the number of one that ended. */
		{ 11, 0, false, 4, 95000, 95000 },
		{ 11, 0, true, 1, 99000, 4000 },
		/* An exec makes thread 12 the one that 10 was. */
		{ 12, 0, false, 5, 7000, 7000 },
		{ 10, 0, false, 5, 8000, 1000 },
		{ 10, 0, true, 1, 9500, 1500 },
	};
	struct sample_weights weights = {
		.period_ns = 1000, .has_counts = true, .is_time = true, .is_inherited = true
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(steps); i++) {
		const struct step *step = &steps[i];
		const struct sampler_record record = { .tid = step->tid,
						       .sample.cpu = step->cpu,
						       .is_after_loss = step->is_after_loss,
						       .stream_id = step->stream_id,
						       .read_value = step->value };
		const uint64_t weight_ns = sample_weights_next(&weights, &record);

		if (weight_ns != step->weight_ns)
			fail_msg("step %zu: %llu ns", i, (unsigned long long)weight_ns);
	}
	sample_weights_release(&weights);
}

/* All threads of a CPU are one stream, and nothing is inherited. */
static void weights__of_the_whole_system_go_by_the_event(void **state)
{
	struct sample_weights weights = { .period_ns = 1000, .has_counts = true, .is_time = true };
	struct sampler_record record = { .tid = 5, .stream_id = 1, .read_value = 1000 };

	(void)state;
	assert_int_equal(sample_weights_next(&weights, &record), 1000);
	record.tid = 6;
	record.is_after_loss = true;
	record.read_value = 8000;
	assert_int_equal(sample_weights_next(&weights, &record), 7000);
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

/* Samples without a count, of a period each, between those that have one. */
static void weights__of_periods_are_part_of_the_count(void **state)
{
	static const struct {
		uint32_t tid;
		uint64_t value; /* 0: a period */
		uint64_t weight_ns;
	} steps[] = {
		{ 10, 1000, 1000 },
		{ 10, 0, 1000 },
		{ 10, 0, 1000 },
		{ 10, 4010, 1010 },
		{ 10, 0, 1000 },
		{ 10, 7010, 2000 }, /* one was missed */
		/* The first of a thread was lost. */
		{ 11, 0, 1000 },
		{ 11, 0, 1000 },
		{ 11, 5000, 3000 },
		{ 11, 0, 1000 },
		{ 11, 7000, 1000 },
		{ 10, 8010, 1000 },
	};
	struct sample_weights weights = {
		.period_ns = 1000, .has_counts = true, .is_time = true, .is_inherited = true
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(steps); i++) {
		const struct sampler_record record = { .tid = steps[i].tid,
						       .stream_id = steps[i].tid,
						       .read_value = steps[i].value };

		assert_int_equal(steps[i].value ? sample_weights_next(&weights, &record)
						: sample_weights_period(&weights, &record),
				 steps[i].weight_ns);
	}
	sample_weights_release(&weights);
	weights = (struct sample_weights){ .period_ns = 1000 };
	assert_int_equal(sample_weights_period(&weights, &(struct sampler_record){ .tid = 1 }),
			 1000);
	assert_int_equal(weights.n_streams, 0);
}

/* An exec ends the others of its process; who did it goes on by the leader's number. */
static void weights__of_periods_follow_an_exec(void **state)
{
	static const struct {
		uint32_t tid;
		uint64_t stream_id;
		uint64_t value; /* 0: a period */
		uint64_t weight_ns;
	} steps[] = {
		{ 12, 2, 1000, 1000 },
		{ 10, 1, 5000, 5000 }, /* the leader, seen last */
		{ 10, 2, 2000, 1000 }, /* … and its number is the other's */
		{ 10, 0, 0, 1000 },
		{ 10, 2, 4010, 1010 },
		{ 10, 0, 0, 1000 },
		/* A thread that gets the number which is free now. */
		{ 12, 3, 700, 700 },
		{ 12, 0, 0, 1000 },
		{ 12, 3, 2700, 1000 },
		{ 10, 2, 6010, 1000 },
	};
	struct sample_weights weights = {
		.period_ns = 1000, .has_counts = true, .is_time = true, .is_inherited = true
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(steps); i++) {
		const struct sampler_record record = { .tid = steps[i].tid,
						       .stream_id = steps[i].stream_id,
						       .read_value = steps[i].value };
		const uint64_t weight_ns = steps[i].value
						   ? sample_weights_next(&weights, &record)
						   : sample_weights_period(&weights, &record);

		if (weight_ns != steps[i].weight_ns)
			fail_msg("step %zu: %llu ns", i, (unsigned long long)weight_ns);
	}
	sample_weights_release(&weights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights__are_differences_within_a_stream),
		cmocka_unit_test(weights__are_a_period_when_a_count_falls),
		cmocka_unit_test(weights__follow_the_thread_where_samples_were_lost),
		cmocka_unit_test(weights__of_the_whole_system_go_by_the_event),
		cmocka_unit_test(weights__are_a_period_without_counts),
		cmocka_unit_test(weights__never_hold_unsampled_kernel_time),
		cmocka_unit_test(weights__of_counted_events_are_running_time),
		cmocka_unit_test(weights__of_periods_are_part_of_the_count),
		cmocka_unit_test(weights__of_periods_follow_an_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
