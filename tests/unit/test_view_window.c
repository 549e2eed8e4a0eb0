/* Which times are between milestones. */
#include "unit.h"

#include <errno.h>

#include "base/buffer.h"
#include "tree/view_window.h"
#include "unit_marks.h"
#include "unit_profile.h"

static const char story[] = "loaded@10 tick@20 ready@30 tick@40 loaded@50 tick@60 ready@70";

static void init(struct profile *profile, struct moments *moments, const char *milestones)
{
	unit_profile_init(profile, NULL, 0);
	profile->info.start_ns = 1000;
	unit_marks_add_milestones(profile, milestones);
	assert_int_equal(moments_init(moments, profile), 0);
}

static void release(struct profile *profile, struct moments *moments)
{
	moments_release(moments);
	profile_release(profile);
}

/* "10-30 50-70" */
static void write_spans(struct buffer *out, const struct view_window *window)
{
	for (size_t i = 0; i < window->n_spans; i++) {
		buffer_printf(out, "%s%llu-", i ? " " : "",
			      (unsigned long long)window->spans[i].from_ns);
		if (window->spans[i].to_ns != UINT64_MAX)
			buffer_printf(out, "%llu", (unsigned long long)window->spans[i].to_ns);
	}
}

struct expectation {
	const char *from, *to, *phase;
	const char *spans; /* or a part of the message */
};

static void expect(const struct moments *moments, const struct expectation *expected)
{
	const struct view_window_texts texts = { expected->from, expected->to, expected->phase };
	struct error err = ERROR_INIT;
	struct buffer spans = BUFFER_INIT;
	struct view_window window;

	if (view_window_init(&window, moments, &texts, &err) < 0) {
		assert_int_equal(err.code, -EINVAL);
		if (!strstr(err.message, expected->spans))
			fail_msg("'%s' is not in '%s'", expected->spans, err.message);
		return;
	}
	write_spans(&spans, &window);
	assert_string_equal(buffer_string(&spans), expected->spans);
	buffer_release(&spans);
	view_window_release(&window);
}

static void expect_all(const char *milestones, const struct expectation *expected,
		       size_t n_expected)
{
	struct profile profile;
	struct moments moments;

	init(&profile, &moments, milestones);
	for (size_t i = 0; i < n_expected; i++)
		expect(&moments, &expected[i]);
	release(&profile, &moments);
}

static void view_window__is_between_the_milestones_that_were_named(void **state)
{
	static const struct expectation expected[] = {
		{ "loaded", NULL, NULL, "10-" },
		{ "loaded#2", NULL, NULL, "50-" },
		{ "milestone:loaded", "ready", NULL, "10-30" },
		{ NULL, "ready", NULL, "0-30" },
		{ NULL, "ready#2", NULL, "0-70" },
		{ "tick", "tick", NULL, "20-40" },
		{ "tick#2", "ready", NULL, "40-70" },
		{ "25ns", "tick", NULL, "25-40" },
		{ "start", "end", NULL, "0-" },
		{ "loaded", "0.000000055", NULL, "10-55" },
		{ NULL, NULL, "loaded..ready", "10-30 50-70" },
		{ NULL, NULL, "tick..tick", "20-40 40-60" },
		{ NULL, NULL, "loaded#2..ready", "50-70" },
		{ NULL, NULL, "loaded..ready#2", "10-70" },
		{ NULL, NULL, "tick..", "20-" },
		{ NULL, NULL, "..tick", "0-20" },
		{ NULL, NULL, "tick..loaded", "20-50" },
		{ NULL, NULL, "15ns..ready", "15-30" },
		{ NULL, NULL, "ready..65ns", "30-65" },
		{ "20ns", "60ns", "loaded..ready", "20-30 50-60" },
		{ "ready", NULL, "loaded..ready", "50-70" },
	};

	(void)state;
	expect_all(story, expected, N_ITEMS(expected));
}

static void view_window__says_why_there_is_none(void **state)
{
	static const struct expectation expected[] = {
		{ "laoded", NULL, NULL, "--from: no milestone is called 'laoded' (did you mean" },
		{ NULL, "reddy", NULL, "--to: no milestone is called 'reddy'" },
		{ NULL, NULL, "tick..reddy", "--phase: no milestone is called 'reddy'" },
		{ NULL, NULL, "tick", "expected A..B" },
		{ NULL, NULL, "..", "expected A..B" },
		{ "", NULL, NULL, "no milestone is called ''" },
		{ "1.5.3", NULL, NULL, "'1.5.3' is neither a time" },
		{ "tick#4", NULL, NULL, "'tick' occurs 3 times" },
		{ "tick#0", NULL, NULL, "no milestone is called 'tick#0'" },
		{ "tick#18446744073709551616", NULL, NULL, "no milestone is called" },
		{ "milestone:start", NULL, NULL, "no milestone is called 'start'" },
		{ "ready#2", "loaded", NULL, "7e-08 s (ready#2) and ends at 5e-08 s (loaded)" },
		{ "end", NULL, NULL, "nothing is after 'end'" },
		{ NULL, "start", NULL, "nothing is before 'start'" },
		{ NULL, NULL, "ready#2..tick", "no phase 'ready#2..tick'" },
		{ NULL, "5ns", "loaded..ready", "in the time that --from and --to leave" },
	};

	(void)state;
	expect_all(story, expected, N_ITEMS(expected));
}

