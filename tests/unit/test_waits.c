/* From switches to waiting samples: lengths, reasons, sums, and what was not seen. */
#include "unit.h"

#include "record/waits.h"

#define MS UINT64_C(1000000)

struct fixture {
	struct profile profile;
	struct process_table processes;
	struct waits waits;
	struct live_thread *thread;
};

static void set_up(struct fixture *fixture)
{
	assert_int_equal(profile_init(&fixture->profile), 0);
	fixture->profile.info.start_ns = 1000 * MS;
	process_table_init(&fixture->processes, &fixture->profile);
	waits_init(&fixture->waits, &fixture->profile, &fixture->processes, MS);
	fixture->waits.is_on = true;
	assert_int_equal(process_table_comm(&fixture->processes, 7, 7, "worker", false), 0);
	fixture->thread = process_table_thread(&fixture->processes, 7, 7);
	assert_non_null(fixture->thread);
}

static void tear_down(struct fixture *fixture)
{
	waits_release(&fixture->waits);
	process_table_release(&fixture->processes);
	profile_release(&fixture->profile);
}

/* A wait from `start_ns` to `end_ns` in the place `node`. */
static void wait_there(struct fixture *fixture, uint32_t node, uint64_t start_ns, uint64_t end_ns)
{
	waits_take_stack(fixture->thread, node, STACK_COMPLETE, SAMPLE_LOCK);
	assert_int_equal(waits_leave(&fixture->waits, fixture->thread, start_ns, false), 0);
	assert_int_equal(waits_return(&fixture->waits, fixture->thread, end_ns), 0);
}

static void finish_at(struct fixture *fixture, uint64_t time_ns)
{
	assert_int_equal(waits_finish(&fixture->waits, time_ns), 0);
}

static void waits__last_from_leaving_to_coming_back(void **state)
{
	struct fixture fixture;
	const struct sample *sample;

	(void)state;
	set_up(&fixture);
	wait_there(&fixture, 5, 1100 * MS, 1130 * MS);
	assert_int_equal(fixture.profile.n_samples, 1);
	sample = &fixture.profile.samples[0];
	assert_int_equal(sample->time_ns, 1100 * MS);
	assert_int_equal(sample->weight_ns, 30 * MS);
	assert_int_equal(sample->count, 30);
	assert_int_equal(sample->node, 5);
	assert_int_equal(sample->state, SAMPLE_LOCK);
	assert_int_equal(fixture.profile.quality.n_waits, 1);
	assert_int_equal(fixture.profile.quality.n_waits_bare, 0);
	tear_down(&fixture);
}

static void waits__tell_preempted_from_blocked(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	waits_take_stack(fixture.thread, 5, STACK_COMPLETE, SAMPLE_WAITING);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1100 * MS, true), 0);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1105 * MS), 0);
	assert_int_equal(fixture.profile.samples[0].state, SAMPLE_PREEMPTED);
	tear_down(&fixture);
}

static void waits__without_a_stack_keep_their_length(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	wait_there(&fixture, 5, 1100 * MS, 1110 * MS);
	/* The stack of the next switch found no room. */
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1120 * MS, false), 0);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1140 * MS), 0);
	assert_int_equal(fixture.profile.n_samples, 2);
	assert_int_equal(fixture.profile.samples[1].weight_ns, 20 * MS);
	assert_int_equal(fixture.profile.samples[1].end, STACK_NOT_TAKEN);
	assert_int_equal(fixture.profile.samples[1].state, SAMPLE_WAITING);
	assert_int_not_equal(fixture.profile.samples[1].node, 5);
	assert_int_equal(fixture.profile.quality.n_waits_bare, 1);
	assert_int_equal(fixture.profile.quality.waited_bare_ns, 20 * MS);
	tear_down(&fixture);
}

/* 1,000 waits of 100 µs in two places: few samples, and nothing gets lost. */
static void waits__that_are_short_are_added_up(void **state)
{
	struct fixture fixture;
	uint64_t weight_ns = 0, n_ticks = 0;

	(void)state;
	set_up(&fixture);
	for (uint64_t i = 0; i < 1000; i++)
		wait_there(&fixture, 5 + i % 2, 1100 * MS + i * MS / 5,
			   1100 * MS + i * MS / 5 + MS / 10);
	finish_at(&fixture, 2000 * MS);
	assert_true(fixture.profile.n_samples < 60);
	for (size_t i = 0; i < fixture.profile.n_samples; i++) {
		weight_ns += fixture.profile.samples[i].weight_ns;
		n_ticks += fixture.profile.samples[i].count;
	}
	assert_int_equal(weight_ns, 100 * MS);
	assert_int_equal(n_ticks, 100);
	assert_int_equal(fixture.profile.quality.n_waits, 1000);
	assert_int_equal(fixture.profile.quality.waited_ns, 100 * MS);
	tear_down(&fixture);
}

