/* Milestones and the phases between them against a count by hand. */
#include "unit.h"

#include <stdbool.h>

#include "base/units.h"
#include "tree/milestone_rows.h"

enum { START_MS = 1000 };

static uint32_t text_id(struct profile *profile, const char *text)
{
	uint32_t id;

	assert_int_equal(interner_add(&profile->strings, &id, text), 0);
	return id;
}

static int set_up(void **state)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	*state = profile;
	if (!profile || profile_init(profile) < 0)
		return -1;
	profile->info.has_times = true;
	profile->info.start_ns = START_MS * NS_PER_MS;
	profile->info.duration_ns = 100 * NS_PER_MS;
	for (uint32_t i = 0; i < 2; i++) {
		const struct thread thread = {
			.pid = 10,
			.tid = 10 + i,
			.name = text_id(profile, i ? "worker" : "main"),
			.process_name = text_id(profile, "main"),
		};

		assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	profile_release(*state);
	free(*state);
	return 0;
}

static void pass(struct profile *profile, const char *name, uint64_t at_ms, uint32_t thread)
{
	const struct mark_site site = { .name = text_id(profile, name), .kind = MARK_MILESTONE };
	struct milestone milestone = { .time_ns = (START_MS + at_ms) * NS_PER_MS,
				       .thread = thread };

	assert_int_equal(marks_add_site(&profile->marks, &milestone.site, &site), 0);
	assert_int_equal(marks_add_milestone(&profile->marks, &milestone), 0);
}

static void sample(struct profile *profile, uint64_t at_ms, uint32_t thread, uint8_t state)
{
	const struct sample taken = {
		.time_ns = (START_MS + at_ms) * NS_PER_MS,
		.weight_ns = NS_PER_MS,
		.count = 1,
		.thread = thread,
		.state = state,
	};

	assert_int_equal(profile_add_sample(profile, &taken), 0);
}

static void build(struct milestone_rows *rows, const struct profile *profile, struct view view)
{
	struct error err = ERROR_INIT;

	if (view_resolve(&view, profile, &err) < 0 ||
	    milestone_rows_build(rows, profile, &view, &err) < 0)
		fail_msg("%s", err.message);
	view_release(&view);
}

static void check_phase(const struct profile *profile, const struct phase_row *phase,
			const char *from, const char *to, uint64_t total_ms)
{
	assert_string_equal(phase->from == PHASE_EDGE
				    ? "start"
				    : interner_get(&profile->strings, phase->from),
			    from);
	assert_string_equal(phase->to == PHASE_EDGE ? "end"
						    : interner_get(&profile->strings, phase->to),
			    to);
	assert_int_equal(phase->total_ns, total_ms * NS_PER_MS);
}

static void check_row(const struct milestone_row *row, uint64_t delta_ms, uint64_t cpu_ms)
{
	assert_int_equal(row->delta_ns, delta_ms * NS_PER_MS);
	assert_int_equal(row->cpu_ns, cpu_ms * NS_PER_MS);
}

static void milestones__are_in_order_with_the_time_between(void **state)
{
	struct profile *profile = *state;
	struct milestone_rows rows;

	pass(profile, "ready", 30, 1);
	pass(profile, "loaded", 10, 0);
	pass(profile, "done", 90, MARK_NO_THREAD);
	sample(profile, 9, 0, SAMPLE_RUNNING);
	sample(profile, 10, 0, SAMPLE_RUNNING); /* of the phase that begins there */
	sample(profile, 11, 1, SAMPLE_RUNNING);
	sample(profile, 12, 1, SAMPLE_WAITING);
	sample(profile, 95, 1, SAMPLE_RUNNING);
	build(&rows, profile, VIEW_INIT);
	assert_int_equal(rows.n_rows, 3);
	assert_int_equal(rows.rows[0].at_ns, 10 * NS_PER_MS);
	check_row(&rows.rows[0], 10, 1);
	check_row(&rows.rows[1], 20, 2);
	check_row(&rows.rows[2], 60, 0);
	assert_int_equal(rows.n_phases, 4);
	check_phase(profile, &rows.phases[0], "start", "loaded", 10);
	check_phase(profile, &rows.phases[1], "loaded", "ready", 20);
	check_phase(profile, &rows.phases[2], "ready", "done", 60);
	check_phase(profile, &rows.phases[3], "done", "end", 10);
	assert_int_equal(rows.phases[3].cpu_ns, NS_PER_MS);
	milestone_rows_release(&rows);
}

