/* Which samples a view has, and what it refuses. */
#include "unit.h"

#include <errno.h>

#include "tree/view.h"
#include "unit_profile.h"

static void init(struct profile *profile)
{
	struct thread worker = { .pid = 1, .tid = 42 };

	unit_profile_init(profile, NULL, 0);
	profile->info.start_ns = 1000;
	profile->info.duration_ns = 500;
	assert_int_equal(interner_add(&profile->strings, &worker.name, "worker"), 0);
	assert_int_equal(profile_add_thread(profile, NULL, &worker), 0);
}

static void view_has_time__is_from_the_start_and_half_open(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.from_ns = 100;
	view.to_ns = 200;
	assert_false(view_has_time(&view, &profile, 0, 1099));
	assert_true(view_has_time(&view, &profile, 0, 1100));
	assert_true(view_has_time(&view, &profile, 0, 1199));
	assert_false(view_has_time(&view, &profile, 0, 1200));
	profile_release(&profile);
}

static void view_has_time__takes_all_without_a_window(void **state)
{
	const struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	assert_true(view_has_time(&view, &profile, 0, 0));
	assert_true(view_has_time(&view, &profile, 0, UINT64_MAX));
	profile_release(&profile);
}

static void view_states__mix_nothing_unasked(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	assert_int_equal(view_states(&view, &profile), SAMPLE_STATES_RUNNING);
	assert_int_equal(interner_add(&profile.strings, &profile.info.event, "wall"), 0);
	assert_int_equal(view_states(&view, &profile), SAMPLE_STATES_ALL);
	assert_true(view_is_mixed(&view, &profile));
	view.by = VIEW_BY_STATE;
	assert_int_equal(view_states(&view, &profile), SAMPLE_STATES_ALL);
	assert_false(view_is_mixed(&view, &profile));
	view.states = view_states_of("lock");
	assert_int_equal(view_states(&view, &profile), 1u << SAMPLE_LOCK);
	profile_release(&profile);
}

static void view_states_of__knows_all_words(void **state)
{
	unsigned int all = 0;

	(void)state;
	for (size_t i = 0; view_state_words[i]; i++) {
		assert_int_not_equal(view_states_of(view_state_words[i]), 0);
		all |= view_states_of(view_state_words[i]);
	}
	assert_int_equal(all, SAMPLE_STATES_ALL);
	assert_int_equal(view_states_of(NULL), 0);
	assert_int_equal(view_states_of("dancing"), 0);
	for (int i = 0; i < SAMPLE_N_STATES; i++)
		assert_int_equal(view_states_of(sample_state_name((enum sample_state)i)),
				 i == SAMPLE_WAITING ? SAMPLE_STATES_WAITING : 1u << i);
}

/* A wait from 100 to 300 ns after the start, of 20 ticks. */
static void view_clip__takes_the_part_of_a_wait_that_is_in_the_window(void **state)
{
	static const struct {
		uint64_t from_ns, to_ns, weight_ns, count;
	} windows[] = {
		{ 0, UINT64_MAX, 200, 20 }, { 0, 150, 50, 5 },	       { 250, UINT64_MAX, 50, 5 },
		{ 150, 250, 100, 10 },	    { 0, 100, 0, 0 },	       { 300, 400, 0, 0 },
		{ 100, 300, 200, 20 },	    { 299, UINT64_MAX, 1, 0 },
	};
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.states = SAMPLE_STATES_ALL;
	for (size_t i = 0; i < N_ITEMS(windows); i++) {
		struct sample wait = {
			.time_ns = 1100, .weight_ns = 200, .count = 20, .state = SAMPLE_POLL
		};

		view.from_ns = windows[i].from_ns;
		view.to_ns = windows[i].to_ns;
		assert_int_equal(view_clip(&view, &profile, &wait), windows[i].weight_ns > 0);
		if (!windows[i].weight_ns)
			continue;
		assert_int_equal(wait.weight_ns, windows[i].weight_ns);
		assert_int_equal(wait.count, windows[i].count);
	}
	profile_release(&profile);
}

/* Hostile files have any numbers. */
static void view_clip__stands_impossible_waits(void **state)
{
	const uint64_t numbers[] = { 0, 1, 999, 1000, 1500, INT64_MAX, UINT64_MAX };
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.states = SAMPLE_STATES_ALL;
	view.from_ns = 1;
	view.to_ns = UINT64_MAX - 1;
	for (size_t i = 0; i < N_ITEMS(numbers); i++) {
		for (size_t k = 0; k < N_ITEMS(numbers); k++) {
			struct sample wait = { .time_ns = numbers[i],
					       .weight_ns = numbers[k],
					       .state = SAMPLE_POLL };

			if (view_clip(&view, &profile, &wait))
				assert_true(wait.weight_ns > 0 && wait.weight_ns <= numbers[k]);
		}
	}
	profile_release(&profile);
}

static void view_has_moment__puts_what_was_not_sampled_in_no_window(void **state)
{
	const struct sample rest = { .time_ns = 1000, .end = STACK_NOT_SAMPLED };
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	assert_true(view_has_moment(&view, &profile, &rest));
	view.to_ns = 100;
	assert_false(view_has_moment(&view, &profile, &rest));
	profile_release(&profile);
}

static void view_has_thread__knows_name_and_tid(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.thread = "worker";
	assert_false(view_has_thread(&view, &profile, 0));
	assert_true(view_has_thread(&view, &profile, 1));
	view.thread = "1";
	assert_true(view_has_thread(&view, &profile, 0));
	assert_false(view_has_thread(&view, &profile, 1));
	profile_release(&profile);
}

static void view_check__lists_the_threads(void **state)
{
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.thread = "walker";
	assert_int_equal(view_check(&view, &profile, &err), -EINVAL);
	assert_non_null(strstr(err.message, "'walker'"));
	assert_non_null(strstr(err.message, "worker/42"));
	profile_release(&profile);
}

static void view_check__refuses_an_empty_window(void **state)
{
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	view.from_ns = 2000000000;
	view.to_ns = 1000000000;
	assert_int_equal(view_check(&view, &profile, &err), -EINVAL);
	assert_non_null(strstr(err.message, "starts at 2 s and ends at 1 s"));
	profile_release(&profile);
}

static void view_check__refuses_a_window_without_times(void **state)
{
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	profile.info.has_times = false;
	assert_int_equal(view_check(&view, &profile, &err), 0);
	view.from_ns = 1;
	assert_int_equal(view_check(&view, &profile, &err), -EINVAL);
	assert_non_null(strstr(err.message, "no times"));
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_has_time__is_from_the_start_and_half_open),
		cmocka_unit_test(view_has_time__takes_all_without_a_window),
		cmocka_unit_test(view_states__mix_nothing_unasked),
		cmocka_unit_test(view_states_of__knows_all_words),
		cmocka_unit_test(view_clip__takes_the_part_of_a_wait_that_is_in_the_window),
		cmocka_unit_test(view_clip__stands_impossible_waits),
		cmocka_unit_test(view_has_moment__puts_what_was_not_sampled_in_no_window),
		cmocka_unit_test(view_has_thread__knows_name_and_tid),
		cmocka_unit_test(view_check__lists_the_threads),
		cmocka_unit_test(view_check__refuses_an_empty_window),
		cmocka_unit_test(view_check__refuses_a_window_without_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
