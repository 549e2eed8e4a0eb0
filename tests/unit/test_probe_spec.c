/* What users write behind --trace-function and --mark-function. */
#include "record/probe_spec.h"

#include <string.h>

#include "record/probe_fields.h"
#include "unit.h"

static int parse(struct probe_spec *spec, bool is_scope, const char *text)
{
	*spec = (struct probe_spec){ .is_scope = is_scope };
	return probe_spec_parse(spec, "--option", text, NULL);
}

static void probe_spec__is_a_name(void **state)
{
	struct probe_spec spec;

	(void)state;
	assert_int_equal(parse(&spec, true, "parse"), 0);
	assert_string_equal(spec.function, "parse");
	assert_null(spec.library);
	assert_false(spec.has_arguments);
	assert_false(spec.has_result);
	probe_spec_release(&spec);
}

static void probe_spec__has_a_library_and_namespaces(void **state)
{
	struct probe_spec spec;

	(void)state;
	assert_int_equal(parse(&spec, false, "/usr/lib/x.so.1:app::parse%return"), 0);
	assert_string_equal(spec.library, "/usr/lib/x.so.1");
	assert_string_equal(spec.function, "app::parse");
	assert_true(spec.is_return);
	probe_spec_release(&spec);
}

static void probe_spec__has_types(void **state)
{
	struct probe_spec spec;

	(void)state;
	assert_int_equal(
		parse(&spec, true,
		      "unsigned long libc.so.6:f(int a, const char *b, size_t, struct x *s, "
		      "bool flag, char c, char **v)"),
		0);
	assert_string_equal(spec.library, "libc.so.6");
	assert_string_equal(spec.function, "f");
	assert_true(spec.has_result);
	assert_int_equal(spec.result.kind, PROBE_TYPE_UNSIGNED);
	assert_int_equal(spec.result.size_bytes, 8);
	assert_int_equal(spec.n_arguments, 7);
	assert_string_equal(spec.arguments[0].name, "a");
	assert_int_equal(spec.arguments[0].type.kind, PROBE_TYPE_SIGNED);
	assert_int_equal(spec.arguments[0].type.size_bytes, 4);
	assert_int_equal(spec.arguments[1].type.kind, PROBE_TYPE_TEXT);
	assert_string_equal(spec.arguments[2].name, "arg3");
	assert_int_equal(spec.arguments[3].type.kind, PROBE_TYPE_POINTER);
	assert_string_equal(spec.arguments[3].name, "s");
	assert_int_equal(spec.arguments[4].type.kind, PROBE_TYPE_BOOL);
	assert_int_equal(spec.arguments[5].type.kind, PROBE_TYPE_CHAR);
	assert_int_equal(spec.arguments[6].type.kind, PROBE_TYPE_POINTER);
	probe_spec_release(&spec);
}

static void probe_spec__stars_of_patterns_are_no_types(void **state)
{
	struct probe_spec spec;

	(void)state;
	assert_int_equal(parse(&spec, true, "app::*"), 0);
	assert_string_equal(spec.function, "app::*");
	assert_false(spec.has_result);
	probe_spec_release(&spec);
	assert_int_equal(parse(&spec, true, "*_init"), 0);
	assert_string_equal(spec.function, "*_init");
	probe_spec_release(&spec);
	assert_int_equal(parse(&spec, true, "char *name"), 0);
	assert_string_equal(spec.function, "name");
	assert_int_equal(spec.result.kind, PROBE_TYPE_TEXT);
	probe_spec_release(&spec);
}

/* Whether they are a signature of C++ is known only when functions are looked for. */
static void probe_spec__keeps_types_that_it_does_not_know(void **state)
{
	static const char *const texts[] = { "f(double x)", "f(foo x)", "f(struct x s)",
					     "f(std::string const&)", "f(int a b)" };
	struct probe_spec spec;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(&spec, true, texts[i]), 0);
		assert_string_equal(spec.signature, texts[i]);
		assert_false(spec.has_arguments);
		assert_int_not_equal(spec.types.code, 0);
		probe_spec_release(&spec);
	}
}

