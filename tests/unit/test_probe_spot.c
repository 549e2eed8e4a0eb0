/* Where probes go, by the first instructions of a function. */
#include "symbol/probe_spot.h"

#include <elf.h>
#include <string.h>

#include "symbol/skippable.h"
#include "unit.h"

enum { TEXT_VADDR = 0x1000, TEXT_BYTES = 64 };

/* The function is at the text's beginning; what lies behind it is another one. */
static struct probe_spot spot_in(const uint8_t *text, size_t size_bytes, bool keeps_arguments)
{
	const struct probe_code function = {
		.machine = EM_X86_64,
		.vaddr = TEXT_VADDR,
		.size_bytes = size_bytes,
		.text = text,
		.text_bytes = TEXT_BYTES,
		.text_vaddr = TEXT_VADDR,
		.keeps_arguments = keeps_arguments,
	};

	return probe_spot_find(&function);
}

#define SPOT(keeps_arguments, ...)                                                                 \
	spot_in((const uint8_t[TEXT_BYTES]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }),    \
		keeps_arguments)

static void assert_spot(struct probe_spot spot, uint32_t skip_bytes, bool is_stepped)
{
	assert_int_equal(spot.skip_bytes, skip_bytes);
	assert_int_equal(spot.is_stepped, is_stepped);
}

static void probe_spot__takes_what_the_kernel_emulates(void **state)
{
	(void)state;
	assert_spot(SPOT(true, 0x55, 0xc3), 0, false);			 /* push %rbp */
	assert_spot(SPOT(true, 0x41, 0x57, 0xc3), 0, false);		 /* push %r15 */
	assert_spot(SPOT(true, 0x90, 0xc3), 0, false);			 /* nop */
	assert_spot(SPOT(true, 0x0f, 0x1f, 0x44, 0, 0, 0xc3), 0, false); /* nopl */
	assert_spot(SPOT(true, 0xe9, 0, 0, 0, 0), 0, false);		 /* jmp */
	assert_spot(SPOT(true, 0x48, 0x83, 0xec, 0x08, 0xc3), 0, true);	 /* sub $8, %rsp */
	assert_spot(SPOT(true, 0xc3), 0, true);				 /* ret */
}

static void probe_spot__skips_endbr64_before_something_cheap(void **state)
{
	(void)state;
	assert_spot(SPOT(true, 0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3), 4, false);
	assert_spot(SPOT(true, 0xf3, 0x0f, 0x1e, 0xfa, 0xc3), 0, true);
}

static void probe_spot__skips_computations(void **state)
{
	(void)state;
	/* test %rdi, %rdi; je */
	assert_spot(SPOT(true, 0x48, 0x85, 0xff, 0x74, 0x02, 0x31, 0xc0, 0xc3), 3, false);
	/* mov %rsi, %rax; push %rbx */
	assert_spot(SPOT(true, 0x48, 0x89, 0xf0, 0x53, 0x5b, 0xc3), 3, false);
}

static void probe_spot__keeps_arguments_that_are_asked_for(void **state)
{
	(void)state;
	/* mov (%rdi), %esi; push %rbx */
	assert_spot(SPOT(true, 0x8b, 0x37, 0x53, 0x5b, 0xc3), 0, true);
	assert_spot(SPOT(false, 0x8b, 0x37, 0x53, 0x5b, 0xc3), 2, false);
}

static void probe_spot__never_skips_what_moves_the_stack_or_writes(void **state)
{
	(void)state;
	/* sub $8, %rsp; push; and pop, mov %rdi, (%rsi), mov %rsp, %rbp */
	assert_spot(SPOT(false, 0x48, 0x83, 0xec, 0x08, 0x53, 0xc3), 0, true);
	assert_spot(SPOT(false, 0x5b, 0x53, 0xc3), 0, true);
	assert_spot(SPOT(false, 0x48, 0x89, 0x3e, 0x53, 0xc3), 0, true);
	assert_spot(SPOT(false, 0x48, 0x89, 0xe5, 0x53, 0xc3), 0, true);
}

static void probe_spot__is_no_place_that_is_jumped_to(void **state)
{
	(void)state;
	/* xor %eax, %eax; push %rbx; pop; jmp to the push */
	assert_spot(SPOT(true, 0x31, 0xc0, 0x53, 0x5b, 0xeb, 0xfc), 0, true);
	/* … to the second byte of the first instruction */
	assert_spot(SPOT(true, 0x31, 0xc0, 0x53, 0x5b, 0xeb, 0xfb), 0, true);
	/* … to the beginning: that is where the function is entered */
	assert_spot(SPOT(true, 0x31, 0xc0, 0x53, 0x5b, 0xeb, 0xfa), 2, false);
	/* jmp *%rax: nobody knows */
	assert_spot(SPOT(true, 0x31, 0xc0, 0x53, 0x5b, 0xff, 0xe0), 0, true);
}

