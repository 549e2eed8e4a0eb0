/* Samples of threads inside traced functions get their return addresses back. */
#include "record/probe_mend.h"

#include <string.h>

#include "unit.h"

#define TRAMPOLINE UINT64_C(0x7fffffffe000)
#define SP UINT64_C(0x7ffe1000)

enum { N_WORDS = 32 };

struct fixture {
	uint64_t words[N_WORDS];
	struct raw_sample sample;
	struct probe_thread thread;
};

static void fixture_init(struct fixture *fixture, enum arch arch)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->sample.registers.arch = arch;
	fixture->sample.registers.values[arch == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP] = SP;
	fixture->sample.registers.values[arch == ARCH_X86_64 ? X86_64_RIP : AARCH64_PC] = 0x401000;
	fixture->sample.has_registers = true;
	fixture->sample.stack_bytes = (const uint8_t *)fixture->words;
	fixture->sample.stack_size_bytes = fixture->sample.stack_asked_bytes =
		sizeof(fixture->words);
}

static void open_call(struct fixture *fixture, uint64_t slot, uint64_t return_ip)
{
	fixture->thread.open[fixture->thread.n_open++] =
		(struct probe_call){ .slot = slot, .return_ip = return_ip };
}

static void mend(struct fixture *fixture)
{
	probe_mend_stack(&fixture->sample, (uint8_t *)fixture->words, &fixture->thread, TRAMPOLINE);
}

static void probe_mend__puts_return_addresses_back(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 20 * 8, 0x402000);
	open_call(&fixture, SP + 10 * 8, 0x403000);
	fixture.words[20] = fixture.words[10] = TRAMPOLINE;
	fixture.words[15] = TRAMPOLINE; /* a copy, which is data */
	assert_true(probe_mend_is_needed(&fixture.sample, &fixture.thread, TRAMPOLINE));
	mend(&fixture);
	assert_int_equal(fixture.words[20], 0x402000);
	assert_int_equal(fixture.words[10], 0x403000);
	assert_int_equal(fixture.words[15], TRAMPOLINE);
}

/* Where the outermost end of a deep stack was copied too. */
static void probe_mend__reaches_both_pieces(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	fixture.sample.stack_size_bytes = 16 * 8;
	fixture.sample.top_bytes = (const uint8_t *)(fixture.words + 16);
	fixture.sample.top_address = SP + 1000 * 8;
	fixture.sample.top_size_bytes = 16 * 8;
	open_call(&fixture, SP + 1002 * 8, 0x402000);
	open_call(&fixture, SP + 20 * 8, 0x403000); /* in between */
	open_call(&fixture, SP + 10 * 8, 0x404000);
	fixture.words[10] = fixture.words[18] = fixture.words[20] = TRAMPOLINE;
	mend(&fixture);
	assert_int_equal(fixture.words[10], 0x404000);
	assert_int_equal(fixture.words[18], 0x402000);
	assert_int_equal(fixture.words[20], TRAMPOLINE);
}

static void probe_mend__leaves_alone_what_was_not_replaced(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 10 * 8, 0x403000);
	fixture.words[10] = 0x405000;
	assert_false(probe_mend_is_needed(&fixture.sample, &fixture.thread, TRAMPOLINE));
	open_call(&fixture, SP - 8, 0x403000);	  /* below the stack pointer: it has returned */
	open_call(&fixture, SP + 4096, 0x403000); /* beyond the dump */
	assert_false(probe_mend_is_needed(&fixture.sample, &fixture.thread, TRAMPOLINE));
}

static void probe_mend__does_not_guess_what_is_no_longer_known(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 10 * 8, 0);
	fixture.words[10] = TRAMPOLINE;
	mend(&fixture);
	assert_int_equal(fixture.words[10], TRAMPOLINE);
}

static void probe_mend__follows_tail_calls(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 10 * 8, 0x403000);
	open_call(&fixture, SP + 10 * 8, TRAMPOLINE);
	fixture.words[10] = TRAMPOLINE;
	mend(&fixture);
	assert_int_equal(fixture.words[10], 0x403000);
}

