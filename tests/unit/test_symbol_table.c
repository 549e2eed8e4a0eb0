/* Function symbols: which name wins, how far it reaches, PLT entries, kallsyms. */
#include "compiled.h"

#include "symbol/kernel_symbols.h"
#include "symbol/symbol_table.h"

static const char *name_at(const struct symbol_table *table, uint64_t vaddr)
{
	const struct symbol *symbol = symbol_table_find(table, vaddr);

	return symbol ? symbol->name : "";
}

static void symbol_table_find__prefers_the_better_name_and_the_inner_function(void **state)
{
	const struct symbol symbols[] = {
		{ .vaddr = 100, .end = 200, .name = "outer", .has_size = true, .rank = 2 },
		{ .vaddr = 100, .end = 200, .name = "__outer", .has_size = true },
		{ .vaddr = 100, .end = 200, .name = "best", .has_size = true },
		{ .vaddr = 120, .end = 130, .name = "inner", .has_size = true },
		{ .vaddr = 150, .end = 900, .name = "label", .rank = 8 | 4 },
		{ .vaddr = 300, .end = 1000, .name = "no_size", .rank = 4 },
		{ .vaddr = 400, .end = 410, .name = "last", .has_size = true },
		{ .vaddr = 500, .end = 510, .name = "__read", .has_size = true },
		{ .vaddr = 500, .end = 510, .name = "read", .has_size = true, .rank = 1 },
	};
	struct symbol_table table = { 0 };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(symbols); i++)
		assert_int_equal(symbol_table_add(&table, &symbols[i]), 0);
	symbol_table_sort(&table);
	assert_string_equal(name_at(&table, 99), "");
	assert_string_equal(name_at(&table, 100), "best");
	assert_string_equal(name_at(&table, 125), "inner");
	assert_string_equal(name_at(&table, 130), "best");
	assert_string_equal(name_at(&table, 160), "best");
	assert_string_equal(name_at(&table, 200), "");
	assert_string_equal(name_at(&table, 399), "no_size");
	assert_string_equal(name_at(&table, 409), "last");
	assert_string_equal(name_at(&table, 410), "");
	assert_string_equal(name_at(&table, 505), "read");
	symbol_table_release(&table);
}

/* Whether a program built with these options has a symbol of that name. */
static void check_has_symbol(const char *options, const char *name)
{
	static const char source[] = "#include <stdio.h>\n"
				     "#include <stdlib.h>\n"
				     "int main(void) { puts(\"x\"); return atoi(\"0\"); }\n";
	struct symbol_table table;
	struct compiled compiled;
	struct elf_image image;
	char command[256];
	bool is_found = false;

	(void)snprintf(command, sizeof(command), "${CC:-cc} -O0 source.c -o program %s", options);
	if (!compiled_init(&compiled, "source.c", source, command)) {
		compiled_release(&compiled);
		skip();
	}
	assert_int_equal(elf_image_open(&image, compiled.path, NULL), 0);
	assert_int_equal(symbol_table_load(&table, &image, NULL), 0);
	for (size_t i = 0; i < table.n_symbols; i++)
		is_found |= strcmp(table.symbols[i].name, name) == 0;
	assert_true(is_found);
	symbol_table_release(&table);
	elf_image_release(&image);
	compiled_release(&compiled);
}

static void symbol_table_load__names_plt_entries(void **state)
{
	(void)state;
	check_has_symbol("-Wl,-z,lazy", "puts@plt");
	check_has_symbol("-Wl,-z,now", "puts@plt");
	check_has_symbol("-Wl,-z,now -s", "atoi@plt");
	check_has_symbol("-fcf-protection=full -Wl,-z,ibtplt -s", "puts@plt");
}

static void kernel_symbols_find__keeps_module_names_out_and_ignores_hidden_ones(void **state)
{
	static const char text[] = "0000000000000000 T hidden\n"
				   "ffffffff81000000 T start_text\n"
				   "ffffffff81000040 t helper\n"
				   "ffffffff81000040 D data\n"
				   "ffffffffc0000000 t mod_call\t[mod]\n"
				   "nonsense\n";
	struct kernel_symbols symbols;
	struct compiled compiled;
	const struct kernel_symbol *found;

	(void)state;
	assert_true(compiled_init(&compiled, "program", text, "true"));
	assert_int_equal(kernel_symbols_load(&symbols, compiled.path), 0);
	assert_int_equal(symbols.n_symbols, 3);
	found = kernel_symbols_find(&symbols, 0xffffffff81000041);
	assert_non_null(found);
	assert_memory_equal(found->name, "helper", found->name_bytes);
	found = kernel_symbols_find(&symbols, 0xffffffffc0000010);
	assert_non_null(found);
	assert_int_equal(found->name_bytes, strlen("mod_call"));
	assert_null(kernel_symbols_find(&symbols, 0x1000));
	assert_null(kernel_symbols_find(&symbols, 0xffffffff90000000));
	kernel_symbols_release(&symbols);
	compiled_release(&compiled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbol_table_find__prefers_the_better_name_and_the_inner_function),
		cmocka_unit_test(symbol_table_load__names_plt_entries),
		cmocka_unit_test(
			kernel_symbols_find__keeps_module_names_out_and_ignores_hidden_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
