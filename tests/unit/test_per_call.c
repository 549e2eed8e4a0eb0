/* What a call takes: the rows add up to what the scope measured, and calls are counted once. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include "tree/per_call.h"
#include "unit_profile.h"

static uint32_t site_of(struct profile *profile, const char *name, uint32_t sample_rate)
{
	struct mark_site site = { .kind = MARK_SCOPE, .sample_rate = sample_rate };
	uint32_t id;

	assert_int_equal(interner_add(&profile->strings, &site.name, name), 0);
	assert_int_equal(marks_add_site(&profile->marks, &id, &site), 0);
	return id;
}

/* A scope inside another that was called so often, each time so long. */
static uint32_t scope_of(struct profile *profile, uint32_t parent, uint32_t site, uint64_t n_calls,
			 uint64_t duration_ns)
{
	uint32_t node;

	assert_int_equal(scope_tree_get(&profile->marks.scopes, &node, parent, site), 0);
	for (uint64_t i = 0; i < n_calls; i++)
		assert_int_equal(scope_tree_add_call(&profile->marks.scopes, node, duration_ns, 0),
				 0);
	return node;
}

static void add_inside(struct profile *profile, uint32_t scope, const char *frames,
		       uint32_t n_ticks)
{
	for (uint32_t i = 0; i < n_ticks; i++) {
		unit_profile_add(profile, frames, 1);
		profile->samples[profile->n_samples - 1].scope = scope;
	}
}

static void add_wait(struct profile *profile, uint32_t scope, enum sample_state state,
		     uint64_t weight_ns)
{
	unit_profile_add(profile, "main;wait", 1);
	profile->samples[profile->n_samples - 1].scope = scope;
	profile->samples[profile->n_samples - 1].state = (uint8_t)state;
	profile->samples[profile->n_samples - 1].weight_ns = weight_ns;
	profile->quality.n_waits++;
}

/* Everything that `report --breakdown --per NAME` does, and what it leaves behind. */
struct made {
	struct view view;
	struct calltree tree;
	struct breakdown breakdown;
	struct per_call per_call;
};

static void make(struct made *made, const struct profile *profile, const char *name)
{
	struct per_call_waits waits;
	struct scope_calls calls;

	made->view = VIEW_INIT;
	made->view.with_process = false;
	made->view.states = SAMPLE_STATES_RUNNING;
	made->view.in_scope = name;
	assert_int_equal(view_resolve(&made->view, profile, NULL), 0);
	assert_int_equal(scope_calls_find(&calls, profile, &made->view, NULL), 0);
	assert_int_equal(calltree_build(&made->tree, profile, &made->view, NULL), 0);
	assert_int_equal(breakdown_build(&made->breakdown, &made->tree, NULL, 4, NULL), 0);
	per_call_find_waits(&waits, profile, &made->view);
	assert_int_equal(
		per_call_build(&made->per_call, &made->breakdown, &calls, &waits, name, NULL), 0);
}

static void made_release(struct made *made)
{
	per_call_release(&made->per_call);
	breakdown_release(&made->breakdown);
	calltree_release(&made->tree);
	view_release(&made->view);
}

/* The calls of the scope in a window; what scope_calls_find returns. */
static int find_calls(struct scope_calls *calls, const struct profile *profile, const char *name,
		      uint64_t from_ns, struct error *err)
{
	struct view view = VIEW_INIT;
	int r;

	view.from_ns = from_ns;
	view.in_scope = name;
	assert_int_equal(view_resolve(&view, profile, NULL), 0);
	r = scope_calls_find(calls, profile, &view, err);
	view_release(&view);
	return r;
}

static const struct per_call_row *find_row(const struct per_call *per_call, const char *name)
{
	for (size_t i = 0; i < per_call->n_rows; i++)
		if (strcmp(per_call->rows[i].name, name) == 0)
			return &per_call->rows[i];
	return NULL;
}

static double mean_of(const struct made *made, const char *name)
{
	const struct per_call_row *row = find_row(&made->per_call, name);

	if (!row)
		fail_msg("no row %s", name);
	return row->mean_ns;
}

static void check_near(double value, double expected)
{
	if (fabs(value - expected) > 1e-6 * fmax(1, fabs(expected)))
		fail_msg("%.9g is not %.9g", value, expected);
}

