/* Times between anchors, outside them, and anchors that make no sense. */
#include "unit.h"

#include <stdbool.h>
#include <time.h>

#include "os/counter_clock.h"

#define HOUR_NS UINT64_C(3600000000000)

static struct counter_clock clock_of(const struct counter_anchor *anchors, size_t n)
{
	struct counter_clock clock = { .n_anchors = 0 };

	for (size_t i = 0; i < n; i++)
		assert_int_equal(counter_clock_add(&clock, anchors[i]), 1);
	return clock;
}

static void times__are_interpolated_between_anchors(void **state)
{
	static const struct counter_anchor anchors[] = { { 1000, 50 },
							 { 4000, 1050 },
							 { 10000, 4050 } };
	const struct counter_clock clock = clock_of(anchors, N_ITEMS(anchors));

	(void)state;
	assert_int_equal(counter_clock_ns(&clock, 1000), 50);
	assert_int_equal(counter_clock_ns(&clock, 2500), 550);
	assert_int_equal(counter_clock_ns(&clock, 4000), 1050);
	assert_int_equal(counter_clock_ns(&clock, 7000), 2550);
	assert_int_equal(counter_clock_ns(&clock, 12000), 5050);
	assert_int_equal(counter_clock_ns(&clock, 940), 30);
	assert_int_equal(counter_clock_ns(&clock, 0), 0);
}

static void times__do_not_overflow_after_a_year(void **state)
{
	const uint64_t year_ns = 365 * 24 * HOUR_NS;
	const struct counter_anchor anchors[] = { { 3 * year_ns, year_ns },
						  { 6 * year_ns, 2 * year_ns } };
	const struct counter_clock clock = clock_of(anchors, N_ITEMS(anchors));

	(void)state;
	assert_int_equal(counter_clock_ns(&clock, 3 * year_ns + 3 * HOUR_NS), year_ns + HOUR_NS);
	assert_int_equal(counter_clock_ns(&clock, UINT64_MAX), UINT64_MAX / 3);
}

static void anchors__that_make_no_sense_are_ignored(void **state)
{
	static const struct counter_anchor bad[] = {
		{ 3000, 4000 },	      /* backwards */
		{ 5000, 1500 },	      /* the other one backwards */
		{ 3001, 2000000000 }, /* slower than any counter */
		{ UINT64_MAX, 2001 }, /* faster than any */
	};
	static const struct counter_anchor good[] = { { 0, 0 }, { 3000, 2000 } };
	struct counter_clock clock = clock_of(good, N_ITEMS(good));

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++)
		assert_int_equal(counter_clock_add(&clock, bad[i]), 0);
	assert_int_equal(clock.n_anchors, 2);
}

static void times__need_two_anchors(void **state)
{
	static const struct counter_anchor one = { 10, 10 };
	struct counter_clock clock = { .n_anchors = 0 };

	(void)state;
	assert_int_equal(counter_clock_ns(&clock, 10), 0);
	assert_int_equal(counter_clock_add(&clock, one), 1);
	assert_int_equal(counter_clock_ns(&clock, 10), 0);
}

static void anchors__stay_bounded_and_right(void **state)
{
	struct counter_clock clock = { .n_anchors = 0 };

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		const struct counter_anchor anchor = { i * 3000000, i * 1000000 };

		assert_int_equal(counter_clock_add(&clock, anchor), 1);
	}
	assert_int_equal(clock.n_anchors, COUNTER_CLOCK_MAX_ANCHORS);
	assert_int_equal(counter_clock_ns(&clock, 2998500000), 999500000);
	assert_int_equal(counter_clock_ns(&clock, 300), 100);
}

static void read__gives_credible_anchors(void **state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct counter_clock clock = { .n_anchors = 0 };

	(void)state;
	assert_int_equal(counter_clock_add(&clock, counter_clock_read()), 1);
	(void)nanosleep(&pause, NULL);
	assert_int_equal(counter_clock_add(&clock, counter_clock_read()), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times__are_interpolated_between_anchors),
		cmocka_unit_test(times__do_not_overflow_after_a_year),
		cmocka_unit_test(anchors__that_make_no_sense_are_ignored),
		cmocka_unit_test(times__need_two_anchors),
		cmocka_unit_test(anchors__stay_bounded_and_right),
		cmocka_unit_test(read__gives_credible_anchors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
