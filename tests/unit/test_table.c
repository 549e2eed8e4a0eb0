/* Tables in their renderings: widths, alignment, hostile names. */
#include "unit.h"

#include "base/escape.h"
#include "export/table.h"

static void init(struct table *table)
{
	*table = (struct table){ .name = "things" };
	table_add_column(table, (struct table_column){ "Name", "name", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Time", "time_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ NULL, "hidden", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ "%", "share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ "Module", "module", COLUMN_TEXT });
}

static void add(struct table *table, struct table_row row, const char *name, const char *module)
{
	const struct table_cell cells[] = { { .text = name },
					    { .number = 1500000 },
					    { .number = 7 },
					    { .share = 0.25 },
					    { .text = module, .is_empty = !module[0] } };

	assert_int_equal(table_add_row(table, row, cells), 0);
}

/* Every line's columns; all of one table must be alike when it is boxed. */
static void check_width(const char *text, size_t columns, bool is_same)
{
	char *copy = strdup(text);
	char *rest = copy;
	size_t first = 0;

	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n")) && rest;) {
		assert_true(utf8_columns(line) <= columns);
		if (!first)
			first = utf8_columns(line);
		assert_true(!is_same || utf8_columns(line) == first);
	}
	free(copy);
}

static void table_write_text__boxes_a_tree(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	add(&table, (struct table_row){ .depth = 0 }, "A", "m");
	add(&table, (struct table_row){ .depth = 1 }, "b", "m");
	add(&table, (struct table_row){ .depth = 2, .is_last = true }, "c", "m");
	add(&table, (struct table_row){ .depth = 1, .is_last = true }, "d", "m");
	add(&table, (struct table_row){ .is_footer = true, .is_last = true }, "TOTAL", "m");
	table_write_text(&out, &table, TABLE_BOXED, 80);
	assert_string_equal(out.data, "┌─────────┬─────────┬──────┬────────┐\n"
				      "│ Name    │    Time │    % │ Module │\n"
				      "├─────────┼─────────┼──────┼────────┤\n"
				      "│ A       │ 1.50 ms │ 25.0 │ m      │\n"
				      "│ ├─ b    │ 1.50 ms │ 25.0 │ m      │\n"
				      "│ │  └─ c │ 1.50 ms │ 25.0 │ m      │\n"
				      "│ └─ d    │ 1.50 ms │ 25.0 │ m      │\n"
				      "├─────────┼─────────┼──────┼────────┤\n"
				      "│ TOTAL   │ 1.50 ms │ 25.0 │ m      │\n"
				      "└─────────┴─────────┴──────┴────────┘\n");
	buffer_release(&out);
	table_release(&table);
}

static void table_write_text__shortens_the_middle_of_names(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	add(&table, (struct table_row){ 0 }, "std::vector<int, std::allocator<int> >::push_back",
	    "libc.so.6");
	table_write_text(&out, &table, TABLE_PLAIN, 45);
	assert_non_null(strstr(out.data, "std::vect…push_back  1.50 ms  25.0  libc.so.6\n"));
	buffer_release(&out);
	table_release(&table);
}

/* What a function is called says more than what it takes. */
static void table_write_text__shortens_functions_from_their_brackets_on(void **state)
{
	static const struct {
		size_t columns;
		const char *field;
	} cases[] = {
		{ 80, "std::vector<int, std::allocator<int> >::push_back(int)  1.50 ms  25.0" },
		{ 52, "std::vector<…>::push_back   1.50 ms  25.0" },
		{ 51, "std::vector<…>::push_back  1.50 ms  25.0" },
		{ 50, "…::vector<…>::push_back   1.50 ms  25.0" },
		{ 45, "…::push_back         1.50 ms  25.0" },
		{ 39, "…::push_back   1.50 ms  25.0" },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct buffer out = BUFFER_INIT;
		struct table table;

		init(&table);
		table.columns[0].kind = COLUMN_FUNCTION;
		add(&table, (struct table_row){ 0 },
		    "std::vector<int, std::allocator<int> >::push_back(int)", "libc.so.6");
		table_write_text(&out, &table, TABLE_PLAIN, cases[i].columns);
		if (!strstr(out.data, cases[i].field))
			fail_msg("%zu columns:\n%s", cases[i].columns, out.data);
		check_width(out.data, cases[i].columns, false);
		buffer_release(&out);
		table_release(&table);
	}
}

static void table_write_text__fits_any_width_with_any_name(void **state)
{
	static const char *const names[] = {
		"\xff\xfe\x80",
		"漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
		"\033[31mred\033[0m\n",
		"<script>alert(1)</script>",
		"e\xcc\x81"
		"e\xcc\x81",
		"\xe2\x80\xae"
		"reversed",
		"",
	};
	char *giant = malloc(10001);
	struct table table;

	(void)state;
	assert_non_null(giant);
	memset(giant, 'x', 10000);
	giant[10000] = '\0';
	init(&table);
	add(&table, (struct table_row){ 0 }, giant, giant);
	for (size_t i = 0; i < N_ITEMS(names); i++)
		add(&table, (struct table_row){ .depth = (unsigned int)i % 4 }, names[i], names[i]);
	for (size_t columns = 40; columns <= 200; columns++) {
		struct buffer out = BUFFER_INIT;
		struct buffer ascii = BUFFER_INIT;

		table_write_text(&out, &table, columns % 2 ? TABLE_BOXED : TABLE_PLAIN, columns);
		check_width(out.data, columns, columns % 2);
		assert_null(strchr(out.data, '\033'));
		table_add_ascii(&ascii, out.data);
		check_width(ascii.data, columns, columns % 2);
		for (size_t i = 0; i < ascii.size; i++)
			assert_true((unsigned char)ascii.data[i] < 0x80);
		buffer_release(&out);
		buffer_release(&ascii);
	}
	table_release(&table);
	free(giant);
}

static void table_write_text__leaves_out_a_column_that_says_nothing(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	add(&table, (struct table_row){ 0 }, "f", "");
	table_write_text(&out, &table, TABLE_PLAIN, 80);
	assert_null(strstr(out.data, "Module"));
	buffer_release(&out);
	table_release(&table);
}

static void table__has_times_bytes_and_numbers(void **state)
{
	static const struct table_cell cells[] = {
		{ .number = UINT64_C(12345678901) },
		{ .number = 1536 },
		{ .real = 0.1 },
		{ .number = 1200, .is_estimate = true },
	};
	struct buffer out = BUFFER_INIT;
	struct json_writer json = { .out = &out };
	struct table table = { .name = "things" };

	(void)state;
	table_add_column(&table, (struct table_column){ "At (s)", "at_ns", COLUMN_TIME });
	table_add_column(&table, (struct table_column){ "Size", "size_bytes", COLUMN_BYTES });
	table_add_column(&table, (struct table_column){ "Value", "value", COLUMN_NUMBER });
	table_add_column(&table, (struct table_column){ "Calls", "calls", COLUMN_COUNT });
	assert_int_equal(table_add_row(&table, (struct table_row){ 0 }, cells), 0);
	table_write_text(&out, &table, TABLE_PLAIN, 80);
	assert_non_null(strstr(out.data, "12.345678  1.50 KiB    0.1  ~1,200\n"));
	buffer_clear(&out);
	table_write_csv_rows(&out, &table);
	assert_string_equal(out.data, "12345678901,1536,0.1,1200\n");
	buffer_clear(&out);
	json_open_object(&json, NULL);
	table_write_json(&json, &table);
	json_close_object(&json);
	assert_non_null(strstr(out.data, "\"value\": 0.1"));
	assert_non_null(strstr(out.data, "\"at_ns\": 12345678901"));
	buffer_release(&out);
	table_release(&table);
}

static void table_write_text__keeps_names_readable_where_asked(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	table.min_text_columns = 20;
	add(&table, (struct table_row){ 0 }, "a_name_of_28_letters_is_long", "");
	table_write_text(&out, &table, TABLE_PLAIN, 35);
	assert_non_null(strstr(out.data, "  1.50 ms  25.0\n"));
	check_width(out.data, 35, false);
	/* What goes next makes room for the name. */
	buffer_clear(&out);
	table_write_text(&out, &table, TABLE_PLAIN, 34);
	assert_null(strstr(out.data, "25.0"));
	assert_non_null(strstr(out.data, "a_name_of_28…ters_is_long  1.50 ms\n"));
	buffer_release(&out);
	table_release(&table);
}

static void table_write_text__numbers_levels_that_find_no_room(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	for (unsigned int depth = 0; depth < 100; depth++)
		add(&table, (struct table_row){ .depth = depth, .is_last = true }, "recursive",
		    "m");
	table_write_text(&out, &table, TABLE_PLAIN, 40);
	check_width(out.data, 40, false);
	assert_non_null(strstr(out.data, "\n└─ recursive"));
	assert_non_null(strstr(out.data, "└─ [99] "));
	for (char *line = strchr(out.data, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
		assert_true(line == strstr(out.data, "\nrecursive") || line[1] != 'r');
	buffer_release(&out);
	table_release(&table);
}

static void table_write_csv__quotes_and_keeps_all_columns(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct table table;

	(void)state;
	init(&table);
	add(&table, (struct table_row){ 0 }, "f(\"a\", b)", "");
	table_write_csv(&out, &table);
	assert_string_equal(out.data, "name,time_ns,hidden,share,module\n"
				      "\"f(\"\"a\"\", b)\",1500000,7,0.250000,\n");
	buffer_release(&out);
	table_release(&table);
}

static void table_write_json__leaves_out_empty_cells(void **state)
{
	struct buffer out = BUFFER_INIT;
	struct json_writer json = { .out = &out };
	struct table table;

	(void)state;
	init(&table);
	add(&table, (struct table_row){ 0 }, "f\"", "");
	json_open_object(&json, NULL);
	table_write_json(&json, &table);
	json_close_object(&json);
	assert_non_null(strstr(out.data, "\"things\": ["));
	assert_non_null(strstr(out.data, "\"name\": \"f\\\"\""));
	assert_non_null(strstr(out.data, "\"time_ns\": 1500000"));
	assert_null(strstr(out.data, "module"));
	buffer_release(&out);
	table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_write_text__boxes_a_tree),
		cmocka_unit_test(table_write_text__shortens_the_middle_of_names),
		cmocka_unit_test(table_write_text__shortens_functions_from_their_brackets_on),
		cmocka_unit_test(table_write_text__fits_any_width_with_any_name),
		cmocka_unit_test(table_write_text__leaves_out_a_column_that_says_nothing),
		cmocka_unit_test(table__has_times_bytes_and_numbers),
		cmocka_unit_test(table_write_text__keeps_names_readable_where_asked),
		cmocka_unit_test(table_write_text__numbers_levels_that_find_no_room),
		cmocka_unit_test(table_write_csv__quotes_and_keeps_all_columns),
		cmocka_unit_test(table_write_json__leaves_out_empty_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
