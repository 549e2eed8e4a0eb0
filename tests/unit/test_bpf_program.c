/* What is made of the kernel's words; that it runs is for tests/e2e/probes.sh. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "os/bpf_program.h"

static struct bpf_program program;

static int make(const char *fields, bool is_return)
{
	const struct probe_point point = { .is_return = is_return, .fields = fields };
	const struct bpf_program_options options = { .n_cpus = 4, .n_until_wake_up = 1024 };

	return bpf_program_make(&program, &point, &options);
}

static void bpf_program__has_room_for_the_fields(void **state)
{
	(void)state;
	assert_int_equal(make("sp=%sp:u64", false), 0);
	assert_int_equal(program.record_bytes, BPF_PROGRAM_FETCHED_AT + 16 + 8);
	assert_int_equal(make("sp=%sp:u64", true), 0);
	assert_int_equal(program.record_bytes, BPF_PROGRAM_FETCHED_AT + 24 + 8);
	assert_int_equal(make("sp=%sp:u64 a0=$retval:s32 a1=+8(%sp):u8", false), 0);
	assert_int_equal(program.record_bytes, BPF_PROGRAM_FETCHED_AT + 16 + 16);
	assert_int_equal(make("sp=%sp:u64 rv=$retval:u64 rt=+0($retval):string", true), 0);
	assert_int_equal(program.record_bytes,
			 (BPF_PROGRAM_FETCHED_AT + 24 + 20 + TRACE_EVENTS_TEXT_BYTES + 7) / 8 * 8);
	assert_int_equal(make("t0=+0(+8(%sp)):string", false), 0);
}

static void bpf_program__refuses_words_that_it_does_not_know(void **state)
{
	static const char *const words[] = {
		"sp",
		"sp=",
		"sp=%sp",
		"sp=%nothing:u64",
		"sp=%sp:u65",
		"sp=%sp:x64",
		"sp=%sp:f64",
		"sp=%sp:string",
		"sp=+8%sp:u64",
		"sp=+8(%sp:u64",
		"sp=@0x1234:u64",
		"sp=+0(+0(+0(+0(+0(%sp))))):u64",
		"sp=%sp:u64 more",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(make(words[i], false), -EINVAL);
}

static void bpf_program__refuses_too_much(void **state)
{
	char fields[8192] = "sp=%sp:u64";
	size_t used = strlen(fields);

	(void)state;
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(fields + used, sizeof(fields) - used,
					 " t%d=+0($retval):string", i);
	assert_int_equal(make(fields, false), -E2BIG);
	used = strlen("sp=%sp:u64");
	for (int i = 0; i < 600; i++)
		used += (size_t)snprintf(fields + used, sizeof(fields) - used, " a=+8(%%sp):u8");
	assert_int_equal(make(fields, false), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_program__has_room_for_the_fields),
		cmocka_unit_test(bpf_program__refuses_words_that_it_does_not_know),
		cmocka_unit_test(bpf_program__refuses_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
