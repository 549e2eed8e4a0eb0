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
	assert_false(view_has_time(&view, &profile, 1099));
	assert_true(view_has_time(&view, &profile, 1100));
	assert_true(view_has_time(&view, &profile, 1199));
	assert_false(view_has_time(&view, &profile, 1200));
	profile_release(&profile);
}

static void view_has_time__takes_all_without_a_window(void **state)
{
	const struct view view = VIEW_INIT;
	struct profile profile;

	(void)state;
	init(&profile);
	assert_true(view_has_time(&view, &profile, 0));
	assert_true(view_has_time(&view, &profile, UINT64_MAX));
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
		cmocka_unit_test(view_has_moment__puts_what_was_not_sampled_in_no_window),
		cmocka_unit_test(view_has_thread__knows_name_and_tid),
		cmocka_unit_test(view_check__lists_the_threads),
		cmocka_unit_test(view_check__refuses_an_empty_window),
		cmocka_unit_test(view_check__refuses_a_window_without_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