/* Ticks of a loop: the durations 1, 2, … 20 ms, not in that order. */
static void phases__that_repeat_are_one_row(void **state)
{
	struct profile *profile = *state;
	struct milestone_rows rows;
	uint64_t at_ms = 0;

	profile->info.duration_ns = 500 * NS_PER_MS;
	pass(profile, "tick", at_ms, 0);
	for (uint64_t i = 0; i < 20; i++) {
		at_ms += 1 + i * 7 % 20;
		sample(profile, at_ms - 1, 0, SAMPLE_RUNNING);
		pass(profile, "tick", at_ms, 0);
	}
	build(&rows, profile, VIEW_INIT);
	assert_int_equal(rows.n_rows, 21);
	assert_int_equal(rows.n_phases, 3);
	check_phase(profile, &rows.phases[1], "tick", "tick", 210);
	assert_int_equal(rows.phases[1].n_times, 20);
	assert_int_equal(rows.phases[1].min_ns, 1 * NS_PER_MS);
	assert_int_equal(rows.phases[1].median_ns, 10 * NS_PER_MS);
	assert_int_equal(rows.phases[1].p95_ns, 19 * NS_PER_MS);
	assert_int_equal(rows.phases[1].max_ns, 20 * NS_PER_MS);
	assert_int_equal(rows.phases[1].cpu_ns, 20 * NS_PER_MS);
	milestone_rows_release(&rows);
}

/* What a window shows is what is shown without it, less what lies outside. */
static void a_window__changes_no_figure(void **state)
{
	struct profile *profile = *state;
	struct view view = VIEW_INIT;
	struct milestone_rows rows;

	pass(profile, "loaded", 10, 0);
	pass(profile, "ready", 30, 0);
	pass(profile, "done", 90, 0);
	sample(profile, 20, 0, SAMPLE_RUNNING);
	view.from = "ready";
	build(&rows, profile, view);
	assert_int_equal(rows.n_rows, 2);
	check_row(&rows.rows[0], 20, 1);
	assert_int_equal(rows.n_phases, 2);
	check_phase(profile, &rows.phases[0], "ready", "done", 60);
	milestone_rows_release(&rows);
}

static void a_view_of_threads__has_their_milestones_and_cpu_time(void **state)
{
	struct profile *profile = *state;
	struct view view = VIEW_INIT;
	struct milestone_rows rows;

	pass(profile, "a", 10, 0);
	pass(profile, "b", 20, 1);
	pass(profile, "c", 30, MARK_NO_THREAD);
	pass(profile, "d", 40, 1);
	sample(profile, 25, 0, SAMPLE_RUNNING);
	sample(profile, 26, 1, SAMPLE_RUNNING);
	view.thread = "worker";
	build(&rows, profile, view);
	assert_int_equal(rows.n_rows, 2);
	assert_int_equal(rows.rows[0].delta_ns, 20 * NS_PER_MS);
	check_row(&rows.rows[1], 20, 1);
	milestone_rows_release(&rows);
}

static void runs_of_a_merged_profile__are_apart(void **state)
{
	struct profile *profile = *state;
	struct profile_info run = profile->info;
	struct milestone_rows rows;

	assert_int_equal(profile_add_run(profile, NULL, &run), 0);
	run.duration_ns = 50 * NS_PER_MS;
	assert_int_equal(profile_add_run(profile, NULL, &run), 0);
	profile->threads[1].run = 1;
	pass(profile, "loaded", 10, 0);
	pass(profile, "ready", 30, 0);
	pass(profile, "loaded", 20, 1);
	pass(profile, "ready", 25, 1);
	profile->marks.milestones[2].run = profile->marks.milestones[3].run = 1;
	sample(profile, 22, 0, SAMPLE_RUNNING);
	sample(profile, 22, 1, SAMPLE_RUNNING);
	build(&rows, profile, VIEW_INIT);
	assert_int_equal(rows.n_rows, 4);
	assert_int_equal(rows.rows[1].at_ns, 20 * NS_PER_MS);
	assert_int_equal(rows.rows[1].delta_ns, 20 * NS_PER_MS);
	check_row(&rows.rows[2], 5, 1);
	assert_int_equal(rows.n_phases, 3);
	check_phase(profile, &rows.phases[1], "loaded", "ready", 25);
	assert_int_equal(rows.phases[1].n_times, 2);
	check_phase(profile, &rows.phases[2], "ready", "end", 70 + 25);
	assert_int_equal(rows.duration_ns, 150 * NS_PER_MS);
	milestone_rows_release(&rows);
}

static void many__take_no_time(void **state)
{
	struct profile *profile = *state;
	struct milestone_rows rows;
	uint64_t random = 1;

	pass(profile, "tick", 0, 0);
	for (uint32_t i = 0; i < 200000; i++) {
		struct milestone milestone = { .thread = 0 };

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		milestone.time_ns = START_MS * NS_PER_MS + (random >> 33) % (100 * NS_PER_MS);
		assert_int_equal(marks_add_milestone(&profile->marks, &milestone), 0);
		sample(profile, i % 100, 0, SAMPLE_RUNNING);
	}
	build(&rows, profile, VIEW_INIT);
	assert_int_equal(rows.n_rows, 200001);
	assert_int_equal(rows.n_phases, 3);
	assert_int_equal(rows.phases[1].cpu_ns + rows.phases[2].cpu_ns + rows.phases[0].cpu_ns,
			 200000 * NS_PER_MS);
	milestone_rows_release(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(milestones__are_in_order_with_the_time_between),
		TEST(phases__that_repeat_are_one_row),
		TEST(a_window__changes_no_figure),
		TEST(a_view_of_threads__has_their_milestones_and_cpu_time),
		TEST(runs_of_a_merged_profile__are_apart),
		TEST(many__take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