static void probe_mend__returns_from_the_trampoline(void **state)
{
	struct fixture fixture;

	(void)state;
	/* In the system call: three words pushed. */
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 2 * 8, 0x403000);
	fixture.sample.registers.values[X86_64_RIP] = TRAMPOLINE + 13;
	assert_true(probe_mend_registers(&fixture.sample, &fixture.thread, TRAMPOLINE, false));
	assert_int_equal(registers_pc(&fixture.sample.registers), 0x403000);
	assert_int_equal(registers_sp(&fixture.sample.registers), SP + 3 * 8);
	assert_ptr_equal(fixture.sample.stack_bytes, &fixture.words[3]);
	assert_int_equal(fixture.sample.stack_size_bytes, (N_WORDS - 3) * 8);
}

static void probe_mend__knows_the_call_that_just_ended(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	open_call(&fixture, SP + 3 * 8, 0x404000); /* its caller's, not far above */
	fixture.thread.ended = (struct probe_call){ .slot = SP + 2 * 8, .return_ip = 0x403000 };
	fixture.sample.registers.values[X86_64_RIP] = TRAMPOLINE + 13;
	assert_true(probe_mend_registers(&fixture.sample, &fixture.thread, TRAMPOLINE, false));
	assert_int_equal(registers_pc(&fixture.sample.registers), 0x403000);
}

static void probe_mend__goes_back_to_the_break_point(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	fixture.sample.is_in_kernel = true;
	assert_true(probe_mend_registers(&fixture.sample, &fixture.thread, TRAMPOLINE, true));
	assert_int_equal(registers_pc(&fixture.sample.registers), 0x400fff);
	/* Once the hit was told and the push is done it is where it should be. */
	fixture_init(&fixture, ARCH_X86_64);
	fixture.sample.is_in_kernel = true;
	fixture.thread.last_ip = 0x400fff;
	fixture.thread.last_sp = SP + 8;
	assert_false(probe_mend_registers(&fixture.sample, &fixture.thread, TRAMPOLINE, true));
	assert_int_equal(registers_pc(&fixture.sample.registers), 0x401000);
}

static void probe_mend__comes_back_from_stepping(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_X86_64);
	fixture.sample.registers.values[X86_64_RIP] = TRAMPOLINE + 256;
	fixture.thread.last_ip = 0x402000;
	assert_true(probe_mend_registers(&fixture.sample, &fixture.thread, TRAMPOLINE, false));
	assert_int_equal(registers_pc(&fixture.sample.registers), 0x402000);
}

/* The link register's place in the frame is the function's choice. */
static void probe_mend__searches_frames_on_aarch64(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture, ARCH_AARCH64);
	open_call(&fixture, SP + 20 * 8, 0x402000);
	open_call(&fixture, SP + 10 * 8, 0x403000);
	fixture.words[12] = fixture.words[4] = TRAMPOLINE;
	fixture.sample.registers.values[AARCH64_LR] = TRAMPOLINE;
	assert_true(probe_mend_is_needed(&fixture.sample, &fixture.thread, TRAMPOLINE));
	mend(&fixture);
	assert_int_equal(fixture.words[12], 0x402000);
	assert_int_equal(fixture.words[4], 0x403000);
	assert_int_equal(fixture.sample.registers.values[AARCH64_LR], 0x403000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_mend__puts_return_addresses_back),
		cmocka_unit_test(probe_mend__reaches_both_pieces),
		cmocka_unit_test(probe_mend__leaves_alone_what_was_not_replaced),
		cmocka_unit_test(probe_mend__does_not_guess_what_is_no_longer_known),
		cmocka_unit_test(probe_mend__follows_tail_calls),
		cmocka_unit_test(probe_mend__returns_from_the_trampoline),
		cmocka_unit_test(probe_mend__knows_the_call_that_just_ended),
		cmocka_unit_test(probe_mend__goes_back_to_the_break_point),
		cmocka_unit_test(probe_mend__comes_back_from_stepping),
		cmocka_unit_test(probe_mend__searches_frames_on_aarch64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
