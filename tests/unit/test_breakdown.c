/* Components: whose a sample is, and that nothing is lost or counted twice. */
#include "unit.h"

#include "tree/breakdown.h"
#include "unit_profile.h"

static const char rules[] = "Lib:\n\tmodule: lib.so\n\tHash:\n\t\thash*\nIO:\n\tread\nIdle:\n\tz\n";

static const struct unit_stack stacks[] = {
	{ "main;hash1@lib.so", 10 },
	{ "main;copy@lib.so;memcpy@libc.so", 5 },
	{ "main;read;hash2@lib.so;memcpy@libc.so", 3 },
	{ "main", 2 },
	{ "main;[app+0x12]@app!u", 4 },
	{ "[truncated: no unwind info]@app!p;work", 6 },
	{ "[truncated: no registers]@app!p", 1 },
};

static const struct breakdown_row *row_named(const struct breakdown *breakdown, const char *name)
{
	for (size_t i = 0; i < breakdown->n_rows; i++)
		if (strcmp(breakdown->rows[i].name, name) == 0)
			return &breakdown->rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

static uint64_t ticks_of(const struct breakdown *breakdown, const char *name)
{
	return row_named(breakdown, name)->value.n_ticks;
}

/* Topmost rows add up to TOTAL, the rows inside a row to that row, and order and depths fit. */
static void check_sums(const struct breakdown *breakdown)
{
	const size_t n_rows = breakdown->n_rows;
	const struct breakdown_row *rows = breakdown->rows;
	struct calltree_value top = { 0 };

	for (size_t i = 0; i < n_rows; i++) {
		struct calltree_value inside = { 0 };
		size_t n_inside = 0;

		if (rows[i].parent == BREAKDOWN_TOP && rows[i].kind != BREAKDOWN_TOTAL)
			calltree_value_add(&top, &rows[i].value);
		assert_true(rows[i].parent == BREAKDOWN_TOP || rows[i].parent < i);
		assert_int_equal(rows[i].depth, rows[i].parent == BREAKDOWN_TOP
							? 0
							: rows[rows[i].parent].depth + 1);
		for (size_t j = i + 1; j < n_rows; j++) {
			if (rows[j].parent != i)
				continue;
			calltree_value_add(&inside, &rows[j].value);
			n_inside++;
		}
		if (n_inside)
			assert_memory_equal(&inside, &rows[i].value, sizeof(inside));
	}
	assert_int_equal(rows[n_rows - 1].kind, BREAKDOWN_TOTAL);
	assert_memory_equal(&top, &rows[n_rows - 1].value, sizeof(top));
	assert_memory_equal(&top, &breakdown->tree->nodes[0].total, sizeof(top));
}

static void breakdown__gives_a_sample_to_the_innermost_claim(void **state)
{
	struct components components;
	struct breakdown breakdown;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	assert_int_equal(components_parse(&components, rules, sizeof(rules) - 1, "rules", NULL), 0);
	assert_int_equal(breakdown_build(&breakdown, &tree, &components, 4, NULL), 0);
	check_sums(&breakdown);
	assert_int_equal(ticks_of(&breakdown, "Lib"), 18);
	assert_int_equal(ticks_of(&breakdown, "Hash"), 13);
	assert_int_equal(ticks_of(&breakdown, "(not in a part)"), 5);
	assert_int_equal(ticks_of(&breakdown, "IO"), 0);
	assert_int_equal(ticks_of(&breakdown, "Idle"), 0);
	assert_int_equal(ticks_of(&breakdown, "UNEXPLAINED"), 13);
	assert_int_equal(ticks_of(&breakdown, "no rule claims it"), 2);
	assert_int_equal(ticks_of(&breakdown, "no symbols"), 4);
	assert_int_equal(ticks_of(&breakdown, "stack not unwound"), 7);
	assert_int_equal(ticks_of(&breakdown, "TOTAL"), 31);
	breakdown_release(&breakdown);
	components_release(&components);
	calltree_release(&tree);
	profile_release(&profile);
}

static void breakdown__makes_components_of_modules(void **state)
{
	struct breakdown breakdown;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_add(&profile, "a@lib.so", 2);
	unit_profile_add(&profile, "b@lib.so", 1);
	unit_profile_tree(&tree, &profile);
	assert_int_equal(breakdown_build(&breakdown, &tree, NULL, 1, NULL), 0);
	check_sums(&breakdown);
	assert_string_equal(breakdown.rows[0].name, "lib.so");
	assert_string_equal(breakdown.rows[1].name, "hash1");
	assert_string_equal(breakdown.rows[2].name, "other 2 functions");
	assert_int_equal(ticks_of(&breakdown, "lib.so"), 13);
	assert_int_equal(ticks_of(&breakdown, "libc.so"), 8);
	assert_int_equal(ticks_of(&breakdown, "app"), 12);
	assert_int_equal(ticks_of(&breakdown, "UNEXPLAINED"), 1);
	breakdown_release(&breakdown);
	calltree_release(&tree);
	profile_release(&profile);
}

static uint32_t scope_named(struct profile *profile, uint32_t parent, const char *name)
{
	struct mark_site site = { .kind = MARK_SCOPE };
	uint32_t id;
	uint32_t node;

	assert_int_equal(interner_add(&profile->strings, &site.name, name), 0);
	assert_int_equal(marks_add_site(&profile->marks, &id, &site), 0);
	assert_int_equal(scope_tree_get(&profile->marks.scopes, &node, parent, id), 0);
	return node;
}

static void add_in_scope(struct profile *profile, uint32_t scope, const char *frames,
			 uint32_t n_ticks)
{
	unit_profile_add(profile, frames, n_ticks);
	profile->samples[profile->n_samples - 1].scope = scope;
}

static void breakdown__gives_scopes_what_no_frame_is_claimed_of(void **state)
{
	static const char phases[] = "Load:\n\tscope: load*\n\tIndex:\n\t\tscope: index\n"
				     "Hash:\n\thash*\nRun:\n\tscope: run\n";
	struct view view = VIEW_INIT;
	struct components components;
	struct breakdown breakdown;
	struct profile profile;
	struct calltree tree;
	uint32_t load;
	uint32_t index;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	load = scope_named(&profile, 0, "load it");
	index = scope_named(&profile, load, "index");
	add_in_scope(&profile, load, "main;copy@lib.so", 1);
	add_in_scope(&profile, load, "main;hash1@lib.so", 2);
	add_in_scope(&profile, index, "main;copy@lib.so", 4);
	add_in_scope(&profile, scope_named(&profile, index, "other"), "main;copy@lib.so", 8);
	add_in_scope(&profile, index, "[truncated: bad memory]@app!p;copy@lib.so", 16);
	add_in_scope(&profile, 999999, "main;read", 32);
	view.with_process = false;
	for (int by_thread = 0; by_thread < 2; by_thread++) {
		view.with_thread = by_thread;
		view.with_scopes_inside = true;
		assert_int_equal(calltree_build(&tree, &profile, &view, NULL), 0);
		assert_int_equal(components_parse(&components, phases, sizeof(phases) - 1, "rules",
						  NULL),
				 0);
		assert_int_equal(breakdown_build(&breakdown, &tree, &components, 4, NULL), 0);
		check_sums(&breakdown);
		assert_int_equal(ticks_of(&breakdown, "Load"), 1 + 4 + 8 + 16);
		assert_int_equal(ticks_of(&breakdown, "Index"), 4 + 8 + 16);
		assert_int_equal(ticks_of(&breakdown, "Hash"), 10 + 3 + 2);
		assert_int_equal(ticks_of(&breakdown, "Run"), 0);
		assert_int_equal(ticks_of(&breakdown, "UNEXPLAINED"), 31 - 13 + 32);
		breakdown_release(&breakdown);
		components_release(&components);
		calltree_release(&tree);
	}
	profile_release(&profile);
}

static void breakdown__of_nothing_is_a_total_of_nothing(void **state)
{
	struct breakdown breakdown;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	unit_profile_tree(&tree, &profile);
	assert_int_equal(breakdown_build(&breakdown, &tree, NULL, 4, NULL), 0);
	assert_int_equal(breakdown.n_rows, 2);
	check_sums(&breakdown);
	breakdown_release(&breakdown);
	calltree_release(&tree);
	profile_release(&profile);
}

static uint32_t random_below(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void add_random_stack(struct profile *profile, uint32_t *seed)
{
	static const char *const names[] = {
		"a@lib.so",  "hash@lib.so", "read",	  "b",
		"c@libc.so", "z",	    "d@[kernel]", "[x+0x1]@x!u"
	};
	char text[512] = "";

	if (random_below(seed, 4) == 0)
		strcat(text, "[truncated: bad memory]@x!p;");
	strcat(text, "main");
	for (uint32_t n = random_below(seed, 12); n > 0; n--) {
		strcat(text, ";");
		strcat(text, names[random_below(seed, N_ITEMS(names))]);
	}
	unit_profile_add(profile, text, 1 + random_below(seed, 9));
}

static void breakdown__sums_hold_for_random_profiles(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (size_t round = 0; round < 100; round++) {
		struct components components;
		struct breakdown breakdown;
		struct profile profile;
		struct calltree tree;

		unit_profile_init(&profile, NULL, 0);
		for (uint32_t n = random_below(&seed, 100); n > 0; n--)
			add_random_stack(&profile, &seed);
		unit_profile_tree(&tree, &profile);
		assert_int_equal(
			components_parse(&components, rules, sizeof(rules) - 1, "rules", NULL), 0);
		assert_int_equal(breakdown_build(&breakdown, &tree, &components, round % 4, NULL),
				 0);
		check_sums(&breakdown);
		breakdown_release(&breakdown);
		assert_int_equal(breakdown_build(&breakdown, &tree, NULL, round % 4, NULL), 0);
		check_sums(&breakdown);
		breakdown_release(&breakdown);
		components_release(&components);
		calltree_release(&tree);
		profile_release(&profile);
	}
}

static void breakdown__tells_time_that_was_not_sampled(void **state)
{
	struct components components;
	struct breakdown breakdown;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_add(&profile, "[not sampled: no tick fell into it]@app!p", 0);
	profile.samples[profile.n_samples - 1].weight_ns = 9000000;
	unit_profile_tree(&tree, &profile);
	assert_int_equal(components_parse(&components, rules, sizeof(rules) - 1, "rules", NULL), 0);
	assert_int_equal(breakdown_build(&breakdown, &tree, &components, 4, NULL), 0);
	check_sums(&breakdown);
	assert_int_equal(row_named(&breakdown, "not sampled")->value.weight_ns, 9000000);
	assert_int_equal(ticks_of(&breakdown, "not sampled"), 0);
	breakdown_release(&breakdown);
	components_release(&components);
	calltree_release(&tree);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breakdown__gives_a_sample_to_the_innermost_claim),
		cmocka_unit_test(breakdown__makes_components_of_modules),
		cmocka_unit_test(breakdown__gives_scopes_what_no_frame_is_claimed_of),
		cmocka_unit_test(breakdown__of_nothing_is_a_total_of_nothing),
		cmocka_unit_test(breakdown__sums_hold_for_random_profiles),
		cmocka_unit_test(breakdown__tells_time_that_was_not_sampled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
