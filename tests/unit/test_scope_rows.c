/* Statistics of scopes against a count of every single call. */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "base/units.h"
#include "tree/call_rows.h"
#include "tree/scope_rows.h"

enum {
	N_SITES = 6,
	N_THREADS = 3,
	MAX_CALLS = 20000,
	START_NS = 1000000,
};

/* Two sites have one name; the last site is of the first one's name and another category. */
static const char *const names[N_SITES] = { "parse", "write", "parse", "hash", "io", "parse" };

struct known_call {
	uint32_t site;
	uint32_t thread;
	uint64_t start_ns;
	uint64_t duration_ns;
	uint64_t self_ns;
	bool has_same_around; /* a call of the same name and category */
};

struct fixture {
	struct profile profile;
	struct scope_stack stack;
	struct known_call calls[MAX_CALLS];
	size_t n_calls;
	uint32_t open[SCOPE_STACK_MAX_DEPTH]; /* sites */
	size_t n_open;
	uint64_t now_ns;
	uint64_t random;
};

static uint64_t below(struct fixture *f, uint64_t limit)
{
	f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (f->random >> 33) % limit;
}

static uint32_t text_id(struct profile *profile, const char *text)
{
	uint32_t id;

	assert_int_equal(interner_add(&profile->strings, &id, text), 0);
	return id;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct profile *profile;

	*state = f;
	if (!f || profile_init(&f->profile) < 0)
		return -1;
	f->random = 7;
	f->now_ns = START_NS;
	profile = &f->profile;
	profile->info.has_times = true;
	profile->info.start_ns = START_NS;
	profile->marks.has_all_calls = true;
	for (uint32_t i = 0; i < N_SITES; i++) {
		struct mark_site site = { .kind = MARK_SCOPE, .line = i + 1 };

		site.name = text_id(profile, names[i]);
		site.category = text_id(profile, i == N_SITES - 1 ? "other" : "");
		assert_int_equal(marks_add_site(&profile->marks, NULL, &site), 0);
	}
	for (uint32_t i = 0; i < N_THREADS; i++) {
		struct thread thread = { .pid = 10, .tid = 10 + i };

		thread.name = text_id(profile, i ? "worker" : "main");
		assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	scope_stack_release(&f->stack);
	profile_release(&f->profile);
	free(f);
	return 0;
}

static bool is_same(uint32_t a, uint32_t b)
{
	return strcmp(names[a], names[b]) == 0 && (a == N_SITES - 1) == (b == N_SITES - 1);
}

/* A call of a scope with others inside; returns how long it took. */
static uint64_t call(struct fixture *f, uint32_t thread, uint32_t site, unsigned int depth)
{
	struct marks *marks = &f->profile.marks;
	struct known_call known = { .site = site, .thread = thread, .start_ns = f->now_ns };
	uint64_t inside_ns = 0;
	uint32_t node;

	for (size_t i = 0; i < f->n_open; i++)
		known.has_same_around |= is_same(f->open[i], site);
	f->open[f->n_open++] = site;
	assert_int_equal(scope_stack_begin(&f->stack, &marks->scopes, site, f->now_ns), 0);
	node = scope_stack_node(&f->stack);
	f->now_ns += below(f, 1000);
	for (uint64_t n = depth ? below(f, 4) : 0; n && f->n_calls < MAX_CALLS / 2; n--) {
		inside_ns += call(f, thread, (uint32_t)below(f, N_SITES), depth - 1);
		f->now_ns += below(f, 50);
	}
	f->now_ns += below(f, 100) ? below(f, 5000) : below(f, 10 * NS_PER_MS);
	assert_int_equal(scope_stack_end(&f->stack, &marks->scopes, site, f->now_ns, false), 0);
	f->n_open--;
	known.duration_ns = f->now_ns - known.start_ns;
	known.self_ns = known.duration_ns - inside_ns;
	f->calls[f->n_calls++] = known;
	assert_int_equal(marks_add_call(marks,
					&(struct scope_call){ .start_ns = known.start_ns,
							      .duration_ns = known.duration_ns,
							      .thread = thread,
							      .node = node }),
			 0);
	return known.duration_ns;
}

static void call_at_random(struct fixture *f, size_t n_calls)
{
	while (f->n_calls < n_calls) {
		call(f, (uint32_t)below(f, N_THREADS), (uint32_t)below(f, N_SITES), 6);
		f->now_ns += below(f, 100);
	}
	f->profile.info.duration_ns = f->now_ns - START_NS;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t exact_percentile(const uint64_t *sorted, size_t n, double share)
{
	const size_t rank = (size_t)ceil(share * (double)n);

	return sorted[rank ? rank - 1 : 0];
}

/* Within 1 %, and half a nanosecond for the rounding of the smallest. */
static void check_close(uint64_t got, uint64_t expected)
{
	assert_true(fabs((double)got - (double)expected) <= 0.01 * (double)expected + 0.5);
}

static void check_row(const struct fixture *f, const struct scope_row *row, uint32_t site,
		      bool (*has)(const struct known_call *known))
{
	uint64_t *durations = calloc(MAX_CALLS, sizeof(*durations));
	uint64_t total_ns = 0, self_ns = 0;
	double sum = 0, squares = 0;
	size_t n = 0;

	for (size_t i = 0; i < f->n_calls; i++) {
		const struct known_call *known = &f->calls[i];

		if (!is_same(known->site, site) || !has(known))
			continue;
		durations[n++] = known->duration_ns;
		total_ns += known->has_same_around ? 0 : known->duration_ns;
		self_ns += known->self_ns;
		sum += (double)known->duration_ns;
	}
	qsort(durations, n, sizeof(*durations), compare_numbers);
	for (size_t i = 0; i < n; i++)
		squares += pow((double)durations[i] - sum / (double)n, 2);
	assert_true(n > 100);
	assert_int_equal(row->n_calls, n);
	assert_int_equal(row->total_ns, total_ns);
	assert_int_equal(row->self_ns, self_ns);
	assert_int_equal(row->min_ns, durations[0]);
	assert_int_equal(row->max_ns, durations[n - 1]);
	assert_true(fabs(row->mean_ns - sum / (double)n) < 1e-6 * row->mean_ns);
	assert_true(fabs(row->deviation_ns - sqrt(squares / (double)(n - 1))) <
		    1e-6 * row->deviation_ns);
	check_close(row->median_ns, exact_percentile(durations, n, 0.5));
	check_close(row->p95_ns, exact_percentile(durations, n, 0.95));
	check_close(row->p99_ns, exact_percentile(durations, n, 0.99));
	free(durations);
}

static const struct scope_row *row_of(const struct fixture *f, const struct scope_rows *rows,
				      uint32_t site)
{
	const struct mark_site *sites = f->profile.marks.sites;

	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].name == sites[site].name &&
		    rows->rows[i].category == sites[site].category)
			return &rows->rows[i];
	fail_msg("no row of site %u", site);
	return NULL;
}

