/* What a timeline shows, and what it leaves out; counters. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "base/units.h"
#include "tree/counter_rows.h"
#include "tree/timeline.h"

enum { START_NS = 5000 };

static int set_up(void **state)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct mark_site site = { .kind = MARK_MILESTONE };
	struct thread thread = { .pid = 7, .tid = 7 };
	uint32_t node;

	*state = profile;
	if (!profile || profile_init(profile) < 0)
		return -1;
	profile->info.has_times = true;
	profile->info.start_ns = START_NS;
	profile->info.duration_ns = NS_PER_S;
	assert_int_equal(interner_add(&profile->strings, &site.name, "mark"), 0);
	assert_int_equal(marks_add_site(&profile->marks, NULL, &site), 0);
	assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
	assert_int_equal(scope_tree_get(&profile->marks.scopes, &node, 0, 0), 0);
	return 0;
}

static int tear_down(void **state)
{
	profile_release(*state);
	free(*state);
	return 0;
}

static void add_milestones(struct profile *profile, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(marks_add_milestone(&profile->marks,
						     &(struct milestone){ .time_ns = START_NS +
										     i * 10 }),
				 0);
}

static void add_counters(struct profile *profile, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(marks_add_counter(&profile->marks,
						   &(struct counter_value){ .time_ns = START_NS +
										       i * 10 + 5,
									    .value = (double)i }),
				 0);
}

/* Each a little longer than the one before; every hundredth failed. */
static void add_calls(struct profile *profile, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(marks_add_call(&profile->marks,
						&(struct scope_call){
							.start_ns = START_NS + i * 10 + 7,
							.duration_ns = i,
							.node = 1,
							.flags = i % 100 ? 0 : SCOPE_CALL_ERROR }),
				 0);
}

static void build(struct timeline *timeline, const struct profile *profile, struct view view,
		  size_t max)
{
	struct error err = ERROR_INIT;

	if (view_resolve(&view, profile, &err) < 0 ||
	    timeline_build(timeline, profile, &view, max, &err) < 0)
		fail_msg("%s", err.message);
	view_release(&view);
	for (size_t i = 1; i < timeline->n_entries; i++)
		assert_true(timeline->entries[i - 1].at_ns <= timeline->entries[i].at_ns);
}

static size_t count_kind(const struct timeline *timeline, enum timeline_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < timeline->n_entries; i++)
		n += timeline->entries[i].kind == kind;
	return n;
}

static void a_short_one__has_all(void **state)
{
	struct profile *profile = *state;
	struct timeline timeline;

	add_milestones(profile, 3);
	add_counters(profile, 4);
	add_calls(profile, 5);
	build(&timeline, profile, VIEW_INIT, 12);
	assert_int_equal(timeline.n_entries, 12);
	for (size_t i = 0; i < TIMELINE_N_KINDS; i++)
		assert_int_equal(timeline.n_left_out[i], 0);
	timeline_release(&timeline);
}

static void kinds__share_what_others_do_not_need(void **state)
{
	struct profile *profile = *state;
	struct timeline timeline;

	add_milestones(profile, 3);
	add_counters(profile, 1000);
	add_calls(profile, 1000);
	build(&timeline, profile, VIEW_INIT, 43);
	assert_int_equal(timeline.n_entries, 43);
	assert_int_equal(count_kind(&timeline, TIMELINE_MILESTONE), 3);
	assert_int_equal(count_kind(&timeline, TIMELINE_COUNTER), 20);
	assert_int_equal(count_kind(&timeline, TIMELINE_SCOPE), 20);
	assert_int_equal(timeline.n_left_out[TIMELINE_COUNTER], 980);
	assert_int_equal(timeline.n_left_out[TIMELINE_SCOPE], 980);
	assert_int_equal(timeline.n_left_out[TIMELINE_MILESTONE], 0);
	timeline_release(&timeline);
}

static void calls__that_failed_come_before_long_ones(void **state)
{
	struct profile *profile = *state;
	struct timeline timeline;
	size_t n_failed = 0;

	add_calls(profile, 1000);
	build(&timeline, profile, VIEW_INIT, 15);
	assert_int_equal(timeline.n_entries, 15);
	for (size_t i = 0; i < timeline.n_entries; i++) {
		const struct scope_call *call = &profile->marks.calls[timeline.entries[i].index];

		n_failed += (call->flags & SCOPE_CALL_ERROR) != 0;
		assert_true((call->flags & SCOPE_CALL_ERROR) || call->duration_ns >= 995);
	}
	assert_int_equal(n_failed, 10);
	timeline_release(&timeline);
}

static void others__are_chosen_evenly_with_both_ends(void **state)
{
	struct profile *profile = *state;
	struct timeline timeline;

	add_counters(profile, 1001);
	build(&timeline, profile, VIEW_INIT, 11);
	assert_int_equal(timeline.n_entries, 11);
	for (size_t i = 0; i < timeline.n_entries; i++)
		assert_int_equal(timeline.entries[i].index, i * 100);
	timeline_release(&timeline);
	build(&timeline, profile, VIEW_INIT, 1);
	assert_int_equal(timeline.n_entries, 1);
	timeline_release(&timeline);
}

static void a_window__is_all_that_is_looked_at(void **state)
{
	struct profile *profile = *state;
	struct view view = VIEW_INIT;
	struct timeline timeline;

	add_milestones(profile, 100);
	add_calls(profile, 100);
	view.from_ns = 100;
	view.to_ns = 200;
	build(&timeline, profile, view, SIZE_MAX);
	assert_int_equal(timeline.n_entries, 20);
	timeline_release(&timeline);
}

static void counters__are_summed_up_by_name(void **state)
{
	struct profile *profile = *state;
	struct view view = VIEW_INIT;
	struct counter_rows rows;

	add_counters(profile, 101);
	assert_int_equal(marks_add_counter(&profile->marks,
					   &(struct counter_value){ .time_ns = START_NS + 1,
								    .value = NAN }),
			 0);
	assert_int_equal(view_resolve(&view, profile, NULL), 0);
	assert_int_equal(counter_rows_build(&rows, profile, &view, NULL), 0);
	assert_int_equal(rows.n_rows, 1);
	assert_int_equal(rows.rows[0].n_values, 101);
	assert_true(rows.rows[0].min == 0 && rows.rows[0].max == 100 && rows.rows[0].last == 100);
	assert_true(fabs(rows.rows[0].mean - 50) < 1e-9);
	counter_rows_release(&rows);
	view.to_ns = 50;
	assert_int_equal(counter_rows_build(&rows, profile, &view, NULL), 0);
	assert_true(rows.rows[0].last == 4);
	counter_rows_release(&rows);
	view_release(&view);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_short_one__has_all),
		TEST(kinds__share_what_others_do_not_need),
		TEST(calls__that_failed_come_before_long_ones),
		TEST(others__are_chosen_evenly_with_both_ends),
		TEST(a_window__is_all_that_is_looked_at),
		TEST(counters__are_summed_up_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