static void probe_spot__knows_nothing_of_a_function_without_a_size(void **state)
{
	static const uint8_t text[TEXT_BYTES] = { 0x31, 0xc0, 0x53, 0x5b, 0xc3 };

	(void)state;
	assert_spot(spot_in(text, 0, true), 0, true);
}

static void skippable_bytes__are_those_of_the_instruction(void **state)
{
	static const struct {
		uint8_t code[12];
		size_t n_bytes;
	} cases[] = {
		{ { 0x48, 0x8b, 0x05, 1, 2, 3, 4 }, 7 },	/* mov x(%rip), %rax */
		{ { 0x8b, 0x44, 0x24, 0x10 }, 4 },		/* mov 16(%rsp), %eax */
		{ { 0x48, 0x8d, 0x84, 0x91, 1, 2, 3, 4 }, 8 },	/* lea x(%rcx,%rdx,4), %rax */
		{ { 0x48, 0x8b, 0x04, 0x25, 1, 2, 3, 4 }, 8 },	/* mov x, %rax */
		{ { 0x0f, 0xb6, 0x07 }, 3 },			/* movzbl (%rdi), %eax */
		{ { 0xb8, 1, 2, 3, 4 }, 5 },			/* mov $x, %eax */
		{ { 0x49, 0xba, 1, 2, 3, 4, 5, 6, 7, 8 }, 10 }, /* mov $x, %r10 */
		{ { 0x66, 0x81, 0xff, 1, 2 }, 5 },		/* cmp $x, %di */
		{ { 0x83, 0x3f, 0x05 }, 3 },			/* cmpl $5, (%rdi) */
		{ { 0xf7, 0xc7, 1, 2, 3, 4 }, 6 },		/* test $x, %edi */
		{ { 0x66, 0x0f, 0xef, 0xc0 }, 4 },		/* pxor %xmm0, %xmm0 */
		{ { 0x83, 0x07, 0x05 }, 0 },			/* addl $5, (%rdi) */
		{ { 0xf7, 0xd8 }, 0 },				/* neg %eax */
		{ { 0x64, 0x48, 0x8b, 0x04, 0x25 }, 0 },	/* %fs: */
		{ { 0xe8, 1, 2, 3, 4 }, 0 },			/* call */
		{ { 0x89, 0xc3 }, 0 },				/* mov %eax, %ebx */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(skippable_bytes(cases[i].code, 12, true), cases[i].n_bytes);
}

static void skippable_bytes__of_a_cut_instruction_are_none(void **state)
{
	static const uint8_t code[] = { 0x48, 0x8b, 0x05, 1, 2, 3, 4 };

	(void)state;
	for (size_t n = 0; n < sizeof(code); n++)
		assert_int_equal(skippable_bytes(code, n, true), 0);
}

static void probe_spot__on_aarch64_is_the_first_instruction(void **state)
{
	static const uint8_t branch[] = { 0x01, 0x00, 0x00, 0x14 };
	static const uint8_t store[] = { 0xfd, 0x7b, 0xbf, 0xa9 };
	struct probe_code function = { .machine = EM_AARCH64, .text = branch, .text_bytes = 4 };

	(void)state;
	assert_spot(probe_spot_find(&function), 0, false);
	function.text = store;
	assert_spot(probe_spot_find(&function), 0, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_spot__takes_what_the_kernel_emulates),
		cmocka_unit_test(probe_spot__skips_endbr64_before_something_cheap),
		cmocka_unit_test(probe_spot__skips_computations),
		cmocka_unit_test(probe_spot__keeps_arguments_that_are_asked_for),
		cmocka_unit_test(probe_spot__never_skips_what_moves_the_stack_or_writes),
		cmocka_unit_test(probe_spot__is_no_place_that_is_jumped_to),
		cmocka_unit_test(probe_spot__knows_nothing_of_a_function_without_a_size),
		cmocka_unit_test(skippable_bytes__are_those_of_the_instruction),
		cmocka_unit_test(skippable_bytes__of_a_cut_instruction_are_none),
		cmocka_unit_test(probe_spot__on_aarch64_is_the_first_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
