/* What is left of a name in a narrow box. */
#include "unit.h"

#include "base/function_label.h"
#include "base/mapped_file.h"

/* A line of the table: "columns<TAB>name<TAB>what is left". */
static void expect_line(char *line)
{
	char *name;
	const size_t columns = strtoul(line, &name, 10);
	char *expected = strchr(name + 1, '\t');
	struct buffer out = BUFFER_INIT;

	assert_non_null(expected);
	*expected++ = '\0';
	function_label_fit(&out, name + 1, columns);
	assert_string_equal(buffer_string(&out), expected);
	buffer_release(&out);
}

/* flame_browser.sh reads the same table with flame_label.js. */
static void function_label_fit__does_as_the_table_says(void **state)
{
	struct mapped_file file = MAPPED_FILE_INIT;
	char *table, *rest;

	(void)state;
	assert_int_equal(mapped_file_open(&file, SRCDIR "/tests/unit/function_label.tsv", NULL), 0);
	table = strndup((const char *)file.bytes, file.size_bytes);
	assert_non_null(table);
	rest = table;
	for (char *line; (line = strsep(&rest, "\n")) && *line;)
		expect_line(line);
	free(table);
	mapped_file_release(&file);
}

static void function_label_fit__is_fast_on_hostile_names(void **state)
{
	enum { LENGTH = 1 << 20 };
	char *name = malloc(LENGTH + 1);
	struct buffer out = BUFFER_INIT;

	(void)state;
	assert_non_null(name);
	name[LENGTH] = '\0';
	for (const char *c = "(<:"; *c; c++) {
		memset(name, *c, LENGTH);
		name[0] = 'a';
		function_label_fit(&out, name, 20);
		assert_true(out.size < 100);
		buffer_clear(&out);
	}
	buffer_release(&out);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_label_fit__does_as_the_table_says),
		cmocka_unit_test(function_label_fit__is_fast_on_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
