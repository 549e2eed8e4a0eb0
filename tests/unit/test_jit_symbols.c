/* Which of several functions an address meant, and when. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "symbol/jit_symbols.h"

static void add(struct jit_symbols *symbols, uint64_t start, uint64_t size, uint64_t time_ns,
		const char *name)
{
	const struct jit_function function = {
		.start = start,
		.size_bytes = size,
		.time_ns = time_ns,
		.name = name,
		.name_bytes = strlen(name),
		.is_tracked = time_ns != 0,
	};

	assert_int_equal(jit_symbols_add(symbols, &function), 0);
}

/* The names at some ips, separated by blanks. */
static const char *names_at(const struct jit_symbols *symbols, uint64_t until_ns,
			    const uint64_t *ips, size_t n_ips)
{
	static char text[256];
	const struct jit_symbol *found[8];
	size_t size = 0;

	assert_true(n_ips <= 8);
	assert_int_equal(jit_symbols_resolve(symbols, ips, n_ips, until_ns, found), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n_ips; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s", i ? " " : "",
					 found[i] ? interner_get(&symbols->strings, found[i]->name)
						  : "-");
	return text;
}

#define NAMES_AT(symbols, until_ns, ...)                                                           \
	names_at(symbols, until_ns, (const uint64_t[]){ __VA_ARGS__ },                             \
		 sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void jit_symbols_resolve__finds_what_holds_each_ip(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	add(&symbols, 300, 10, 0, "c");
	add(&symbols, 100, 10, 0, "a");
	add(&symbols, 200, 100, 0, "b");
	assert_string_equal(NAMES_AT(&symbols, UINT64_MAX, 99, 100, 109, 110, 200, 299, 300, 310),
			    "- a a - b b c -");
	jit_symbols_release(&symbols);
}

static void jit_symbols_resolve__lets_the_last_win_without_times(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	add(&symbols, 100, 100, 0, "old");
	add(&symbols, 120, 10, 0, "new");
	add(&symbols, 90, 15, 0, "newest");
	assert_string_equal(NAMES_AT(&symbols, UINT64_MAX, 95, 100, 104, 105, 120, 129, 130),
			    "newest newest newest old new new old");
	jit_symbols_release(&symbols);
}

static void jit_symbols_resolve__tells_times_apart(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	add(&symbols, 100, 10, 1000, "first");
	add(&symbols, 100, 10, 2000, "second");
	add(&symbols, 100, 10, 3000, "third");
	assert_string_equal(NAMES_AT(&symbols, 1999, 100, 109), "first first");
	assert_string_equal(NAMES_AT(&symbols, 2000, 100), "second");
	assert_string_equal(NAMES_AT(&symbols, UINT64_MAX, 100), "third");
	/* A sample from before the code was told belongs to the first that was there. */
	assert_string_equal(NAMES_AT(&symbols, 500, 100), "first");
	jit_symbols_release(&symbols);
}

static void jit_symbols__notes_when_code_is_replaced(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	add(&symbols, 0x1000, 0x10, 1000000, "a");
	add(&symbols, 0x1010, 0x10, 5000000, "beside");
	add(&symbols, 0x1000, 0x10, 6000000, "a"); /* the same once more */
	assert_int_equal(symbols.n_replaced, 0);
	add(&symbols, 0xff8, 0x10, 9000000, "over its beginning");
	assert_int_equal(symbols.n_replaced, 1);
	assert_int_equal(symbols.replaced_ns[0], 9000000);
	add(&symbols, 0x1010, 8, 9000001, "at the same moment");
	assert_int_equal(symbols.n_replaced, 1);
	jit_symbols_release(&symbols);
}

static void jit_symbols_add__drops_what_is_empty_or_wraps(void **state)
{
	struct jit_symbols symbols;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	add(&symbols, 100, 0, 0, "empty");
	add(&symbols, 100, 10, 0, "");
	add(&symbols, UINT64_MAX - 5, 10, 0, "wraps");
	assert_int_equal(symbols.n_symbols, 0);
	add(&symbols, 0, UINT64_MAX, 1, "all there is");
	assert_int_equal(symbols.n_symbols, 1);
	jit_symbols_release(&symbols);
}

static void jit_symbols_line__is_the_last_before_the_ip(void **state)
{
	struct jit_function function = {
		.start = 100, .size_bytes = 50, .name = "f", .name_bytes = 1, .n_lines = 2
	};
	struct jit_symbols symbols;
	const struct jit_symbol *symbol;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(jit_symbols_add_line(&symbols, 4, "a.js", 4, 7), 0);
	assert_int_equal(jit_symbols_add_line(&symbols, 20, "a.js", 4, 9), 0);
	assert_int_equal(jit_symbols_add(&symbols, &function), 0);
	symbol = &symbols.symbols[0];
	assert_null(jit_symbols_line(&symbols, symbol, 103));
	assert_int_equal(jit_symbols_line(&symbols, symbol, 104)->line, 7);
	assert_int_equal(jit_symbols_line(&symbols, symbol, 149)->line, 9);
	jit_symbols_release(&symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jit_symbols_resolve__finds_what_holds_each_ip),
		cmocka_unit_test(jit_symbols_resolve__lets_the_last_win_without_times),
		cmocka_unit_test(jit_symbols_resolve__tells_times_apart),
		cmocka_unit_test(jit_symbols__notes_when_code_is_replaced),
		cmocka_unit_test(jit_symbols_add__drops_what_is_empty_or_wraps),
		cmocka_unit_test(jit_symbols_line__is_the_last_before_the_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
