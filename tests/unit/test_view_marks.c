/* Samples in scopes and phases, and waits that go on through several. */
#include "unit.h"

#include <errno.h>

#include "tree/calltree.h"
#include "tree/view_marks.h"
#include "tree/view_parts.h"
#include "unit_marks.h"
#include "unit_profile.h"

enum { START_NS = 1000 };

static void init(struct profile *profile)
{
	unit_profile_init(profile, NULL, 0);
	profile->info.start_ns = START_NS;
	profile->info.duration_ns = 100;
}

static void resolve(struct view *view, const struct profile *profile)
{
	struct error err = ERROR_INIT;

	if (view_resolve(view, profile, &err) < 0)
		fail_msg("%s", err.message);
}

static void refuse(struct view *view, const struct profile *profile, const char *expected)
{
	struct error err = ERROR_INIT;

	assert_int_equal(view_resolve(view, profile, &err), -EINVAL);
	if (!strstr(err.message, expected))
		fail_msg("'%s' is not in '%s'", expected, err.message);
	view_release(view);
}

static void view_scopes__have_what_is_inside(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;
	uint32_t parse, inner, other, again;

	(void)state;
	init(&profile);
	parse = unit_marks_add_scope(&profile, "run/parse");
	inner = unit_marks_add_scope(&profile, "run/parse/read");
	again = unit_marks_add_scope(&profile, "run/parse/read/parse");
	other = unit_marks_add_scope(&profile, "run/read");
	view.in_scope = "parse";
	resolve(&view, &profile);
	assert_true(view_scopes_have(&view.marks->scopes, parse));
	assert_true(view_scopes_have(&view.marks->scopes, inner));
	assert_true(view_scopes_have(&view.marks->scopes, again));
	assert_false(view_scopes_have(&view.marks->scopes, other));
	assert_false(view_scopes_have(&view.marks->scopes, 0));
	assert_false(view_scopes_have(&view.marks->scopes, UINT32_MAX));
	view_release(&view);
	profile_release(&profile);
}

static void view_scopes__know_globs_and_categories(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;
	uint32_t read, disk, deep;

	(void)state;
	init(&profile);
	read = unit_marks_add_scope(&profile, "read_net:net");
	disk = unit_marks_add_scope(&profile, "read_disk:disk");
	deep = unit_marks_add_scope(&profile, "read_disk:disk/decode");
	view.in_scope = "read_*";
	view.category = "d?sk";
	resolve(&view, &profile);
	assert_false(view_scopes_have(&view.marks->scopes, read));
	assert_true(view_scopes_have(&view.marks->scopes, disk));
	assert_true(view_scopes_have(&view.marks->scopes, deep));
	view_release(&view);
	view.in_scope = "decode";
	resolve(&view, &profile);
	assert_false(view_scopes_have(&view.marks->scopes, disk));
	assert_true(view_scopes_have(&view.marks->scopes, deep));
	view_release(&view);
	profile_release(&profile);
}

static void view_resolve__refuses_what_there_is_not(void **state)
{
	struct profile profile;

	(void)state;
	init(&profile);
	refuse(&(struct view){ .from = "x", .to_ns = UINT64_MAX }, &profile, "no milestones");
	refuse(&(struct view){ .phase = "x..", .to_ns = UINT64_MAX }, &profile, "no milestones");
	refuse(&(struct view){ .in_scope = "x", .to_ns = UINT64_MAX }, &profile, "no scopes");
	refuse(&(struct view){ .category = "x", .to_ns = UINT64_MAX }, &profile, "no scopes");
	refuse(&(struct view){ .by = VIEW_BY_PHASE, .to_ns = UINT64_MAX }, &profile,
	       "no milestones");
	refuse(&(struct view){ .by = VIEW_BY_SCOPE, .to_ns = UINT64_MAX }, &profile, "no scopes");
	(void)unit_marks_add_scope(&profile, "parse");
	refuse(&(struct view){ .in_scope = "prase", .to_ns = UINT64_MAX }, &profile,
	       "(did you mean parse?); there is parse");
	refuse(&(struct view){ .category = "x", .to_ns = UINT64_MAX }, &profile,
	       "no scope has a category");
	refuse(&(struct view){ .by = VIEW_BY_CATEGORY, .to_ns = UINT64_MAX }, &profile,
	       "no scope of the profile has a category");
	profile.info.has_times = false;
	refuse(&(struct view){ .from = "1s", .to_ns = UINT64_MAX }, &profile, "no times");
	refuse(&(struct view){ .by = VIEW_BY_PHASE, .to_ns = UINT64_MAX }, &profile, "no times");
	profile_release(&profile);
}

