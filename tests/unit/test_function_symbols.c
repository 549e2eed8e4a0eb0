/* Where functions begin by symbols: of this program, whose parts a linker has put in order. */
#include "unit.h"

#include <sys/auxv.h>

#include "symbol/function_symbols.h"

static void function_symbols_find__knows_functions(void **state)
{
	struct function_symbols symbols = { 0 };
	struct elf_image image;
	struct function_range range;
	uint64_t here;

	(void)state;
	assert_int_equal(elf_image_open(&image, "/proc/self/exe", NULL), 0);
	here = (uintptr_t)function_symbols_find__knows_functions -
	       (getauxval(AT_ENTRY) - image.entry_vaddr);
	assert_int_equal(function_symbols_load(&symbols, &image), 0);
	assert_true(function_symbols_find(&symbols, here, &range));
	assert_int_equal(range.start, here);
	assert_true(function_symbols_find(&symbols, here + 1, &range));
	assert_int_equal(range.start, here);
	assert_false(function_symbols_find(&symbols, 0, &range));
	assert_false(function_symbols_find(&symbols, UINT64_MAX, &range));
	for (size_t i = 1; i < symbols.n_ranges; i++)
		assert_true(symbols.ranges[i - 1].start <= symbols.ranges[i].start);
	function_symbols_release(&symbols);
	elf_image_release(&image);
}

/* A part of a function under a name of its own is no function. */
__attribute__((noinline)) static int part(void) __asm__("whole.cold");

static int part(void)
{
	return (int)getauxval(AT_ENTRY);
}

static void function_symbols_find__leaves_out_cold_parts(void **state)
{
	struct function_symbols symbols = { 0 };
	struct elf_image image;
	struct function_range range;

	(void)state;
	assert_int_not_equal(part(), 0);
	assert_int_equal(elf_image_open(&image, "/proc/self/exe", NULL), 0);
	assert_int_equal(function_symbols_load(&symbols, &image), 0);
	assert_false(function_symbols_find(
		&symbols, (uintptr_t)part - (getauxval(AT_ENTRY) - image.entry_vaddr), &range));
	function_symbols_release(&symbols);
	elf_image_release(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_symbols_find__knows_functions),
		cmocka_unit_test(function_symbols_find__leaves_out_cold_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
