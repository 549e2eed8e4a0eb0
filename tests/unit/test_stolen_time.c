/* What samples weigh beyond the clock of their process is taken off, and nothing else. */
#include "unit.h"

#include <errno.h>

#include "record/stolen_time.h"

#define MS UINT64_C(1000000)

enum { PID = 7, OTHER_PID = 8 };

/* What the clocks say, by process; UINT64_MAX: it is gone. */
static uint64_t clock_ns, other_clock_ns, machine_stolen_ns;
static size_t n_asked_for_stolen;

struct fixture {
	struct profile profile;
	struct stolen_time stolen;
};

static int read_process(uint64_t *ret_ns, uint32_t pid)
{
	*ret_ns = pid == PID ? clock_ns : other_clock_ns;
	return *ret_ns == UINT64_MAX ? -ESRCH : 0;
}

static uint64_t read_stolen(void)
{
	n_asked_for_stolen++;
	return machine_stolen_ns;
}

static void set_up(struct fixture *fixture, bool is_attached)
{
	const uint32_t pids[] = { PID, OTHER_PID };

	assert_int_equal(profile_init(&fixture->profile), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct thread thread = { .pid = pids[i], .tid = pids[i] };
		uint32_t id;

		assert_int_equal(profile_add_thread(&fixture->profile, &id, &thread), 0);
		assert_int_equal(id, i);
	}
	stolen_time_init(&fixture->stolen, &fixture->profile, MS, is_attached);
	fixture->stolen.read_process = read_process;
	fixture->stolen.read_stolen = read_stolen;
	fixture->stolen.start_stolen_ns = 0;
	clock_ns = other_clock_ns = machine_stolen_ns = UINT64_MAX;
	n_asked_for_stolen = 0;
}

static void tear_down(struct fixture *fixture)
{
	stolen_time_release(&fixture->stolen);
	profile_release(&fixture->profile);
}

static void add(struct fixture *fixture, uint32_t pid, size_t n, uint64_t weight_ns)
{
	const struct sample sample = { .weight_ns = weight_ns,
				       .count = (weight_ns + MS / 2) / MS,
				       .thread = pid - PID };

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(profile_add_sample(&fixture->profile, &sample), 0);
		fixture->profile.quality.sampled_ns += weight_ns;
	}
}

static uint64_t sum(const struct fixture *fixture, uint32_t pid)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < fixture->profile.n_samples; i++)
		if (fixture->profile.samples[i].thread == pid - PID)
			sum_ns += fixture->profile.samples[i].weight_ns;
	return sum_ns;
}

/* Corrects, and forgets the samples as a writer does; returns what was taken off. */
static uint64_t take(struct fixture *fixture)
{
	const uint64_t before_ns = fixture->stolen.taken_ns;

	assert_int_equal(stolen_time_take(&fixture->stolen), 0);
	assert_int_equal(fixture->stolen.taken_ns, fixture->profile.quality.stolen_ns);
	fixture->profile.n_samples = 0;
	return fixture->stolen.taken_ns - before_ns;
}

#define assert_near(ns, expected_ns)                                                               \
	assert_in_range(ns, (expected_ns)-MS / 10, (expected_ns) + MS / 10)

static void a_late_tick__weighs_what_its_process_had(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	add(&fixture, PID, 50, MS);
	add(&fixture, PID, 1, 41 * MS);
	clock_ns = 51 * MS;
	machine_stolen_ns = 500 * MS;
	assert_int_equal(stolen_time_take(&fixture.stolen), 0);
	assert_near(sum(&fixture, PID), 51 * MS);
	assert_near(fixture.profile.samples[50].weight_ns, MS);
	assert_int_equal(fixture.profile.samples[50].count, 1);
	assert_int_equal(fixture.profile.samples[0].weight_ns, MS);
	assert_near(fixture.profile.quality.sampled_ns, 51 * MS);
	assert_near(fixture.profile.quality.stolen_ns, 40 * MS);
	tear_down(&fixture);
}

static void what_is_not_late__is_taken_from_all_alike(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	add(&fixture, PID, 100, MS);
	clock_ns = 70 * MS;
	machine_stolen_ns = 500 * MS;
	/* The clock may be behind by 10 ms … */
	assert_int_equal(stolen_time_take(&fixture.stolen), 0);
	assert_near(sum(&fixture, PID), 80 * MS);
	assert_near(fixture.profile.samples[0].weight_ns, MS * 8 / 10);
	assert_near(fixture.profile.samples[99].weight_ns, MS * 8 / 10);
	assert_int_equal(fixture.profile.samples[0].count, 1);
	fixture.profile.n_samples = 0;
	/* … but not at its end. */
	add(&fixture, PID, 30, MS);
	assert_int_equal(stolen_time_note_end(&fixture.stolen, PID, 90 * MS), 0);
	assert_int_equal(stolen_time_take(&fixture.stolen), 0);
	assert_near(sum(&fixture, PID), 15 * MS); /* not more than half at once */
	tear_down(&fixture);
}

static void nothing__is_taken_where_nothing_was_stolen(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	machine_stolen_ns = 0;
	clock_ns = MS;
	add(&fixture, PID, 10, 9 * MS);
	assert_int_equal(take(&fixture), 0);
	/* … nor more than was. */
	machine_stolen_ns = 30 * MS;
	add(&fixture, PID, 10, 9 * MS);
	assert_near(take(&fixture), 30 * MS);
	add(&fixture, PID, 10, 9 * MS);
	assert_int_equal(take(&fixture), 0);
	tear_down(&fixture);
}

