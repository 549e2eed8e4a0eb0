/* The line that says how far a profile can be trusted. */
#include "unit.h"

#include "base/units.h"
#include "export/quality_line.h"

static void assert_says(const struct profile *profile, const char *expected)
{
	struct buffer out = BUFFER_INIT;

	quality_line_write(&out, profile);
	assert_string_equal(buffer_string(&out), expected);
	buffer_release(&out);
}

static struct profile a_good_run(void)
{
	return (struct profile){
		.info = { .has_times = true, .period_ns = 1003009, .duration_ns = 5010000000 },
		.quality = { .n_samples = 4985, .n_by_end = { [STACK_COMPLETE] = 4985 } },
	};
}

static void quality_line__of_a_good_run_is_short(void **state)
{
	const struct profile profile = a_good_run();

	(void)state;
	assert_says(&profile, "4,985 samples at 997 Hz over 5.01 s, 0 lost, 100 % complete stacks, "
			      "0 % unresolved");
}

static void quality_line__hides_no_loss(void **state)
{
	struct profile profile = a_good_run();
	struct quality *quality = &profile.quality;

	(void)state;
	quality->n_samples = 10000;
	quality->n_by_end[STACK_COMPLETE] = 9900;
	quality->n_by_end[STACK_KERNEL_ONLY] = 50;
	quality->n_by_end[STACK_TRUNCATED_DUMP] = 49;
	quality->n_by_end[STACK_NO_CFI] = 1;
	quality->n_lost = 10000;
	quality->n_lost_events = 2;
	quality->n_throttled = 1;
	quality->n_unresolved = 9999;
	quality->sampled_ns = 5 * NS_PER_S;
	quality->target_cpu_ns = 5 * NS_PER_S;
	quality->recorder_cpu_ns = 50 * NS_PER_MS;
	profile.info.is_cut = true;
	assert_says(&profile,
		    "10,000 samples at 997 Hz over 5.01 s, 10,000 lost (50.0 %), 2 lost events, "
		    "1 time throttled, 99.5 % complete stacks (0.5 % stack dump, <0.1 % no unwind "
		    "info), >99.9 % unresolved, sampled 5.00 s of 5.00 s CPU, own CPU 1.0 %; the "
		    "file was cut and is read up to there");
}

static void quality_line__tells_a_share_that_was_not_sampled(void **state)
{
	struct profile profile = { .info = { .has_times = true } };
	struct quality *quality = &profile.quality;

	(void)state;
	quality->sampled_ns = 996 * NS_PER_MS;
	quality->not_sampled_ns = 4 * NS_PER_MS;
	quality->target_cpu_ns = NS_PER_S;
	assert_says(&profile, "0 samples, 0 lost, sampled 996 ms of 1.00 s CPU");
	quality->sampled_ns = 250 * NS_PER_MS;
	quality->not_sampled_ns = 750 * NS_PER_MS;
	assert_says(&profile,
		    "0 samples, 0 lost, sampled 250 ms of 1.00 s CPU, 75.0 % not sampled");
}

static void quality_line__of_nothing_divides_by_nothing(void **state)
{
	const struct profile profile = { .info = { .has_times = true } };

	(void)state;
	assert_says(&profile, "0 samples, 0 lost");
}

static void quality_line__tells_of_marks_that_are_missing(void **state)
{
	struct profile profile = { .info = { .has_times = true } };
	struct marks_quality *quality = &profile.marks.quality;

	(void)state;
	quality->n_records = 1000;
	quality->n_counters_dropped = 5;
	quality->n_snapshots_dropped = 5;
	assert_says(&profile, "0 samples, 0 lost");
	quality->n_lost = 1500;
	quality->n_homeless = 2;
	quality->n_bad = 1;
	quality->n_late_samples = 3;
	assert_says(&profile, "0 samples, 0 lost, 1,502 lost marks, 1 bad mark, 3 samples of "
			      "unknown scope");
}

static void quality_line__of_an_import_tells_its_source(void **state)
{
	const struct sample sample = { .count = 1200 };
	struct profile profile;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(interner_add(&profile.strings, &profile.info.tool, "folded stacks"), 0);
	assert_int_equal(profile_add_sample(&profile, &sample), 0);
	assert_int_equal(profile_add_sample(&profile, &sample), 0);
	assert_says(&profile, "2,400 samples in 2 stacks, imported from folded stacks");
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quality_line__of_a_good_run_is_short),
		cmocka_unit_test(quality_line__hides_no_loss),
		cmocka_unit_test(quality_line__tells_a_share_that_was_not_sampled),
		cmocka_unit_test(quality_line__of_nothing_divides_by_nothing),
		cmocka_unit_test(quality_line__tells_of_marks_that_are_missing),
		cmocka_unit_test(quality_line__of_an_import_tells_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
