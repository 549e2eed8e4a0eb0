/* What becomes of CPU time that no tick fell into. */
#include "unit.h"

#include "record/intake.h"

enum { PID = 0x7ffffff0 };

static void set_up(struct intake *intake, struct profile *profile, uint32_t n_processes)
{
	assert_int_equal(profile_init(profile), 0);
	assert_int_equal(intake_init(intake, profile, unwind_backend_find("cfi"), 1000, NULL), 0);
	for (uint32_t i = 0; i < n_processes; i++) {
		const struct sampler_record record = { .kind = SAMPLER_RECORD_COMM,
						       .pid = PID + i,
						       .tid = PID + i,
						       .comm = i ? "child" : "main",
						       .is_exec = true };

		assert_int_equal(intake_record(intake, &record, NULL), 0);
	}
	profile->quality.sampled_ns = 5000;
}

static void tear_down(struct intake *intake, struct profile *profile)
{
	intake_release(intake);
	profile_release(profile);
}

static void intake_add_not_sampled__is_what_samples_do_not_stand_for(void **state)
{
	struct intake intake;
	struct profile profile;

	(void)state;
	set_up(&intake, &profile, 1);
	assert_int_equal(intake_add_not_sampled(&intake, PID, 5700, NULL), 0);
	assert_int_equal(profile.n_samples, 1);
	assert_int_equal(profile.samples[0].weight_ns, 700);
	assert_int_equal(profile.samples[0].count, 0);
	assert_int_equal(profile.samples[0].end, STACK_NOT_SAMPLED);
	assert_int_equal(profile.threads[profile.samples[0].thread].pid, PID);
	assert_int_equal(profile.quality.not_sampled_ns, 700);
	assert_int_equal(profile.quality.n_samples, 0);
	tear_down(&intake, &profile);
}

static void intake_add_not_sampled__blames_none_of_many(void **state)
{
	struct intake intake;
	struct profile profile;

	(void)state;
	set_up(&intake, &profile, 2);
	assert_int_equal(intake_add_not_sampled(&intake, PID, 5700, NULL), 0);
	assert_int_equal(profile.n_samples, 1);
	assert_int_equal(profile.threads[profile.samples[0].thread].pid, 0);
	tear_down(&intake, &profile);
}

static void intake_add_not_sampled__adds_nothing_to_full_sums(void **state)
{
	struct intake intake;
	struct profile profile;

	(void)state;
	set_up(&intake, &profile, 1);
	assert_int_equal(intake_add_not_sampled(&intake, PID, 5000, NULL), 0);
	assert_int_equal(intake_add_not_sampled(&intake, PID, 4000, NULL), 0);
	assert_int_equal(profile.n_samples, 0);
	assert_int_equal(profile.quality.not_sampled_ns, 0);
	tear_down(&intake, &profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intake_add_not_sampled__is_what_samples_do_not_stand_for),
		cmocka_unit_test(intake_add_not_sampled__blames_none_of_many),
		cmocka_unit_test(intake_add_not_sampled__adds_nothing_to_full_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
