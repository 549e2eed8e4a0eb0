#include "unit.h"

#include <stdbool.h>

#include "os/output_lines.h"

static regex_t pattern;
static struct output_lines lines;
static char names[1024];
static char last_line[OUTPUT_LINE_MAX_BYTES + 1];
static size_t last_line_bytes;

static void matched(void *context, const char *name, size_t name_bytes, const char *line,
		    size_t line_bytes)
{
	assert_null(context);
	assert_true(strlen(names) + name_bytes + 2 < sizeof(names));
	strncat(names, name, name_bytes);
	strcat(names, ";");
	memcpy(last_line, line, line_bytes);
	last_line_bytes = line_bytes;
}

static void start(const char *expression)
{
	memset(&lines, 0, sizeof(lines));
	names[0] = '\0';
	last_line_bytes = 0;
	assert_int_equal(regcomp(&pattern, expression, REG_EXTENDED), 0);
	lines.pattern = &pattern;
	lines.matched = matched;
}

static void add(const char *text)
{
	output_lines_add(&lines, text, strlen(text));
}

static void add_in_pieces(const char *text, size_t piece_bytes)
{
	for (size_t rest = strlen(text); rest > 0;) {
		const size_t n_bytes = piece_bytes < rest ? piece_bytes : rest;

		output_lines_add(&lines, text, n_bytes);
		text += n_bytes;
		rest -= n_bytes;
	}
}

static void name__is_the_first_group_or_what_matched(void **state)
{
	(void)state;
	start("phase ([a-z]+) (of [0-9]+)?");
	add("phase one of 3\nno phase\nphase two \n");
	assert_string_equal(names, "one;two;");
	assert_int_equal(last_line_bytes, strlen("phase two "));
	regfree(&pattern);
	start("lo+aded");
	add("the file was looaded: 3 rows\n");
	assert_string_equal(names, "looaded;");
	assert_memory_equal(last_line, "the file was looaded: 3 rows", 28);
	regfree(&pattern);
	/* A group that took no part, and a match of nothing. */
	start("(x)|loaded|q*");
	add("loaded\nzzz\n\n");
	assert_string_equal(names, "loaded;");
	regfree(&pattern);
}

static void lines__come_in_pieces(void **state)
{
	static const char text[] = "one\ntwo\r\n\nthree";

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		start("^[a-z]+$");
		add_in_pieces(text, piece);
		assert_string_equal(names, "one;two;");
		output_lines_finish(&lines);
		assert_string_equal(names, "one;two;three;");
		regfree(&pattern);
	}
}

static void colours__are_no_part_of_a_line(void **state)
{
	static const char text[] = "\033[1;32mgreen\033[0m line\n\033Mred\n\033[1\nplain\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		start("^[a-z]+");
		add_in_pieces(text, piece);
		assert_string_equal(names, "green;red;plain;");
		regfree(&pattern);
	}
}

static void line__that_is_huge_counts_with_its_beginning(void **state)
{
	static char huge[100000];

	(void)state;
	memset(huge, 'x', sizeof(huge));
	memcpy(huge, "begin", 5);
	start("begin|end|next");
	output_lines_add(&lines, huge, sizeof(huge));
	output_lines_add(&lines, huge + 5, sizeof(huge) - 5);
	add("end\nnext\n");
	assert_string_equal(names, "begin;next;");
	regfree(&pattern);
}

static void bytes__may_be_zero(void **state)
{
	(void)state;
	start("end$");
	output_lines_add(&lines, "a\0b end\n\0\n", 10);
	assert_string_equal(names, "end;");
	assert_memory_equal(last_line, "a\0b end", 7);
	regfree(&pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name__is_the_first_group_or_what_matched),
		cmocka_unit_test(lines__come_in_pieces),
		cmocka_unit_test(colours__are_no_part_of_a_line),
		cmocka_unit_test(line__that_is_huge_counts_with_its_beginning),
		cmocka_unit_test(bytes__may_be_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