static void check_sums(const struct per_call *per_call)
{
	double top_ns = 0;
	double share = 0;

	for (size_t i = 0; i + 1 < per_call->n_rows; i++) {
		const struct per_call_row *row = &per_call->rows[i];

		if (row->parent != BREAKDOWN_TOP) {
			assert_true(row->parent < i);
			continue;
		}
		top_ns += row->mean_ns;
		share += row->share;
	}
	assert_int_equal(per_call->rows[per_call->n_rows - 1].kind, BREAKDOWN_TOTAL);
	check_near(top_ns, per_call->rows[per_call->n_rows - 1].mean_ns);
	check_near(share, 1);
}

static void per_call__divides_by_the_calls_and_gives_the_rest_to_waiting(void **state)
{
	struct profile profile;
	struct made made;
	uint32_t parse;
	uint32_t inner;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	parse = scope_of(&profile, 0, site_of(&profile, "parse", 1), 1000, 100000);
	inner = scope_of(&profile, parse, site_of(&profile, "read", 1), 3000, 1000);
	add_inside(&profile, parse, "main;lex@lex.so", 30);
	add_inside(&profile, inner, "main;read@libc.so", 40);
	add_inside(&profile, 0, "main;other@libz.so", 500);
	make(&made, &profile, "parse");
	check_sums(&made.per_call);
	check_near(mean_of(&made, "lex.so"), 30000);
	check_near(mean_of(&made, "libc.so"), 40000);
	check_near(mean_of(&made, "UNEXPLAINED"), 0);
	check_near(mean_of(&made, "WAITING"), 30000);
	check_near(mean_of(&made, "TOTAL"), 100000);
	assert_null(find_row(&made.per_call, "libz.so"));
	/* 30 of a Poisson count are between 21.0 and 42.8. */
	assert_true(fabs(find_row(&made.per_call, "lex.so")->interval_ns.low - 21017) < 30);
	assert_true(fabs(find_row(&made.per_call, "lex.so")->interval_ns.high - 42824) < 30);
	made_release(&made);
	profile_release(&profile);
}

static void per_call__shows_samples_that_are_more_than_was_measured(void **state)
{
	struct profile profile;
	struct made made;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	add_inside(&profile, scope_of(&profile, 0, site_of(&profile, "f", 1), 10, 900000), "f", 10);
	make(&made, &profile, "f");
	check_sums(&made.per_call);
	check_near(mean_of(&made, "app"), 1000000);
	check_near(mean_of(&made, "WAITING"), 0);
	check_near(mean_of(&made, "DIFFERENCE"), -100000);
	check_near(mean_of(&made, "TOTAL"), 900000);
	made_release(&made);
	profile_release(&profile);
}

static void per_call__tells_what_was_waited_for_where_that_is_known(void **state)
{
	struct profile profile;
	struct made made;
	uint32_t scope;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	scope = scope_of(&profile, 0, site_of(&profile, "f", 1), 2, 10000000);
	add_inside(&profile, scope, "f", 4);
	add_wait(&profile, scope, SAMPLE_LOCK, 9000000);
	add_wait(&profile, scope, SAMPLE_DISK, 5000000);
	add_wait(&profile, 0, SAMPLE_DISK, 7000000);
	make(&made, &profile, "f");
	check_sums(&made.per_call);
	check_near(mean_of(&made, "lock"), 4500000);
	check_near(mean_of(&made, "disk"), 2500000);
	check_near(mean_of(&made, "WAITING"), 7000000);
	check_near(mean_of(&made, "DIFFERENCE"), 1000000);
	assert_false(find_row(&made.per_call, "WAITING")->has_interval);
	made_release(&made);
	profile_release(&profile);
}

static void per_call__counts_recursion_once(void **state)
{
	struct profile profile;
	struct made made;
	uint32_t outer;
	uint32_t inner;
	uint32_t site;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	site = site_of(&profile, "walk", 1);
	outer = scope_of(&profile, 0, site, 10, 2000000);
	inner = scope_of(&profile, scope_of(&profile, outer, site_of(&profile, "x", 1), 10, 1000),
			 site_of(&profile, "walk", 1), 50, 100000);
	add_inside(&profile, outer, "main", 5);
	add_inside(&profile, inner, "main;main", 15);
	make(&made, &profile, "walk");
	check_sums(&made.per_call);
	check_near(made.per_call.calls.n_calls, 10);
	assert_int_equal(made.per_call.calls.n_inner, 50);
	check_near(mean_of(&made, "app"), 2000000);
	check_near(mean_of(&made, "TOTAL"), 2000000);
	made_release(&made);
	profile_release(&profile);
}