static void build(struct fixture *f, struct scope_rows *rows, struct view *view, bool is_tree)
{
	struct error err = ERROR_INIT;

	assert_int_equal(view_resolve(view, &f->profile, &err), 0);
	if (scope_rows_build(rows, &f->profile, view, is_tree, &err) < 0)
		fail_msg("%s", err.message);
	view_release(view);
}

static bool has_any(const struct known_call *known)
{
	(void)known;
	return true;
}

static void rows__are_what_a_count_of_all_calls_says(void **state)
{
	struct fixture *f = *state;
	struct view view = VIEW_INIT;
	struct scope_rows rows;

	call_at_random(f, MAX_CALLS / 2);
	build(f, &rows, &view, false);
	assert_int_equal(rows.n_rows, 5);
	assert_int_equal(rows.duration_ns, f->profile.info.duration_ns);
	for (uint32_t site = 0; site < N_SITES; site++)
		check_row(f, row_of(f, &rows, site), site, has_any);
	scope_rows_release(&rows);
}

enum { FROM_NS = 20000000, TO_NS = 200000000 };

static bool is_in_window(const struct known_call *known)
{
	const uint64_t since_ns = known->start_ns - START_NS;

	return since_ns >= FROM_NS && since_ns < TO_NS && known->thread > 0;
}

