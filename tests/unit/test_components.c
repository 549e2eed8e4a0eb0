/* The rules file: what it means and how its errors read. */
#include "unit.h"

#include <errno.h>

#include "tree/components.h"
#include "tree/glob.h"

static bool is_glob(const char *pattern, const char *text)
{
	return glob_match(pattern, text, strlen(text));
}

static void glob_match__knows_star_question_and_backslash(void **state)
{
	(void)state;
	assert_true(is_glob("", ""));
	assert_true(is_glob("*", ""));
	assert_true(is_glob("a*b*c", "a/x/b/y/bc"));
	assert_false(is_glob("a*b*c", "abcd"));
	assert_true(is_glob("f?o", "foo"));
	assert_false(is_glob("f?", "f"));
	assert_true(is_glob("\\*p", "*p"));
	assert_false(is_glob("\\*p", "xp"));
	assert_true(is_glob("[kernel]", "[kernel]"));
	assert_true(is_glob("a\\", "a\\"));
}

/* The name of the component that claims the subject, "" for none. */
static const char *owner(const struct components *components, const char *function,
			 const char *module_path, const char *path)
{
	const struct component_subject subject = { function, module_path, path };
	const uint32_t at = components_find(components, &subject);

	return at == COMPONENT_NONE
		       ? ""
		       : interner_get(&components->strings, components->items[at].name);
}

static void parse(struct components *components, const char *text)
{
	struct error err = ERROR_INIT;

	if (components_parse(components, text, strlen(text), "rules", &err) < 0)
		fail_msg("%s", err.message);
}

static void components__claim_by_function_module_and_path(void **state)
{
	struct components c;

	(void)state;
	parse(&c, "# all kinds\nA:\n\tfunc: f_*\n\tg\nB:\n\tmodule: libb.so*\nC:\n"
		  "  path: */src/c/*\r\nD:\n\tmodule: /opt/*\n");
	assert_string_equal(owner(&c, "f_1", "/bin/x", ""), "A");
	assert_string_equal(owner(&c, "g", "/bin/x", ""), "A");
	assert_string_equal(owner(&c, "gg", "/usr/lib/libb.so.1", ""), "B");
	assert_string_equal(owner(&c, "gg", "/bin/x", "/home/src/c/y.c"), "C");
	assert_string_equal(owner(&c, "gg", "/opt/lib/z.so", ""), "D");
	assert_string_equal(owner(&c, "gg", "/bin/x", ""), "");
	components_release(&c);
}

static void components__claim_scopes_apart_from_frames(void **state)
{
	struct components c;
	uint32_t at;

	(void)state;
	parse(&c, "A:\n\tscope: load*\n\tB:\n\t\tscope: load index\nC:\n\tscope: *\n\tf\n");
	assert_true(c.has_scopes);
	at = components_find_scope(&c, "load index");
	assert_string_equal(interner_get(&c.strings, c.items[at].name), "B");
	at = components_find_scope(&c, "load");
	assert_string_equal(interner_get(&c.strings, c.items[at].name), "A");
	at = components_find_scope(&c, "f");
	assert_string_equal(interner_get(&c.strings, c.items[at].name), "C");
	assert_string_equal(owner(&c, "load", "", ""), "");
	assert_string_equal(owner(&c, "f", "", ""), "C");
	components_release(&c);
	parse(&c, "A:\n\tload\n");
	assert_false(c.has_scopes);
	assert_int_equal(components_find_scope(&c, "load"), COMPONENT_NONE);
	components_release(&c);
}

static void components__ask_parts_first_then_the_files_order(void **state)
{
	struct components c;

	(void)state;
	parse(&c, "Lib:\n\tmodule: lib.so\n\tPart:\n\t\tf*\n\t\tInner:\n\t\t\tff*\n"
		  "\tOther:\n\t\tfx\nLate:\n\tf*\n");
	assert_string_equal(owner(&c, "ff", "/lib.so", ""), "Inner");
	assert_string_equal(owner(&c, "fx", "/lib.so", ""), "Part");
	assert_string_equal(owner(&c, "g", "/lib.so", ""), "Lib");
	assert_string_equal(owner(&c, "f", "/other.so", ""), "Part");
	components_release(&c);
}

