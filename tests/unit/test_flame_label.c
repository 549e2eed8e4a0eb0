/* What is left of a name in a narrow box. */
#include "unit.h"

#include "flamegraph/flame_label.h"

#define DOTS "\xe2\x80\xa6"

static void expect_fit(const char *name, size_t columns, const char *expected)
{
	struct buffer out = BUFFER_INIT;

	flame_label_fit(&out, name, columns);
	assert_string_equal(buffer_string(&out), expected);
	buffer_release(&out);
}

static void flame_label_fit__keeps_what_fits(void **state)
{
	(void)state;
	expect_fit("foo<int>(char)", 14, "foo<int>(char)");
	expect_fit("abc", 3, "abc");
	expect_fit("abc", 2, "");
	expect_fit("", 10, "");
}

static void flame_label_fit__elides_template_arguments_and_parameters_first(void **state)
{
	(void)state;
	expect_fit("ns::foo<std::pair<int, long> >::bar(int, char)", 16, "ns::foo<" DOTS ">::bar");
	expect_fit("(anonymous namespace)::f(int)", 26, "(anonymous namespace)::f");
	expect_fit("a::operator()(int) const", 23, "a::operator() const");
	expect_fit("std::operator<< <char>(x)", 24, "std::operator<< <" DOTS ">");
	expect_fit("f<(a->b)>::g(x)", 14, "f<" DOTS ">::g");
}

static void flame_label_fit__drops_qualifiers_before_it_cuts(void **state)
{
	(void)state;
	expect_fit("one::two::three", 12, DOTS "::three");
	expect_fit("zero::one::two::three", 13, DOTS "::two::three");
	expect_fit("one::two::three", 5, "three");
	expect_fit("one::two::three", 4, "thr" DOTS);
}

static void flame_label_fit__cuts_the_end_of_plain_names(void **state)
{
	(void)state;
	expect_fit("very_long_name", 6, "very_" DOTS);
	expect_fit("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5\xe6\x9c\xac" DOTS);
}

static void flame_label_fit__leaves_unbalanced_brackets(void **state)
{
	(void)state;
	expect_fit("a<b<c longer than this", 8, "a<b<c l" DOTS);
	expect_fit("<T as Trait>::method", 9, DOTS "::method");
}

static void flame_label_fit__is_fast_on_hostile_names(void **state)
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
		flame_label_fit(&out, name, 20);
		assert_true(out.size < 100);
		buffer_clear(&out);
	}
	buffer_release(&out);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flame_label_fit__keeps_what_fits),
		cmocka_unit_test(flame_label_fit__elides_template_arguments_and_parameters_first),
		cmocka_unit_test(flame_label_fit__drops_qualifiers_before_it_cuts),
		cmocka_unit_test(flame_label_fit__cuts_the_end_of_plain_names),
		cmocka_unit_test(flame_label_fit__leaves_unbalanced_brackets),
		cmocka_unit_test(flame_label_fit__is_fast_on_hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