/* Also: those around it that begin before the window do not count as around it. */
static void rows__of_a_part_are_of_the_calls_that_begin_there(void **state)
{
	struct fixture *f = *state;
	struct view view = VIEW_INIT;
	struct scope_rows rows;

	call_at_random(f, MAX_CALLS / 2);
	view.from_ns = FROM_NS;
	view.to_ns = TO_NS;
	view.thread = "worker";
	for (size_t i = 0; i < f->n_calls; i++) {
		struct known_call *known = &f->calls[i];

		known->has_same_around = false;
		for (size_t k = i + 1; k < f->n_calls; k++) {
			const struct known_call *other = &f->calls[k];

			/* Ends later and began earlier: calls are listed as they end. */
			known->has_same_around |=
				other->thread == known->thread && is_in_window(other) &&
				is_same(other->site, known->site) &&
				other->start_ns <= known->start_ns &&
				other->start_ns + other->duration_ns > known->start_ns;
		}
	}
	build(f, &rows, &view, false);
	assert_int_equal(rows.duration_ns, TO_NS - FROM_NS);
	for (uint32_t site = 0; site < N_SITES; site++)
		check_row(f, row_of(f, &rows, site), site, is_in_window);
	scope_rows_release(&rows);
}

static void rows__of_a_part_need_all_calls(void **state)
{
	struct fixture *f = *state;
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	struct scope_rows rows;

	call_at_random(f, 100);
	f->profile.marks.has_all_calls = false;
	view.to_ns = TO_NS;
	assert_int_equal(view_resolve(&view, &f->profile, &err), 0);
	assert_int_equal(scope_rows_build(&rows, &f->profile, &view, false, &err), -EINVAL);
	assert_non_null(strstr(err.message, "--keep-events"));
	view_release(&view);
}

static void tree__has_a_row_for_each_nesting(void **state)
{
	struct fixture *f = *state;
	struct view view = VIEW_INIT;
	struct scope_rows rows;
	size_t n_hidden;
	uint64_t n_calls = 0, self_ns = 0, known_self_ns = 0;

	call_at_random(f, MAX_CALLS / 2);
	build(f, &rows, &view, true);
	assert_int_equal(scope_rows_order(&rows, false, SIZE_MAX, &n_hidden), 0);
	assert_int_equal(n_hidden, 0);
	for (size_t i = 0; i < rows.n_rows; i++) {
		const struct scope_row *row = &rows.rows[i];
		const struct scope_row *parent = row->parent == SCOPE_ROW_NONE
							 ? NULL
							 : &rows.rows[row->parent];

		assert_true(!parent || parent < row);
		assert_int_equal(row->depth, parent ? parent->depth + 1 : 0);
		assert_true(!parent || parent->total_ns >= row->total_ns);
		n_calls += row->n_calls;
		self_ns += row->self_ns;
		for (size_t k = i + 1; k < rows.n_rows; k++)
			if (rows.rows[k].parent == row->parent)
				assert_true(rows.rows[k].total_ns <= row->total_ns);
	}
	for (size_t i = 0; i < f->n_calls; i++)
		known_self_ns += f->calls[i].self_ns;
	assert_int_equal(n_calls, f->n_calls);
	assert_int_equal(self_ns, known_self_ns);
	scope_rows_release(&rows);
}

static void order__keeps_what_the_largest_are_in(void **state)
{
	struct fixture *f = *state;
	struct view view = VIEW_INIT;
	struct scope_rows all, some;
	size_t n_hidden;

	call_at_random(f, MAX_CALLS / 2);
	build(f, &all, &view, true);
	view = VIEW_INIT;
	build(f, &some, &view, true);
	assert_int_equal(scope_rows_order(&some, true, 10, &n_hidden), 0);
	assert_true(some.n_rows >= 10);
	assert_int_equal(n_hidden, all.n_rows - some.n_rows);
	for (size_t i = 0; i < some.n_rows; i++)
		assert_true(some.rows[i].parent == SCOPE_ROW_NONE || some.rows[i].parent < i);
	assert_int_equal(scope_rows_order(&all, true, 0, &n_hidden), 0);
	assert_int_equal(all.n_rows, 0);
	scope_rows_release(&all);
	scope_rows_release(&some);
}

