/* When samples are taken: delays, pauses and the end, on a clock of our own. */
#include "unit.h"

#include "base/units.h"
#include "record/control.h"

#define START (100 * NS_PER_S)

static void control__runs_from_start_without_end_by_default(void **state)
{
	const struct control_options options = { 0 };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	assert_false(control.is_paused);
	assert_true(control.has_resumed);
	assert_false(control_is_over(&control, UINT64_MAX - 1));
	assert_int_equal(control_timeout_ms(&control, START, 100), 100);
}

static void control__counts_the_duration_from_the_first_sample(void **state)
{
	const struct control_options options = { .delay_ns = 2 * NS_PER_S,
						 .duration_ns = 3 * NS_PER_S };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	assert_true(control.is_paused);
	assert_false(control_resume_if_due(&control, START + 2 * NS_PER_S - 1));
	assert_true(control_resume_if_due(&control, START + 2 * NS_PER_S));
	assert_false(control_resume_if_due(&control, START + 2 * NS_PER_S));
	assert_false(control_is_over(&control, START + 5 * NS_PER_S - 1));
	assert_true(control_is_over(&control, START + 5 * NS_PER_S));
}

static void control__waits_for_the_toggle_when_started_paused(void **state)
{
	const struct control_options options = { .is_paused = true, .duration_ns = NS_PER_S };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	assert_false(control_resume_if_due(&control, UINT64_MAX - 1));
	assert_false(control_is_over(&control, START + 1000 * NS_PER_S));
	assert_false(control.has_resumed);
	control_toggle(&control, START + 7 * NS_PER_S);
	assert_false(control.is_paused);
	assert_true(control.has_resumed);
	assert_true(control_is_over(&control, START + 8 * NS_PER_S));
}

static void control__pauses_do_not_move_the_end(void **state)
{
	const struct control_options options = { .duration_ns = 10 * NS_PER_S };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	control_toggle(&control, START + NS_PER_S);
	assert_true(control.is_paused);
	assert_true(control.was_paused);
	control_toggle(&control, START + 4 * NS_PER_S);
	assert_false(control.is_paused);
	assert_true(control.was_paused);
	assert_true(control_is_over(&control, START + 10 * NS_PER_S));
}

static void control__toggling_ends_the_delay(void **state)
{
	const struct control_options options = { .delay_ns = 10 * NS_PER_S };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	control_toggle(&control, START + NS_PER_S);
	assert_false(control.is_paused);
	control_toggle(&control, START + 2 * NS_PER_S);
	assert_true(control.is_paused);
	assert_false(control_resume_if_due(&control, START + 20 * NS_PER_S));
}

static void control__sleeps_until_what_is_due_next(void **state)
{
	const struct control_options options = { .delay_ns = 30 * NS_PER_MS,
						 .duration_ns = NS_PER_S };
	struct control control;

	(void)state;
	control_start(&control, &options, START);
	assert_int_equal(control_timeout_ms(&control, START, 100), 30);
	assert_int_equal(control_timeout_ms(&control, START + 1, 100), 30);
	assert_int_equal(control_timeout_ms(&control, START + 30 * NS_PER_MS, 100), 0);
	assert_true(control_resume_if_due(&control, START + 30 * NS_PER_MS));
	assert_int_equal(control_timeout_ms(&control, START + 30 * NS_PER_MS, 100), 100);
	assert_int_equal(control_timeout_ms(&control, START + 1029 * NS_PER_MS, 100), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control__runs_from_start_without_end_by_default),
		cmocka_unit_test(control__counts_the_duration_from_the_first_sample),
		cmocka_unit_test(control__waits_for_the_toggle_when_started_paused),
		cmocka_unit_test(control__pauses_do_not_move_the_end),
		cmocka_unit_test(control__toggling_ends_the_delay),
		cmocka_unit_test(control__sleeps_until_what_is_due_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
