/* Lines of maps as runtimes write them, and as they should not. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "symbol/perf_map.h"

static size_t parse(struct jit_symbols *symbols, const char *text, bool is_last)
{
	size_t taken;

	assert_int_equal(perf_map_parse(symbols, text, strlen(text), is_last, &taken), 0);
	return taken;
}

static const char *name_of(const struct jit_symbols *symbols, size_t i)
{
	return interner_get(&symbols->strings, symbols->symbols[i].name);
}

static void perf_map_parse__takes_names_whole(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	(void)parse(&symbols,
		    "7f00 10 JS:*f /a b.js:1:2\n0x7F10 0x20 py::g:/x.py\r\n8000 1 12 34\n", false);
	assert_int_equal(symbols.n_symbols, 3);
	assert_string_equal(name_of(&symbols, 0), "JS:*f /a b.js:1:2");
	assert_int_equal(symbols.symbols[0].start, 0x7f00);
	assert_int_equal(symbols.symbols[0].end, 0x7f10);
	assert_string_equal(name_of(&symbols, 1), "py::g:/x.py");
	assert_int_equal(symbols.symbols[1].end, 0x7f30);
	assert_string_equal(name_of(&symbols, 2), "12 34");
	jit_symbols_release(&symbols);
}

static void perf_map_parse__skips_lines_that_are_none(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	(void)parse(&symbols,
		    "\n\n# comment\n10\n10 \n10 20\n10 20 \nxx 10 f\n10 xx f\n-1 10 f\n"
		    "11112222333344445 1 too long\n10 20 good\n",
		    true);
	assert_int_equal(symbols.n_symbols, 1);
	assert_string_equal(name_of(&symbols, 0), "good");
	jit_symbols_release(&symbols);
}

static void perf_map_parse__waits_for_the_end_of_a_line(void **state)
{
	static const char first[] = "10 20 whole\n30 40 ha";
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(parse(&symbols, first, false), strlen("10 20 whole\n"));
	assert_int_equal(symbols.n_symbols, 1);
	assert_int_equal(parse(&symbols, "30 40 half", true), strlen("30 40 half"));
	assert_string_equal(name_of(&symbols, 1), "half");
	jit_symbols_release(&symbols);
}

static void perf_map_parse__does_not_wait_for_endless_lines(void **state)
{
	const size_t size = PERF_MAP_LINE_MAX_BYTES + 100;
	struct jit_symbols symbols;
	char *text = malloc(size);
	size_t taken;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	memcpy(text, "10 20 ", 6);
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(perf_map_parse(&symbols, text, size, false, &taken), 0);
	assert_int_equal(taken, size);
	assert_int_equal(strlen(name_of(&symbols, 0)), JIT_NAME_MAX_BYTES);
	jit_symbols_release(&symbols);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf_map_parse__takes_names_whole),
		cmocka_unit_test(perf_map_parse__skips_lines_that_are_none),
		cmocka_unit_test(perf_map_parse__waits_for_the_end_of_a_line),
		cmocka_unit_test(perf_map_parse__does_not_wait_for_endless_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