static void open_calls__count_for_nothing_but_hide_nothing(void **state)
{
	struct fixture *f = *state;
	struct marks *marks = &f->profile.marks;
	struct view view = VIEW_INIT;
	struct scope_rows rows;
	uint32_t outer, inner;

	assert_int_equal(scope_tree_get(&marks->scopes, &outer, 0, 0), 0);
	assert_int_equal(scope_tree_get(&marks->scopes, &inner, outer, 2), 0);
	assert_int_equal(scope_tree_add_call(&marks->scopes, inner, 1000, 0), 0);
	marks->scopes.nodes[outer].n_open = 1;
	build(f, &rows, &view, false);
	assert_int_equal(rows.n_rows, 1);
	assert_int_equal(rows.rows[0].n_open, 1);
	assert_int_equal(rows.rows[0].n_calls, 1);
	assert_int_equal(rows.rows[0].total_ns, 1000);
	scope_rows_release(&rows);
}

/* parse, within it write, within that parse: in write there is one parse, the inner. */
static void in_scope__makes_the_outermost_of_what_is_inside(void **state)
{
	struct fixture *f = *state;
	struct marks *marks = &f->profile.marks;
	struct view view = VIEW_INIT;
	struct scope_rows rows;
	uint32_t node = 0;

	for (uint32_t site = 0; site < 3; site++) {
		assert_int_equal(scope_tree_get(&marks->scopes, &node, node, site), 0);
		assert_int_equal(scope_tree_add_call(&marks->scopes, node, 3000 - 1000 * site, 0),
				 0);
	}
	build(f, &rows, &view, false);
	assert_int_equal(row_of(f, &rows, 0)->total_ns, 3000);
	scope_rows_release(&rows);
	view = VIEW_INIT;
	view.in_scope = "write";
	build(f, &rows, &view, false);
	assert_int_equal(rows.n_rows, 2);
	assert_int_equal(row_of(f, &rows, 0)->total_ns, 1000);
	assert_int_equal(row_of(f, &rows, 0)->n_calls, 1);
	assert_int_equal(row_of(f, &rows, 1)->total_ns, 2000);
	scope_rows_release(&rows);
}

static void calls__are_the_slowest_or_those_that_failed(void **state)
{
	struct fixture *f = *state;
	struct marks *marks = &f->profile.marks;
	struct view view = VIEW_INIT;
	struct call_rows calls;
	struct failure_rows failures;

	call_at_random(f, 1000);
	for (size_t i = 0; i < marks->n_calls; i += 10) {
		marks->calls[i].flags |= SCOPE_CALL_ERROR;
		marks->calls[i].error = text_id(&f->profile, i % 20 ? "broken" : "missing");
	}
	assert_int_equal(view_resolve(&view, &f->profile, NULL), 0);
	assert_int_equal(call_rows_build(&calls, &f->profile, &view, CALLS_SLOWEST, NULL), 0);
	assert_int_equal(calls.n_calls, marks->n_calls);
	for (size_t i = 1; i < calls.n_calls; i++)
		assert_true(calls.calls[i - 1]->duration_ns >= calls.calls[i]->duration_ns);
	call_rows_release(&calls);
	assert_int_equal(call_rows_build(&calls, &f->profile, &view, CALLS_FAILED, NULL), 0);
	assert_int_equal(calls.n_calls, (marks->n_calls + 9) / 10);
	assert_int_equal(failure_rows_build(&failures, &f->profile, &calls), 0);
	for (size_t i = 1; i < failures.n_rows; i++)
		assert_true(failures.rows[i - 1].n_calls >= failures.rows[i].n_calls);
	for (size_t i = 0; i < failures.n_rows; i++) {
		const struct failure_row *row = &failures.rows[i];
		uint64_t n = 0;

		for (size_t k = 0; k < calls.n_calls; k++)
			n += calls.calls[k]->error == row->message &&
			     marks->sites[call_site(&f->profile, calls.calls[k])].name == row->name;
		assert_int_equal(row->n_calls, n);
		assert_true(row->first_ns <= row->last_ns);
	}
	failure_rows_release(&failures);
	call_rows_release(&calls);
	view_release(&view);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows__are_what_a_count_of_all_calls_says),
		TEST(rows__of_a_part_are_of_the_calls_that_begin_there),
		TEST(rows__of_a_part_need_all_calls),
		TEST(tree__has_a_row_for_each_nesting),
		TEST(order__keeps_what_the_largest_are_in),
		TEST(open_calls__count_for_nothing_but_hide_nothing),
		TEST(in_scope__makes_the_outermost_of_what_is_inside),
		TEST(calls__are_the_slowest_or_those_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