static void per_call__scales_calls_of_sampled_scopes_not_their_means(void **state)
{
	struct profile profile;
	struct made made;
	uint32_t site;
	uint32_t node;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	site = site_of(&profile, "hot", 100);
	node = scope_of(&profile, 0, site, 10, 1000);
	(void)scope_of(&profile, 0, site, 10, 3000);
	add_inside(&profile, node, "main", 1);
	make(&made, &profile, "hot");
	assert_true(made.per_call.calls.is_estimate);
	check_near(made.per_call.calls.n_calls, 20);
	check_near(made.per_call.calls.n_estimated, 2000);
	check_near(mean_of(&made, "TOTAL"), 2000);
	check_near(made.per_call.calls.deviation_ns, 1000 * sqrt(20.0 / 19));
	assert_true(find_row(&made.per_call, "TOTAL")->has_interval);
	made_release(&made);
	profile_release(&profile);
}

static void add_call(struct profile *profile, uint32_t node, uint64_t start_ns,
		     uint64_t duration_ns, uint8_t flags)
{
	const struct scope_call call = {
		.node = node, .start_ns = start_ns, .duration_ns = duration_ns, .flags = flags
	};

	assert_int_equal(marks_add_call(&profile->marks, &call), 0);
}

static void per_call__counts_calls_that_never_ended_where_they_are_known(void **state)
{
	struct scope_calls calls;
	struct profile profile;
	uint32_t node;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	node = scope_of(&profile, 0, site_of(&profile, "loop", 1), 1, 1000);
	profile.marks.scopes.nodes[node].n_open = 1;
	assert_int_equal(find_calls(&calls, &profile, "loop", 0, NULL), 0);
	check_near(calls.n_calls, 1);
	assert_int_equal(calls.n_unfinished, 1);
	add_call(&profile, node, 0, 5000, SCOPE_CALL_OPEN);
	assert_int_equal(find_calls(&calls, &profile, "loop", 0, NULL), 0);
	check_near(calls.n_calls, 2);
	check_near(scope_calls_mean_ns(&calls), 3000);
	assert_int_equal(calls.n_unfinished, 0);
	profile_release(&profile);
}

static void scope_calls__of_a_window_need_single_calls(void **state)
{
	struct error err = ERROR_INIT;
	struct scope_calls calls;
	struct profile profile;
	uint32_t node;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	profile.info.duration_ns = 10000;
	node = scope_of(&profile, 0, site_of(&profile, "f", 1), 2, 1000);
	assert_int_equal(find_calls(&calls, &profile, "f", 500, &err), -EINVAL);
	assert_non_null(strstr(err.message, "--keep-events"));
	add_call(&profile, node, 0, 1000, 0);
	add_call(&profile, node, 2000, 1000, 0);
	profile.marks.has_all_calls = true;
	assert_int_equal(find_calls(&calls, &profile, "f", 500, &err), 0);
	check_near(calls.n_calls, 1.5);
	check_near(scope_calls_mean_ns(&calls), 1000);
	assert_int_equal(find_calls(&calls, &profile, "f", 5000, &err), -EINVAL);
	assert_non_null(strstr(err.message, "no call of 'f' ended"));
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(per_call__divides_by_the_calls_and_gives_the_rest_to_waiting),
		cmocka_unit_test(per_call__shows_samples_that_are_more_than_was_measured),
		cmocka_unit_test(per_call__tells_what_was_waited_for_where_that_is_known),
		cmocka_unit_test(per_call__counts_recursion_once),
		cmocka_unit_test(per_call__scales_calls_of_sampled_scopes_not_their_means),
		cmocka_unit_test(per_call__counts_calls_that_never_ended_where_they_are_known),
		cmocka_unit_test(scope_calls__of_a_window_need_single_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