static void view_resolve__lists_no_more_than_a_line(void **state)
{
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	struct profile profile;
	char name[300];

	(void)state;
	init(&profile);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (uint64_t i = 0; i < 50; i++) {
		name[0] = (char)('A' + i);
		name[1] = '\n';
		unit_marks_add_milestone(&profile, 0, i, name);
		unit_marks_add_milestone(&profile, 0, i, name);
	}
	view.from = "nothing";
	assert_int_equal(view_resolve(&view, &profile, &err), -EINVAL);
	assert_non_null(strstr(err.message, " and 38 more"));
	assert_null(strchr(err.message, '\n'));
	view_release(&view);
	profile_release(&profile);
}

/* "kind weight count; …" of the parts of a wait from 5 to 75 ns, of 7 ticks. */
static void write_parts(struct buffer *out, const struct view *view, const struct profile *profile,
			const struct sample *sample)
{
	struct view_parts parts;
	struct view_part part;

	view_parts_init(&parts, view, profile, sample);
	while (view_parts_next(&parts, &part)) {
		buffer_add_string(out, out->size ? "; " : "");
		view_part_add_name(view, profile, part.group, out);
		buffer_printf(out, " %llu %llu", (unsigned long long)part.sample.weight_ns,
			      (unsigned long long)part.sample.count);
	}
}

static void view_parts__cut_waits_at_milestones(void **state)
{
	static const struct {
		const char *phase, *parts;
	} expected[] = {
		{ NULL, "start → a 5 1; a → b 20 2; b → a 10 1; a → b 20 2; b → end 15 1" },
		{ "a..b", "a → b 20 2; a → b 20 2" },
		{ "b#1..a", "b → a 10 1" },
	};
	const struct sample wait = {
		.time_ns = START_NS + 5, .weight_ns = 70, .count = 7, .state = SAMPLE_LOCK
	};
	struct profile profile;

	(void)state;
	init(&profile);
	unit_marks_add_milestones(&profile, "a@10 b@30 a@40 b@60");
	for (size_t i = 0; i < N_ITEMS(expected); i++) {
		struct view view = VIEW_INIT;
		struct buffer text = BUFFER_INIT;

		view.phase = expected[i].phase;
		view.by = VIEW_BY_PHASE;
		view.states = SAMPLE_STATES_ALL;
		resolve(&view, &profile);
		write_parts(&text, &view, &profile, &wait);
		assert_string_equal(buffer_string(&text), expected[i].parts);
		buffer_release(&text);
		view_release(&view);
	}
	profile_release(&profile);
}

/* Whatever the wait and the window, the parts are what view_clip leaves. */
static void view_parts__add_up(void **state)
{
	static const char *const phases[] = { NULL, "a..b", "b..a", "..a", "b.." };
	const uint64_t numbers[] = { 0,	   1,	 5,  990, 1000, 1007, 1010,	 1030,
				     1035, 1060, 75, 33,  99,	2000, INT64_MAX, UINT64_MAX };
	struct profile profile;

	(void)state;
	init(&profile);
	unit_marks_add_milestones(&profile, "a@10 b@30 c@30 a@40 b@60");
	for (size_t i = 0; i < N_ITEMS(phases); i++) {
		struct view view = VIEW_INIT;

		view.phase = phases[i];
		view.by = VIEW_BY_PHASE;
		view.states = SAMPLE_STATES_ALL;
		resolve(&view, &profile);
		for (size_t k = 0; k < N_ITEMS(numbers) * N_ITEMS(numbers); k++) {
			struct sample wait = { .time_ns = numbers[k % N_ITEMS(numbers)],
					       .weight_ns = numbers[k / N_ITEMS(numbers)],
					       .count = 13,
					       .state = SAMPLE_POLL };
			uint64_t weight_ns = 0, count = 0;
			struct view_parts parts;
			struct view_part part;

			/* Beyond the end of all time it is cut by that alone. */
			if (wait.weight_ns > UINT64_MAX - wait.time_ns)
				continue;
			view_parts_init(&parts, &view, &profile, &wait);
			while (view_parts_next(&parts, &part)) {
				assert_true(part.sample.weight_ns > 0 || !wait.weight_ns);
				weight_ns += part.sample.weight_ns;
				count += part.sample.count;
			}
			if (!view_clip(&view, &profile, &wait))
				wait.weight_ns = wait.count = 0;
			assert_int_equal(weight_ns, wait.weight_ns);
			assert_int_equal(count, wait.count);
		}
		view_release(&view);
	}
	profile_release(&profile);
}