static void view_window__takes_the_programs_words_first(void **state)
{
	static const struct expectation expected[] = {
		{ "start", NULL, NULL, "10-" },	    { "end", NULL, NULL, "20-" },
		{ "a#2", NULL, NULL, "30-" },	    { "a", NULL, NULL, "40-" },
		{ "5ns", NULL, NULL, "5-" },	    { "milestone:5ns", NULL, NULL, "50-" },
		{ NULL, NULL, "x..y..a", "60-70" },
	};

	(void)state;
	expect_all("start@10 end@20 a#2@30 a@40 5ns@50 x..y@60 a@70", expected, N_ITEMS(expected));
}

static void view_window__has_milestones_in_any_order_and_at_one_time(void **state)
{
	static const struct expectation expected[] = {
		{ NULL, NULL, "a..b", "0-20 30-40" },
		{ "a", "b", NULL, "0-20" },
		{ NULL, NULL, "c..d", "no phase 'c..d'" },
	};
	struct profile profile;
	struct moments moments;

	(void)state;
	init(&profile, &moments, "b@40 a@30 b@20 c@50 d@50");
	unit_marks_add_milestone(&profile, 0, 0, "a");
	profile.marks.milestones[profile.marks.n_milestones - 1].time_ns = 1;
	moments_release(&moments);
	assert_int_equal(moments_init(&moments, &profile), 0);
	for (size_t i = 0; i < N_ITEMS(expected); i++)
		expect(&moments, &expected[i]);
	release(&profile, &moments);
}

static void add_runs(struct profile *profile)
{
	const struct profile_info run = { .duration_ns = 100 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(profile_add_run(profile, NULL, &run), 0);
}

static void view_window__is_of_each_run_its_own(void **state)
{
	const struct view_window_texts texts = { .phase = "a..b" };
	struct view_window window;
	struct profile profile;
	struct moments moments;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	add_runs(&profile);
	unit_marks_add_milestone(&profile, 2, 5, "a");
	unit_marks_add_milestone(&profile, 0, 10, "a");
	unit_marks_add_milestone(&profile, 0, 20, "b");
	unit_marks_add_milestone(&profile, 1, 30, "b");
	unit_marks_add_milestone(&profile, 2, 40, "b");
	assert_int_equal(moments_init(&moments, &profile), 0);
	assert_int_equal(view_window_init(&window, &moments, &texts, NULL), 0);
	assert_true(view_window_has(&window, 0, 10));
	assert_false(view_window_has(&window, 0, 20));
	assert_false(view_window_has(&window, 1, 10));
	assert_true(view_window_has(&window, 2, 5));
	assert_int_equal(view_window_overlap_ns(&window, 0, 0, UINT64_MAX), 10);
	assert_int_equal(view_window_overlap_ns(&window, 1, 0, UINT64_MAX), 0);
	assert_int_equal(view_window_overlap_ns(&window, 2, 0, UINT64_MAX), 35);
	assert_int_equal(view_window_overlap_ns(&window, 3, 0, UINT64_MAX), 0);
	view_window_release(&window);
	release(&profile, &moments);
}

/* Against counting moment by moment. */
static void view_window_overlap_ns__is_the_number_of_moments(void **state)
{
	static const char *const phases[] = { "loaded..ready", "tick..tick", "tick..", "..ready#2",
					      "7ns..tick" };
	struct profile profile;
	struct moments moments;

	(void)state;
	init(&profile, &moments, story);
	for (size_t i = 0; i < N_ITEMS(phases); i++) {
		const struct view_window_texts texts = { .phase = phases[i] };
		struct view_window window;

		assert_int_equal(view_window_init(&window, &moments, &texts, NULL), 0);
		for (uint64_t from_ns = 0; from_ns < 80; from_ns++) {
			uint64_t n = 0;

			for (uint64_t to_ns = from_ns; to_ns < 80; to_ns++) {
				assert_int_equal(view_window_overlap_ns(&window, 0, from_ns, to_ns),
						 n);
				n += view_window_has(&window, 0, to_ns);
			}
		}
		view_window_release(&window);
	}
	release(&profile, &moments);
}

static void view_window_overlap_ns__stands_all_of_time(void **state)
{
	const struct view_window_texts texts = { .phase = "loaded.." };
	struct view_window window;
	struct profile profile;
	struct moments moments;

	(void)state;
	init(&profile, &moments, story);
	assert_int_equal(view_window_init(&window, &moments, &texts, NULL), 0);
	assert_true(view_window_has(&window, 0, UINT64_MAX));
	assert_int_equal(view_window_overlap_ns(&window, 0, 0, UINT64_MAX), UINT64_MAX - 10);
	assert_int_equal(view_window_overlap_ns(&window, 0, UINT64_MAX - 1, UINT64_MAX), 1);
	view_window_release(&window);
	release(&profile, &moments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_window__is_between_the_milestones_that_were_named),
		cmocka_unit_test(view_window__says_why_there_is_none),
		cmocka_unit_test(view_window__takes_the_programs_words_first),
		cmocka_unit_test(view_window__has_milestones_in_any_order_and_at_one_time),
		cmocka_unit_test(view_window__is_of_each_run_its_own),
		cmocka_unit_test(view_window_overlap_ns__is_the_number_of_moments),
		cmocka_unit_test(view_window_overlap_ns__stands_all_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
