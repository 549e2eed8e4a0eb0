/* Scopes of which one call in so many was recorded. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "tree/scope_rows.h"

/* Sites; two have one name. */
static const char *const names[] = { "parse", "write", "parse", "hash" };

struct fixture {
	struct profile profile;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || profile_init(&f->profile) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct mark_site site = { .kind = MARK_SCOPE };

		if (interner_add(&f->profile.strings, &site.name, names[i]) < 0 ||
		    marks_add_site(&f->profile.marks, NULL, &site) < 0)
			return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	profile_release(&f->profile);
	free(f);
	return 0;
}

static void build(struct fixture *f, struct scope_rows *rows, bool is_tree)
{
	const struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(scope_rows_build(rows, &f->profile, &view, is_tree, &err), 0);
}

static void sampled_sites__are_scaled_back_with_those_of_their_name(void **state)
{
	struct fixture *f = *state;
	struct marks *marks = &f->profile.marks;
	struct scope_rows rows;
	uint32_t node;

	marks->sites[2].sample_rate = 100;
	for (uint64_t i = 0; i < 10; i++) {
		assert_int_equal(scope_tree_get(&marks->scopes, &node, 0, 0), 0);
		assert_int_equal(scope_tree_add_call(&marks->scopes, node, 1000, 0), 0);
		assert_int_equal(scope_tree_get(&marks->scopes, &node, 0, 2), 0);
		assert_int_equal(scope_tree_add_call(&marks->scopes, node, 2000, 500), 0);
	}
	marks->scopes.nodes[node].n_errors = 1;
	build(f, &rows, false);
	assert_int_equal(rows.n_rows, 1);
	assert_true(rows.rows[0].is_estimate);
	assert_int_equal(rows.rows[0].n_recorded, 20);
	assert_int_equal(rows.rows[0].n_calls, 10 + 1000);
	assert_int_equal(rows.rows[0].n_errors, 100);
	assert_int_equal(rows.rows[0].total_ns, 10 * 1000 + 1000 * 2000);
	assert_int_equal(rows.rows[0].self_ns, 10 * 1000 + 1000 * 1500);
	assert_true(fabs(rows.rows[0].mean_ns - 2010000.0 / 1010) < 1e-6);
	assert_int_equal(rows.rows[0].min_ns, 1000);
	assert_in_range(rows.rows[0].median_ns, 1980, 2020);
	scope_rows_release(&rows);
}

/* 3 of 12 calls were recorded; a scope in the others is known as one of that around. */
static void self_time__is_without_the_calls_that_were_left_out(void **state)
{
	struct fixture *f = *state;
	struct marks *marks = &f->profile.marks;
	struct scope_rows rows;
	uint32_t outer, sampled, inside, beside;
	uint64_t self_ns = 0;

	marks->sites[1].sample_rate = 4;
	assert_int_equal(scope_tree_get(&marks->scopes, &outer, 0, 0), 0);
	assert_int_equal(scope_tree_get(&marks->scopes, &sampled, outer, 1), 0);
	assert_int_equal(scope_tree_get(&marks->scopes, &inside, sampled, 3), 0);
	assert_int_equal(scope_tree_get(&marks->scopes, &beside, outer, 3), 0);
	for (uint64_t i = 0; i < 12; i++) {
		assert_int_equal(
			scope_tree_add_call(&marks->scopes, i < 3 ? inside : beside, 20, 0), 0);
		if (i < 3)
			assert_int_equal(scope_tree_add_call(&marks->scopes, sampled, 50, 20), 0);
	}
	/* 12 of 50 ns, and 100 of its own. */
	assert_int_equal(scope_tree_add_call(&marks->scopes, outer, 700, 3 * 50 + 9 * 20), 0);
	build(f, &rows, false);
	for (size_t i = 0; i < rows.n_rows; i++) {
		const struct scope_row *row = &rows.rows[i];

		self_ns += row->self_ns;
		assert_int_equal(row->is_estimate, row->site == 1);
		assert_int_equal(row->is_self_estimate, row->site != 3);
		if (row->site == 0)
			assert_int_equal(row->self_ns, 100);
	}
	assert_int_equal(self_ns, 700);
	scope_rows_release(&rows);
	marks->sites[1].sample_rate = 4000;
	build(f, &rows, true);
	assert_int_equal(rows.rows[0].self_ns, 0);
	scope_rows_release(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sampled_sites__are_scaled_back_with_those_of_their_name),
		TEST(self_time__is_without_the_calls_that_were_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