static void weights_that_agree_with_the_clock__stay(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	machine_stolen_ns = 1000 * MS;
	for (int i = 1; i <= 5; i++) {
		/* Samples that were lost make a late one, of time that there was. */
		add(&fixture, PID, 10, MS);
		add(&fixture, PID, 1, 90 * MS);
		clock_ns = (uint64_t)i * 100 * MS;
		assert_int_equal(take(&fixture), 0);
	}
	assert_int_equal(n_asked_for_stolen, 0);
	tear_down(&fixture);
}

static void a_process_that_is_gone__loses_what_was_late(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	machine_stolen_ns = 1000 * MS;
	add(&fixture, PID, 10, MS);
	add(&fixture, OTHER_PID, 10, MS);
	add(&fixture, PID, 1, 21 * MS);
	add(&fixture, OTHER_PID, 1, 21 * MS);
	other_clock_ns = 200 * MS;
	assert_int_equal(stolen_time_take(&fixture.stolen), 0);
	assert_near(sum(&fixture, PID), 11 * MS);
	assert_int_equal(sum(&fixture, OTHER_PID), 31 * MS);
	tear_down(&fixture);
}

static void a_process_that_ran_before__is_measured_from_its_first_samples_on(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, true);
	machine_stolen_ns = 1000 * MS;
	clock_ns = 5000 * MS;
	add(&fixture, PID, 10, 3 * MS);
	assert_int_equal(take(&fixture), 0);
	clock_ns = 5010 * MS;
	add(&fixture, PID, 10, 3 * MS);
	assert_near(take(&fixture), 20 * MS);
	/* Time that was paused is on the clock. */
	clock_ns = 9000 * MS;
	stolen_time_restart(&fixture.stolen);
	add(&fixture, PID, 10, 3 * MS);
	assert_int_equal(take(&fixture), 0);
	clock_ns = 9010 * MS;
	add(&fixture, PID, 10, 3 * MS);
	assert_near(take(&fixture), 20 * MS);
	tear_down(&fixture);
}

static void a_number_that_comes_again__begins_anew(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	machine_stolen_ns = 1000 * MS;
	clock_ns = 1000 * MS;
	add(&fixture, PID, 100, MS);
	assert_int_equal(take(&fixture), 0);
	clock_ns = 10 * MS;
	add(&fixture, PID, 1, 30 * MS);
	assert_near(take(&fixture), 20 * MS);
	tear_down(&fixture);
}

static void waits_and_what_was_not_sampled__are_left_alone(void **state)
{
	const struct sample wait = { .weight_ns = 900 * MS, .state = SAMPLE_LOCK };
	const struct sample rest = { .weight_ns = 900 * MS, .end = STACK_NOT_SAMPLED };
	struct fixture fixture;

	(void)state;
	set_up(&fixture, false);
	machine_stolen_ns = 1000 * MS;
	clock_ns = 10 * MS;
	assert_int_equal(profile_add_sample(&fixture.profile, &wait), 0);
	assert_int_equal(profile_add_sample(&fixture.profile, &rest), 0);
	add(&fixture, PID, 1, 110 * MS);
	assert_near(take(&fixture), 100 * MS);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 900 * MS);
	assert_int_equal(fixture.profile.samples[1].weight_ns, 900 * MS);
	tear_down(&fixture);
}

static void what_is_taken__is_a_wait_where_those_are_recorded(void **state)
{
	struct fixture fixture;
	uint64_t waited_ns = 0;

	(void)state;
	set_up(&fixture, false);
	fixture.stolen.with_waits = true;
	machine_stolen_ns = 1000 * MS;
	add(&fixture, PID, 60, MS);
	add(&fixture, PID, 1, 41 * MS);
	clock_ns = 41 * MS;
	assert_int_equal(stolen_time_take(&fixture.stolen), 0);
	for (size_t i = 0; i < fixture.profile.n_samples; i++) {
		const struct sample *sample = &fixture.profile.samples[i];

		if (!sample_is_wait(sample))
			continue;
		assert_int_equal(sample->state, SAMPLE_PREEMPTED);
		assert_int_equal(sample->count, sample->weight_ns / MS);
		waited_ns += sample->weight_ns;
	}
	/* All of it but what is less than a period. */
	assert_in_range(waited_ns, fixture.stolen.taken_ns - MS, fixture.stolen.taken_ns);
	assert_near(fixture.stolen.taken_ns, 50 * MS);
	assert_int_equal(fixture.profile.quality.waited_ns, waited_ns);
	assert_near(sum(&fixture, PID), fixture.profile.quality.sampled_ns + waited_ns);
	tear_down(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_tick__weighs_what_its_process_had),
		cmocka_unit_test(what_is_not_late__is_taken_from_all_alike),
		cmocka_unit_test(nothing__is_taken_where_nothing_was_stolen),
		cmocka_unit_test(weights_that_agree_with_the_clock__stay),
		cmocka_unit_test(a_process_that_is_gone__loses_what_was_late),
		cmocka_unit_test(a_process_that_ran_before__is_measured_from_its_first_samples_on),
		cmocka_unit_test(a_number_that_comes_again__begins_anew),
		cmocka_unit_test(what_is_taken__is_a_wait_where_those_are_recorded),
		cmocka_unit_test(waits_and_what_was_not_sampled__are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
