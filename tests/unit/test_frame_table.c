/* Rows by frame: self, total, callers, callees; and finding a function by what is typed. */
#include "unit.h"

#include <errno.h>

#include "tree/frame_table.h"
#include "tree/function_find.h"
#include "tree/measure.h"
#include "unit_profile.h"

static const struct unit_stack stacks[] = {
	{ "main;fib;fib;fib", 6 },
	{ "main;fib;log", 2 },
	{ "main;fib;log;fib;write", 1 },
	{ "start;fib", 1 },
};

struct fixture {
	struct profile profile;
	struct calltree tree;
	struct frame_table table;
	bool is_wanted[16];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	unit_profile_init(&fixture->profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&fixture->tree, &fixture->profile);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	frame_table_release(&fixture->table);
	calltree_release(&fixture->tree);
	profile_release(&fixture->profile);
	free(fixture);
	return 0;
}

static const struct frame_row *row_named(const struct frame_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_rows; i++)
		if (strcmp(frame_row_name(table, &table->rows[i]), name) == 0)
			return &table->rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

static void frame_table__counts_recursion_once(void **state)
{
	struct fixture *f = *state;
	const struct frame_row *row;

	assert_int_equal(frame_table_build(&f->table, &f->tree, FRAME_ROWS_CODE, NULL), 0);
	row = row_named(&f->table, "fib");
	assert_int_equal(row->total.n_ticks, 10);
	assert_int_equal(row->self.n_ticks, 7);
	assert_int_equal(row_named(&f->table, "log")->total.n_ticks, 3);
	assert_int_equal(row_named(&f->table, "main")->self.n_ticks, 0);
	assert_int_equal(f->table.n_rows, 5);
}

static void frame_table__self_adds_up_to_all(void **state)
{
	struct fixture *f = *state;
	double share = 0;

	assert_int_equal(frame_table_build(&f->table, &f->tree, FRAME_ROWS_CODE, NULL), 0);
	for (size_t i = 0; i < f->table.n_rows; i++)
		share += measure_of(&f->tree, &f->table.rows[i].self).share;
	assert_float_equal(share, 1, 1e-9);
}

static void frame_table_sort__puts_the_heaviest_first(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(frame_table_build(&f->table, &f->tree, FRAME_ROWS_CODE, NULL), 0);
	assert_int_equal(frame_table_sort(&f->table, false), 0);
	assert_string_equal(frame_row_name(&f->table, &f->table.rows[0]), "fib");
	assert_string_equal(frame_row_name(&f->table, &f->table.rows[1]), "log");
	assert_int_equal(frame_table_sort(&f->table, true), 0);
	assert_string_equal(frame_row_name(&f->table, &f->table.rows[1]), "main");
}

static void frame_table_callers__add_up_to_the_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(function_find(&f->tree, "fib", f->is_wanted, NULL), 0);
	assert_int_equal(frame_table_build_callers(&f->table, &f->tree, f->is_wanted, NULL), 0);
	assert_int_equal(f->table.n_rows, 2);
	assert_int_equal(row_named(&f->table, "main")->total.n_ticks, 9);
	assert_int_equal(row_named(&f->table, "start")->total.n_ticks, 1);
}

static void frame_table_callers__name_the_outermost(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(function_find(&f->tree, "main", f->is_wanted, NULL), 0);
	assert_int_equal(frame_table_build_callers(&f->table, &f->tree, f->is_wanted, NULL), 0);
	assert_int_equal(f->table.n_rows, 1);
	assert_int_equal(row_named(&f->table, "[outermost]")->total.n_ticks, 9);
}

static void frame_table_callees__add_up_to_the_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(function_find(&f->tree, "fib", f->is_wanted, NULL), 0);
	assert_int_equal(frame_table_build_callees(&f->table, &f->tree, f->is_wanted, NULL), 0);
	assert_int_equal(row_named(&f->table, "fib")->self.n_ticks, 7);
	assert_int_equal(row_named(&f->table, "fib")->total.n_ticks, 7);
	assert_int_equal(row_named(&f->table, "log")->total.n_ticks, 2);
	assert_int_equal(row_named(&f->table, "write")->total.n_ticks, 1);
	assert_int_equal(f->table.n_rows, 3);
}

static void measure_of__holds_the_share_within_its_interval(void **state)
{
	struct fixture *f = *state;
	struct measure measure;

	assert_int_equal(frame_table_build(&f->table, &f->tree, FRAME_ROWS_CODE, NULL), 0);
	measure = measure_of(&f->tree, &row_named(&f->table, "log")->total);
	assert_float_equal(measure.share, 0.3, 1e-9);
	assert_true(measure.interval.low < 0.3 && measure.interval.high > 0.3);
	assert_int_equal(measure.weight, 3000000);
	f->profile.info.has_times = false;
	assert_int_equal(measure_of(&f->tree, &row_named(&f->table, "log")->total).weight, 3);
}

static void function_find__takes_a_part_or_a_regex(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(function_find(&f->tree, "ai", f->is_wanted, NULL), 0);
	assert_int_equal(function_find(&f->tree, "^w.*e$", f->is_wanted, NULL), 0);
	for (size_t i = 0; i < f->tree.n_frames; i++)
		assert_int_equal(f->is_wanted[i],
				 strcmp(calltree_frame_name(&f->tree, &f->tree.frames[i]),
					"write") == 0);
}

static void function_find__lists_candidates_and_nearest(void **state)
{
	struct fixture *f = *state;
	struct error err = ERROR_INIT;

	assert_int_equal(function_find(&f->tree, "i", f->is_wanted, &err), -EINVAL);
	assert_non_null(strstr(err.message, "'fib', 'main', 'write'"));
	assert_int_equal(function_find(&f->tree, "wrote", f->is_wanted, &err), -ENOENT);
	assert_int_equal(function_find(&f->tree, "rite_all", f->is_wanted, &err), -ENOENT);
	assert_non_null(strstr(err.message, "nearest are 'write'"));
	assert_int_equal(function_find(&f->tree, "(", f->is_wanted, &err), -ENOENT);
	assert_int_equal(function_find(&f->tree, "", f->is_wanted, &err), -ENOENT);
}

static void function_find__does_without_parameters(void **state)
{
	const struct unit_stack typed[] = { { "ns::f(int)", 1 }, { "ns::ff(int)", 1 } };
	bool is_wanted[4];
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, typed, N_ITEMS(typed));
	unit_profile_tree(&tree, &profile);
	assert_int_equal(function_find(&tree, "ns::f", is_wanted, NULL), 0);
	assert_int_equal(is_wanted[0] + is_wanted[1], 1);
	calltree_release(&tree);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frame_table__counts_recursion_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(frame_table__self_adds_up_to_all, setup, teardown),
		cmocka_unit_test_setup_teardown(frame_table_sort__puts_the_heaviest_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(frame_table_callers__add_up_to_the_function, setup,
						teardown),
		cmocka_unit_test_setup_teardown(frame_table_callers__name_the_outermost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(frame_table_callees__add_up_to_the_function, setup,
						teardown),
		cmocka_unit_test_setup_teardown(measure_of__holds_the_share_within_its_interval,
						setup, teardown),
		cmocka_unit_test_setup_teardown(function_find__takes_a_part_or_a_regex, setup,
						teardown),
		cmocka_unit_test_setup_teardown(function_find__lists_candidates_and_nearest, setup,
						teardown),
		cmocka_unit_test(function_find__does_without_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
