/* Lists of CPUs as the kernel writes them, and what each may have. */
#include "unit.h"

#include <stdbool.h>

#include "os/cpus.h"

enum { N_CPUS = 16, MIN_BYTES = 4096, RING_BYTES = 65536 };

static void cpus_parse_list__knows_numbers_and_ranges(void **state)
{
	static const struct {
		const char *text;
		uint32_t cpus; /* by bit */
		size_t n_cpus;
	} lists[] = {
		{ "0\n", 0x1, 1 },
		{ "0-3\n", 0xf, 4 },
		{ "1,3-4,8\n", 0x11a, 4 },
		{ "0-1,1-2\n", 0x7, 3 },
		{ "14-127\n", 0xc000, 2 },
		{ "0,99999999999999999999-99999999999999999999\n", 0x1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(lists); i++) {
		bool is_in[N_CPUS];
		uint32_t cpus = 0;

		memset(is_in, 0xff, sizeof(is_in));
		assert_int_equal(cpus_parse_list(is_in, N_CPUS, lists[i].text), lists[i].n_cpus);
		for (size_t cpu = 0; cpu < N_CPUS; cpu++)
			cpus |= (uint32_t)is_in[cpu] << cpu;
		assert_int_equal(cpus, lists[i].cpus);
	}
}

static void cpus_parse_list__refuses_what_is_cut(void **state)
{
	static const char *const texts[] = {
		"", "\n", "0-3", "0-\n", "0,\n", "-1\n", "a\n", "0-3;"
	};
	bool is_in[N_CPUS];

	(void)state;
	for (size_t i = 0; i < N_ITEMS(texts); i++)
		assert_int_equal(cpus_parse_list(is_in, N_CPUS, texts[i]), 0);
}

static void cpus_find_online__has_the_one_that_asks(void **state)
{
	bool is_online[CPUS_MAX];
	size_t n_online = 0;

	(void)state;
	assert_in_range(cpus_find_online(is_online, cpus_configured()), 1, cpus_configured());
	for (size_t i = 0; i < cpus_configured(); i++)
		n_online += is_online[i];
	assert_int_equal(n_online, cpus_find_online(is_online, cpus_configured()));
}

static void cpus_power_of_two__is_the_next_one(void **state)
{
	const size_t power = cpus_power_of_two();

	(void)state;
	assert_in_range(power, cpus_configured(), 2 * cpus_configured() - 1);
	assert_int_equal(power & (power - 1), 0);
}

static void cpus_fit_ring__counts_those_that_are_switched_on(void **state)
{
	bool is_online[CPUS_MAX];
	const size_t n_online = cpus_find_online(is_online, cpus_configured());

	(void)state;
	assert_int_equal(cpus_fit_ring(RING_BYTES, MIN_BYTES, UINT64_MAX), RING_BYTES);
	assert_int_equal(cpus_fit_ring(RING_BYTES, MIN_BYTES, RING_BYTES * n_online), RING_BYTES);
	assert_int_equal(cpus_fit_ring(RING_BYTES, MIN_BYTES, RING_BYTES * n_online - 1),
			 RING_BYTES / 2);
	assert_int_equal(cpus_fit_ring(RING_BYTES, MIN_BYTES, 0), MIN_BYTES);
	assert_int_equal(cpus_fit_ring(MIN_BYTES / 2, MIN_BYTES, UINT64_MAX), MIN_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_parse_list__knows_numbers_and_ranges),
		cmocka_unit_test(cpus_parse_list__refuses_what_is_cut),
		cmocka_unit_test(cpus_find_online__has_the_one_that_asks),
		cmocka_unit_test(cpus_power_of_two__is_the_next_one),
		cmocka_unit_test(cpus_fit_ring__counts_those_that_are_switched_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