static void view_parts__know_no_group_of_what_was_not_sampled(void **state)
{
	const struct sample rest = { .time_ns = START_NS + 20,
				     .weight_ns = 1,
				     .end = STACK_NOT_SAMPLED };
	static const enum view_by by[] = { VIEW_BY_PHASE, VIEW_BY_SCOPE };
	struct profile profile;

	(void)state;
	init(&profile);
	unit_marks_add_milestones(&profile, "a@10");
	(void)unit_marks_add_scope(&profile, "parse");
	for (size_t i = 0; i < N_ITEMS(by); i++) {
		struct view view = VIEW_INIT;
		struct buffer text = BUFFER_INIT;

		view.by = by[i];
		resolve(&view, &profile);
		write_parts(&text, &view, &profile, &rest);
		assert_string_equal(buffer_string(&text), "[not sampled] 1 0");
		buffer_release(&text);
		view_release(&view);
	}
	profile_release(&profile);
}

static void view_duration_ns__is_the_sum_of_the_intervals(void **state)
{
	static const struct {
		const char *from, *phase;
		uint64_t duration_ns;
	} expected[] = {
		{ NULL, NULL, 100 },  { NULL, "a..b", 40 }, { NULL, "b..", 70 },
		{ "20ns", NULL, 80 }, { "b", "a..b", 20 },
	};
	struct profile profile;

	(void)state;
	init(&profile);
	unit_marks_add_milestones(&profile, "a@10 b@30 a@40 b@60");
	for (size_t i = 0; i < N_ITEMS(expected); i++) {
		struct view view = VIEW_INIT;

		view.from = expected[i].from;
		view.phase = expected[i].phase;
		resolve(&view, &profile);
		assert_int_equal(view_duration_ns(&view, &profile), expected[i].duration_ns);
		view_release(&view);
	}
	profile_release(&profile);
}

static void calltree__has_scopes_as_frames(void **state)
{
	struct view view = VIEW_INIT;
	struct calltree tree;
	struct profile profile;
	const struct calltree_node *node;

	(void)state;
	init(&profile);
	unit_profile_add(&profile, "main;walk", 1);
	profile.samples[0].scope = unit_marks_add_scope(&profile, "walk/walk");
	view.by = VIEW_BY_SCOPE;
	view.with_scopes = true;
	resolve(&view, &profile);
	assert_int_equal(calltree_build(&tree, &profile, &view, NULL), 0);
	assert_int_equal(tree.n_nodes, 5);
	node = &tree.nodes[tree.nodes[0].first_child];
	assert_int_equal(tree.frames[node->frame].label_kind, LABEL_SCOPE);
	assert_string_equal(calltree_frame_name(&tree, &tree.frames[node->frame]), "walk");
	node = &tree.nodes[node->first_child];
	assert_int_equal(tree.frames[node->frame].label_kind, LABEL_SCOPE);
	node = &tree.nodes[node->first_child];
	assert_false(tree.frames[node->frame].is_label);
	calltree_release(&tree);
	view_release(&view);
	profile_release(&profile);
}

static void calltree__has_phases_in_order_of_time(void **state)
{
	static const char *const names[] = { "start → z", "z → y", "y → end" };
	struct view view = VIEW_INIT;
	struct calltree tree;
	struct profile profile;
	uint32_t at;

	(void)state;
	init(&profile);
	unit_marks_add_milestones(&profile, "z@10 y@20");
	for (size_t i = 0; i < 3; i++) {
		unit_profile_add(&profile, "main", 1);
		profile.samples[i].time_ns = START_NS + 25 - 10 * i;
	}
	view.by = VIEW_BY_PHASE;
	resolve(&view, &profile);
	assert_int_equal(calltree_build(&tree, &profile, &view, NULL), 0);
	assert_int_equal(calltree_sort_by_name(&tree), 0);
	at = tree.nodes[0].first_child;
	for (size_t i = 0; i < 3; i++, at = tree.nodes[at].next_sibling)
		assert_string_equal(calltree_frame_name(&tree, &tree.frames[tree.nodes[at].frame]),
				    names[i]);
	assert_int_equal(at, 0);
	calltree_release(&tree);
	view_release(&view);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_scopes__have_what_is_inside),
		cmocka_unit_test(view_scopes__know_globs_and_categories),
		cmocka_unit_test(view_resolve__refuses_what_there_is_not),
		cmocka_unit_test(view_resolve__lists_no_more_than_a_line),
		cmocka_unit_test(view_parts__cut_waits_at_milestones),
		cmocka_unit_test(view_parts__add_up),
		cmocka_unit_test(view_parts__know_no_group_of_what_was_not_sampled),
		cmocka_unit_test(view_duration_ns__is_the_sum_of_the_intervals),
		cmocka_unit_test(calltree__has_scopes_as_frames),
		cmocka_unit_test(calltree__has_phases_in_order_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