static void components__ignore_parameters_unless_the_pattern_has_some(void **state)
{
	struct components c;

	(void)state;
	parse(&c, "A:\n\tns::v*::push\nB:\n\tfunc: h(int)\nC:\n\tk\n");
	assert_string_equal(owner(&c, "ns::v<int>::push(int const&)", "", ""), "A");
	assert_string_equal(owner(&c, "ns::v<void (*)()>::push() const", "", ""), "A");
	assert_string_equal(owner(&c, "ns::v<int>::push_back(int)", "", ""), "");
	assert_string_equal(owner(&c, "h(int)", "", ""), "B");
	assert_string_equal(owner(&c, "h(char)", "", ""), "");
	assert_string_equal(owner(&c, "k(void (*)(int)) [clone .cold]", "", ""), "C");
	components_release(&c);
}

static void components_parse__names_file_line_and_what_was_expected(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "rules:1: expected a component's name ending in ':', found none" },
		{ "\n# x\nfoo\n",
		  "rules:3: expected a component's name ending in ':', found 'foo'" },
		{ "A:\nfunc: f\n", "rules:2: expected a component's name ending in ':', found "
				   "'func: f'" },
		{ "A:\n\tfunc:\n", "rules:2: expected a pattern after 'func:'" },
		{ "A:\n\tmodule:  \n", "rules:2: expected a pattern after 'module:'" },
		{ "A:\n\tscope:\n", "rules:2: expected a pattern after 'scope:'" },
		{ "A:\n\tscop: x\n",
		  "rules:2: expected func:, module:, path: or scope: before a pattern, found "
		  "another word with a colon" },
		{ "A:\n\tf\n:\n", "rules:3: expected a component's name before ':'" },
		{ "  A:\n", "rules:1: expected the first component at the start of its line" },
		{ "A:\nB:\n\tf\n", "rules:1: expected a pattern or a part indented below 'A'" },
		{ "A:\n\tf\nB:\n\tg\nA:\n\th\n",
		  "rules:5: the component is there already in line 1: expected another name, or "
		  "its patterns there" },
		{ "TOTAL:\n\tf\n",
		  "rules:1: 'TOTAL' is a row of every breakdown: expected another name" },
		{ "A:\n B:\n  C:\n   D:\n    E:\n     F:\n      G:\n       H:\n        I:\n",
		  "rules:9: expected at most 8 components inside each other" },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct error err = ERROR_INIT;
		struct components c;

		assert_int_equal(components_parse(&c, cases[i].text, strlen(cases[i].text), "rules",
						  &err),
				 -EINVAL);
		assert_string_equal(err.message, cases[i].message);
	}
}

static void components_parse__refuses_zero_bytes_and_giants(void **state)
{
	static const char zero[] = "A:\n\tf\0g\n";
	struct error err = ERROR_INIT;
	struct components c;
	char *giant = calloc(1, COMPONENTS_MAX_BYTES + 1);

	(void)state;
	assert_int_equal(components_parse(&c, zero, sizeof(zero) - 1, "rules", &err), -EINVAL);
	assert_string_equal(err.message, "rules:2: expected text, found a zero byte");
	assert_non_null(giant);
	assert_int_equal(components_parse(&c, giant, COMPONENTS_MAX_BYTES + 1, "rules", &err),
			 -EFBIG);
	free(giant);
}

static void components_read__takes_the_example(void **state)
{
	struct error err = ERROR_INIT;
	struct components c;

	(void)state;
	assert_int_equal(components_read(&c, SRCDIR "/examples/components.rules", &err), 0);
	assert_true(c.n_rules > 0);
	components_release(&c);
	assert_int_equal(components_read(&c, SRCDIR "/examples", &err), -EISDIR);
	assert_int_equal(components_read(&c, SRCDIR "/examples/none.rules", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(glob_match__knows_star_question_and_backslash),
		cmocka_unit_test(components__claim_by_function_module_and_path),
		cmocka_unit_test(components__claim_scopes_apart_from_frames),
		cmocka_unit_test(components__ask_parts_first_then_the_files_order),
		cmocka_unit_test(components__ignore_parameters_unless_the_pattern_has_some),
		cmocka_unit_test(components_parse__names_file_line_and_what_was_expected),
		cmocka_unit_test(components_parse__refuses_zero_bytes_and_giants),
		cmocka_unit_test(components_read__takes_the_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