static void probe_spec__refuses_what_makes_no_sense(void **state)
{
	struct probe_spec spec;

	(void)state;
	assert_int_not_equal(parse(&spec, true, ""), 0);
	assert_int_not_equal(parse(&spec, true, "lib:"), 0);
	assert_int_not_equal(parse(&spec, true, ":name"), 0);
	assert_int_not_equal(parse(&spec, true, "name%return"), 0);
	assert_int_not_equal(parse(&spec, false, "name%return(int a)"), 0);
}

#if defined(__x86_64__)
static void probe_fields__ask_for_registers_by_the_calling_convention(void **state)
{
	struct buffer fields = BUFFER_INIT;
	struct probe_spec spec;

	(void)state;
	assert_int_equal(parse(&spec, true,
			       "int f(int a, char *b, long c, char d, int e, int g, int h)"),
			 0);
	probe_fields_of_entry(&fields, &spec, true);
	assert_string_equal(buffer_string(&fields),
			    "sp=%sp:u64 ra=+0(%sp):u64 a0=%di:s32 a1=%si:u64 t1=+0(%si):string "
			    "a2=%dx:s64 a3=%cx:u8 a4=%r8:s32 a5=%r9:s32 a6=+8(%sp):s32");
	buffer_clear(&fields);
	probe_fields_of_return(&fields, &spec);
	assert_string_equal(buffer_string(&fields), "sp=%sp:u64 rv=$retval:s32");
	buffer_release(&fields);
	probe_spec_release(&spec);
}
#endif

static void probe_fields__read_what_the_kernel_wrote(void **state)
{
	uint8_t bytes[128] = { 0 };
	const uint64_t words[] = { 0x1234, 0x7fff0000, 0x401000 };
	const int32_t a = -3;
	const uint64_t pointer = 0x500000;
	const uint32_t location = 52 | 3 << 16;
	struct probe_entry_fields fields;
	struct buffer text = BUFFER_INIT;
	struct probe_spec spec;

	(void)state;
	assert_int_equal(parse(&spec, true, "f(int a, char *b)"), 0);
	memcpy(bytes + 8, words, sizeof(words));
	memcpy(bytes + 32, &a, sizeof(a));
	memcpy(bytes + 36, &pointer, sizeof(pointer));
	memcpy(bytes + 44, &location, sizeof(location));
	memcpy(bytes + 52, "hi", 3);
	assert_true(probe_fields_read_entry(&fields, &text, &spec, true, bytes, 56));
	assert_int_equal(fields.sp, 0x7fff0000);
	assert_int_equal(fields.return_ip, 0x401000);
	assert_string_equal(buffer_string(&text), "a=-3 b=\"hi\"");
	/* A text that does not lie inside, and a record that is cut. */
	buffer_clear(&text);
	assert_true(probe_fields_read_entry(&fields, &text, &spec, true, bytes, 54));
	assert_string_equal(buffer_string(&text), "a=-3 b=0x500000 (not readable)");
	buffer_clear(&text);
	assert_false(probe_fields_read_entry(&fields, &text, &spec, true, bytes, 40));
	buffer_release(&text);
	probe_spec_release(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_spec__is_a_name),
		cmocka_unit_test(probe_spec__has_a_library_and_namespaces),
		cmocka_unit_test(probe_spec__has_types),
		cmocka_unit_test(probe_spec__stars_of_patterns_are_no_types),
		cmocka_unit_test(probe_spec__keeps_types_that_it_does_not_know),
		cmocka_unit_test(probe_spec__refuses_what_makes_no_sense),
#if defined(__x86_64__)
		cmocka_unit_test(probe_fields__ask_for_registers_by_the_calling_convention),
#endif
		cmocka_unit_test(probe_fields__read_what_the_kernel_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
