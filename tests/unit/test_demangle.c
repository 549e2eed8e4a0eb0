/* Names as programmers write them, and names made to hurt. */
#include "unit.h"

#include "symbol/demangle.h"

static void check(const char *mangled, const char *expected)
{
	struct buffer out = BUFFER_INIT;

	demangle_add(&out, mangled);
	assert_string_equal(buffer_string(&out), expected);
	buffer_release(&out);
}

static void demangle_add__knows_its_languages(void **state)
{
	(void)state;
	check("_ZN2ns5outerEPVi", "ns::outer(int volatile*)");
	check("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write");
	check("_RNvC7mycrate4main", "mycrate::main");
	check("_D3foo3barFiZi", "foo.bar(int)");
	check("main", "main");
	check("", "");
	check("_Z", "_Z");
	check("_ZN", "_ZN");
	check("_Dynamic", "_Dynamic");
}

static void demangle_add__sets_compiler_suffixes_apart(void **state)
{
	(void)state;
	check("_Z3fooi.cold", "foo(int) [clone .cold]");
	check("foo.constprop.0", "foo [clone .constprop.0]");
	check("foo.isra.0.part.1", "foo [clone .isra.0.part.1]");
	check("runtime.clone.abi0", "runtime.clone.abi0");
	check("a.coldest", "a.coldest");
	check("a.cold.3", "a [clone .cold.3]");
	check("_Z3fooi.llvm.123456", "foo(int)");
	check("_Z3fooi@plt", "foo(int)@plt");
	check("puts@plt", "puts@plt");
	check(".cold", ".cold");
}

static void demangle_add__leaves_overlong_names_alone(void **state)
{
	char *name = malloc(DEMANGLE_MAX_BYTES + 10);
	struct buffer out = BUFFER_INIT;

	(void)state;
	assert_non_null(name);
	memset(name, 'x', DEMANGLE_MAX_BYTES + 9);
	memcpy(name, "_Z", 2);
	name[DEMANGLE_MAX_BYTES + 9] = '\0';
	demangle_add(&out, name);
	assert_string_equal(buffer_string(&out), name);
	buffer_release(&out);
	free(name);
}

/* Deep nesting recurses in the demangler, once for each letter. */
static void demangle_add__survives_deep_nesting(void **state)
{
	const char letters[] = { 'P', 'R', 'I', 'N', 'F', 'T', 'S', 'X', 'L', 'J', 'E', 'K', 'O' };
	char *name = malloc(DEMANGLE_MAX_BYTES + 1);

	(void)state;
	assert_non_null(name);
	for (size_t i = 0; i < N_ITEMS(letters); i++) {
		struct buffer out = BUFFER_INIT;

		memset(name, letters[i], DEMANGLE_MAX_BYTES);
		memcpy(name, "_Z1f", 4);
		name[DEMANGLE_MAX_BYTES] = '\0';
		demangle_add(&out, name);
		assert_false(out.is_failed);
		buffer_release(&out);
	}
	free(name);
}

/* Each parameter is a pair of the one before: the text doubles with every four letters. */
static void demangle_add__bounds_exponential_names(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct buffer name = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;

	(void)state;
	buffer_add_string(&name, "_Z1f1pIiiES_IS0_S0_E");
	for (size_t i = 1; i < 30; i++)
		buffer_printf(&name, "S_IS%c_S%c_E", digits[i], digits[i]);
	demangle_add(&out, name.data);
	assert_true(out.size <= DEMANGLE_MAX_OUTPUT_BYTES);
	buffer_release(&out);
	buffer_release(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demangle_add__knows_its_languages),
		cmocka_unit_test(demangle_add__sets_compiler_suffixes_apart),
		cmocka_unit_test(demangle_add__leaves_overlong_names_alone),
		cmocka_unit_test(demangle_add__survives_deep_nesting),
		cmocka_unit_test(demangle_add__bounds_exponential_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