static void waits__that_outlast_the_recording_end_with_it(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	waits_take_stack(fixture.thread, 5, STACK_COMPLETE, SAMPLE_SLEEP);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1200 * MS, false), 0);
	finish_at(&fixture, 1900 * MS);
	assert_int_equal(fixture.profile.n_samples, 1);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 700 * MS);
	assert_int_equal(fixture.profile.samples[0].node, 5);
	tear_down(&fixture);
}

/* Attached to: its first record says that it came back, or there is none at all. */
static void waits__that_began_before_the_recording_begin_with_it(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_non_null(process_table_thread(&fixture.processes, 7, 8));
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1040 * MS), 0);
	finish_at(&fixture, 1500 * MS);
	assert_int_equal(fixture.profile.n_samples, 2);
	assert_int_equal(fixture.profile.samples[0].time_ns, 1000 * MS);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 40 * MS);
	assert_int_equal(fixture.profile.samples[1].weight_ns, 500 * MS);
	tear_down(&fixture);
}

static void waits__a_new_thread_waits_for_its_first_cpu(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(waits_start_thread(&fixture.waits, fixture.thread, 1300 * MS), 0);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1303 * MS), 0);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 3 * MS);
	assert_int_equal(fixture.profile.samples[0].state, SAMPLE_PREEMPTED);
	tear_down(&fixture);
}

static void waits__leave_pauses_out(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	waits_pause(&fixture.waits, 1110 * MS);
	waits_resume(&fixture.waits, 1150 * MS);
	waits_pause(&fixture.waits, 1190 * MS);
	wait_there(&fixture, 5, 1100 * MS, 1200 * MS);
	wait_there(&fixture, 5, 1210 * MS, 1220 * MS);
	assert_int_equal(fixture.profile.n_samples, 1);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 50 * MS);
	tear_down(&fixture);
}

/* Of what lies between two records of leaving nothing is known. */
static void waits__count_switches_that_are_missing(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1100 * MS, false), 0);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1200 * MS, false), 0);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1230 * MS), 0);
	assert_int_equal(fixture.profile.quality.n_lost_switches, 1);
	assert_int_equal(fixture.profile.n_samples, 1);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 30 * MS);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1300 * MS, false), 0);
	assert_int_equal(waits_end_thread(&fixture.waits, fixture.thread), 0);
	assert_int_equal(fixture.profile.quality.n_lost_switches, 2);
	assert_int_equal(fixture.profile.n_samples, 1);
	tear_down(&fixture);
}

/* A stack whose switch was lost is not that of the next one. */
static void waits__keep_stacks_with_their_switches(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	waits_take_stack(fixture.thread, 5, STACK_COMPLETE, SAMPLE_LOCK);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1100 * MS), 0);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1200 * MS, false), 0);
	assert_int_equal(waits_return(&fixture.waits, fixture.thread, 1210 * MS), 0);
	assert_int_equal(fixture.profile.samples[1].weight_ns, 10 * MS);
	assert_int_equal(fixture.profile.samples[1].end, STACK_NOT_TAKEN);
	tear_down(&fixture);
}

/* What runs cannot have waited all the time, nor wait on. */
static void waits__end_at_a_tick_at_the_latest(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	assert_int_equal(waits_see_running(&fixture.waits, fixture.thread, 1050 * MS), 0);
	assert_int_equal(waits_leave(&fixture.waits, fixture.thread, 1100 * MS, false), 0);
	assert_int_equal(waits_see_running(&fixture.waits, fixture.thread, 1150 * MS), 0);
	finish_at(&fixture, 1500 * MS);
	assert_int_equal(fixture.profile.n_samples, 1);
	assert_int_equal(fixture.profile.samples[0].weight_ns, 50 * MS);
	assert_int_equal(fixture.profile.quality.n_lost_switches, 1);
	tear_down(&fixture);
}

static void waits__do_not_run_backwards(void **state)
{
	struct fixture fixture;

	(void)state;
	set_up(&fixture);
	wait_there(&fixture, 5, 1100 * MS, 1090 * MS);
	finish_at(&fixture, 1000 * MS);
	assert_int_equal(fixture.profile.n_samples, 0);
	tear_down(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits__last_from_leaving_to_coming_back),
		cmocka_unit_test(waits__tell_preempted_from_blocked),
		cmocka_unit_test(waits__without_a_stack_keep_their_length),
		cmocka_unit_test(waits__that_are_short_are_added_up),
		cmocka_unit_test(waits__that_outlast_the_recording_end_with_it),
		cmocka_unit_test(waits__that_began_before_the_recording_begin_with_it),
		cmocka_unit_test(waits__a_new_thread_waits_for_its_first_cpu),
		cmocka_unit_test(waits__leave_pauses_out),
		cmocka_unit_test(waits__count_switches_that_are_missing),
		cmocka_unit_test(waits__keep_stacks_with_their_switches),
		cmocka_unit_test(waits__end_at_a_tick_at_the_latest),
		cmocka_unit_test(waits__do_not_run_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
