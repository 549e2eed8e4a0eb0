/* Scopes of which the recorder does not know: their ends are left out, and no others. */
#include "unit.h"

#include "lib/marks_lost.h"

static const struct tsprof_site outer, a, b;

static void marks_lost__leaves_out_the_end_of_a_lost_begin_alone(void **state)
{
	struct marks_lost lost = { 0 };

	(void)state;
	marks_lost_begin(&lost, &a, true);
	marks_lost_begin(&lost, &b, false);
	marks_lost_begin(&lost, &b, true);
	assert_true(marks_lost_end(&lost, &b));
	assert_false(marks_lost_end(&lost, &b));
	assert_true(marks_lost_any(&lost));
	assert_true(marks_lost_end(&lost, &a));
	assert_false(marks_lost_any(&lost));
}

static void marks_lost__ends_what_a_jump_left_open(void **state)
{
	struct marks_lost lost = { 0 };

	(void)state;
	marks_lost_begin(&lost, &a, false);
	marks_lost_begin(&lost, &b, true);
	assert_false(marks_lost_end(&lost, &a));
	assert_false(marks_lost_any(&lost));
	marks_lost_begin(&lost, &a, true);
	assert_false(marks_lost_end(&lost, &outer));
	assert_false(marks_lost_any(&lost));
}

static void marks_lost__leaves_out_what_is_too_deep(void **state)
{
	struct marks_lost lost = { 0 };

	(void)state;
	marks_lost_begin(&lost, &outer, true);
	for (int i = 1; i < MARKS_LOST_MAX; i++)
		marks_lost_begin(&lost, &a, false);
	assert_true(marks_lost_is_full(&lost));
	for (int i = 0; i < 5; i++)
		marks_lost_begin(&lost, &b, true);
	for (int i = 0; i < 5; i++)
		assert_true(marks_lost_end(&lost, &b));
	for (int i = 1; i < MARKS_LOST_MAX; i++)
		assert_false(marks_lost_end(&lost, &a));
	assert_true(marks_lost_end(&lost, &outer));
	assert_false(marks_lost_any(&lost));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_lost__leaves_out_the_end_of_a_lost_begin_alone),
		cmocka_unit_test(marks_lost__ends_what_a_jump_left_open),
		cmocka_unit_test(marks_lost__leaves_out_what_is_too_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
