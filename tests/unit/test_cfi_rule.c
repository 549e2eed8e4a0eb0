/* Which rows fit into eight bytes, and what code without rows tells. */
#include "unit.h"

#include "unwind/cfi_rule.h"
#include "unwind/code_bytes.h"

static struct cfi_column offset_column(int64_t offset)
{
	return (struct cfi_column){ .offset = offset, .how = CFI_HOW_OFFSET };
}

static struct cfi_column expression_column(const char *expression)
{
	return (struct cfi_column){ .expression = (const uint8_t *)expression,
				    .expression_size = (uint32_t)strlen(expression),
				    .how = CFI_HOW_EXPRESSION };
}

static struct cfi_row x86_row(uint32_t cfa_register, int64_t cfa_offset)
{
	struct cfi_row row = { .cfa_register = cfa_register,
			       .cfa_offset = cfa_offset,
			       .return_register = X86_64_RIP,
			       .n_columns = X86_64_N_REGISTERS };

	row.columns[X86_64_RIP] = offset_column(-8);
	return row;
}

static void set_expression(struct cfi_row *row, const char *expression, size_t size)
{
	row->cfa_expression = (const uint8_t *)expression;
	row->cfa_expression_size = (uint32_t)size;
}

static void assert_rule(struct cfi_rule rule, enum cfi_rule_kind kind, int cfa_words, int fp_words)
{
	assert_int_equal(rule.kind, kind);
	assert_int_equal(rule.cfa_words, cfa_words);
	assert_int_equal(rule.fp_words, fp_words);
}

static void pack__takes_sp_and_fp(void **state)
{
	struct cfi_row row = x86_row(X86_64_RSP, 48);

	(void)state;
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_SP, 6, 0);
	row = x86_row(X86_64_RBP, 16);
	row.columns[X86_64_RBP] = offset_column(-16);
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_FP, 2, -2);
	assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).link_words, -1);
}

/* Arrays on the stack. */
static void pack__knows_large_frames(void **state)
{
	static const int64_t far_bytes[] = { 8 * INT64_C(32768), (4 << 20) + 40,
					     8 * (int64_t)UINT32_MAX };
	static const int64_t others[] = { 8 * INT64_C(32768) + 4, 8 * ((int64_t)UINT32_MAX + 1),
					  INT64_MAX - 7 };
	struct cfi_row row;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(far_bytes); i++) {
		row = x86_row(X86_64_RSP, far_bytes[i]);
		row.columns[X86_64_RBP] = offset_column(-24);
		assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_SP_FAR);
		assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).fp_words, -3);
		assert_int_equal(cfi_rule_far_bytes(cfi_rule_pack(&row, ARCH_X86_64)),
				 far_bytes[i]);
		row.columns[X86_64_RIP] = offset_column(-16);
		assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_FULL);
	}
	for (size_t i = 0; i < N_ITEMS(others); i++) {
		row = x86_row(X86_64_RSP, others[i]);
		assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_FULL);
	}
	row = x86_row(X86_64_RSP, 8 * 32767);
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_SP, 32767, 0);
}

static void pack__leaves_the_rest_to_the_interpreter(void **state)
{
	struct cfi_row rows[] = {
		x86_row(X86_64_RBX, 16),	/* _dl_runtime_resolve */
		x86_row(10, 0),			/* before a realigned frame is set up */
		x86_row(X86_64_RSP, 12),	/* not whole words */
		x86_row(X86_64_RBP, 8 * 32768), /* too large a frame */
		x86_row(X86_64_RSP, 48),	/* fp by an expression */
		x86_row(X86_64_RSP, 48),	/* sp has a rule of its own */
		x86_row(X86_64_RSP, 48),	/* return address in rdi: vfork */
		x86_row(X86_64_RSP, 48),	/* no rule for the return address */
		x86_row(X86_64_RSP, 48),	/* another return column */
	};

	(void)state;
	rows[4].columns[X86_64_RBP] = expression_column("\x77\x08");
	rows[5].columns[X86_64_RSP] = offset_column(-24);
	rows[6].columns[X86_64_RIP] = (struct cfi_column){ .offset = 5, .how = CFI_HOW_REGISTER };
	rows[7].columns[X86_64_RIP].how = CFI_HOW_SAME;
	rows[8].return_register = 5;
	for (size_t i = 0; i < N_ITEMS(rows); i++)
		assert_int_equal(cfi_rule_pack(&rows[i], ARCH_X86_64).kind, CFI_RULE_FULL);
}

static void pack__ends_where_the_return_address_is_undefined(void **state)
{
	struct cfi_row row = x86_row(X86_64_RSP, 8);

	(void)state;
	row.columns[X86_64_RIP].how = CFI_HOW_UNDEFINED;
	assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_END);
}

static void pack__knows_realigned_frames(void **state)
{
	struct cfi_row row = x86_row(0, 0);

	(void)state;
	set_expression(&row, "\x76\x78\x06", 3); /* *(rbp - 8) */
	row.columns[X86_64_RBP] = (struct cfi_column){ .expression = (const uint8_t *)"\x76\0",
						       .expression_size = 2,
						       .how = CFI_HOW_EXPRESSION };
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_DRAP, -1, 0);
}

static void pack__knows_linkage_tables(void **state)
{
	static const char lazy[] = "\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22";
	static const char ibt[] = "\x77\x08\x80\x00\x3f\x1a\x39\x2a\x33\x24\x22";
	struct cfi_row row = x86_row(0, 0);

	(void)state;
	set_expression(&row, lazy, sizeof(lazy) - 1);
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_PLT, 11, 0);
	set_expression(&row, ibt, sizeof(ibt) - 1);
	assert_rule(cfi_rule_pack(&row, ARCH_X86_64), CFI_RULE_PLT, 9, 0);
}

static void pack__knows_the_kernels_signal_frame(void **state)
{
	struct cfi_row row = x86_row(0, 0);

	(void)state;
	set_expression(&row, "\x77\xa0\x01\x06", 4);
	row.columns[X86_64_RIP] = expression_column("\x77\xa8\x01");
	row.columns[X86_64_RBP] = expression_column("\x77\xf8");
	row.columns[X86_64_RBP].expression_size = 3;
	row.is_signal = true;
	assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_SIGNAL);
	row.is_signal = false;
	assert_int_equal(cfi_rule_pack(&row, ARCH_X86_64).kind, CFI_RULE_FULL);
}

static void pack__takes_aarch64(void **state)
{
	struct cfi_row row = { .cfa_register = AARCH64_SP,
			       .cfa_offset = 32,
			       .return_register = AARCH64_LR,
			       .n_columns = AARCH64_N_REGISTERS };
	struct cfi_rule rule = cfi_rule_pack(&row, ARCH_AARCH64);

	(void)state;
	assert_rule(rule, CFI_RULE_SP, 4, 0);
	assert_int_equal(rule.link_words, 0);
	row.columns[AARCH64_FP] = offset_column(-32);
	row.columns[AARCH64_LR] = offset_column(-24);
	row.cfa_register = AARCH64_FP;
	rule = cfi_rule_pack(&row, ARCH_AARCH64);
	assert_rule(rule, CFI_RULE_FP, 4, -4);
	assert_int_equal(rule.link_words, -3);
}

enum { CODE_VADDR = 0x1000, CODE_BYTES = 64 };

static struct elf_segment code_segment = {
	.vaddr = CODE_VADDR,
	.file_size = CODE_BYTES,
	.memory_size = CODE_BYTES,
	.is_executable = true,
};

/* An image whose code is the text at CODE_VADDR + 16, with int3 around it. */
static struct elf_image code_image(uint8_t bytes[CODE_BYTES], const char *text, size_t size)
{
	memset(bytes, 0xcc, CODE_BYTES);
	memcpy(bytes + 16, text, size);
	return (struct elf_image){ .file = { .bytes = bytes, .size_bytes = CODE_BYTES },
				   .segments = &code_segment,
				   .n_segments = 1 };
}

static void code__ends_in_a_call(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		bool is_call;
	} cases[] = {
		{ "\xe8\x00\x01\x02\x03", 5, true },	     /* call rel32 */
		{ "\xff\xd0", 2, true },		     /* call *%rax */
		{ "\x41\xff\xd1", 3, true },		     /* call *%r9 */
		{ "\xff\x10", 2, true },		     /* call *(%rax) */
		{ "\xff\x53\x08", 3, true },		     /* call *8(%rbx) */
		{ "\xff\x54\x24\x08", 4, true },	     /* call *8(%rsp) */
		{ "\xff\x14\xc5\x00\x01\x00\x00", 7, true }, /* call *256(,%rax,8) */
		{ "\xff\x15\x00\x01\x00\x00", 6, true },     /* call *256(%rip) */
		{ "\xff\x90\x00\x01\x00\x00", 6, true },     /* call *256(%rax) */
		{ "\xff\x94\x24\x00\x01\x00\x00", 7, true }, /* call *256(%rsp) */
		{ "\xe9\x00\x01\x02\x03", 5, false },	     /* jmp */
		{ "\xff\xe0", 2, false },		     /* jmp *%rax */
		{ "\x90\x90\x90", 3, false },
	};
	uint8_t bytes[CODE_BYTES];

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		const struct elf_image image = code_image(bytes, cases[i].text, cases[i].size);

		assert_int_equal(code_is_call_end(&image, ARCH_X86_64,
						  CODE_VADDR + 16 + cases[i].size),
				 cases[i].is_call);
		assert_false(code_is_call_end(&image, ARCH_X86_64, CODE_VADDR + 1));
		assert_false(code_is_call_end(&image, ARCH_X86_64, CODE_VADDR - 100));
	}
}

static void code__ends_in_an_aarch64_call(void **state)
{
	static const struct {
		uint32_t code;
		bool is_call;
	} cases[] = {
		{ 0x94000010, true },  /* bl */
		{ 0xd63f0020, true },  /* blr x1 */
		{ 0xd73f0822, true },  /* blraa x1, x2 */
		{ 0xd63f083f, true },  /* blraaz x1 */
		{ 0x14000010, false }, /* b */
		{ 0xd61f0020, false }, /* br x1 */
		{ 0xd65f03c0, false }, /* ret */
	};
	uint8_t bytes[CODE_BYTES];

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		const struct elf_image image = code_image(bytes, (const char *)&cases[i].code, 4);

		assert_int_equal(code_is_call_end(&image, ARCH_AARCH64, CODE_VADDR + 20),
				 cases[i].is_call);
	}
}

static void code__is_a_signal_trampoline(void **state)
{
	static const char x86[] = "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05";
	static const char aarch64[] = "\x68\x11\x80\xd2\x01\x00\x00\xd4";
	uint8_t bytes[CODE_BYTES];
	struct elf_image image = code_image(bytes, x86, sizeof(x86) - 1);

	(void)state;
	for (uint64_t at = 15; at < 26; at++) {
		const bool is_start = at == 15 || at == 16 || at == 23 || at == 25;

		if (is_start)
			assert_true(code_is_sigreturn(&image, ARCH_X86_64, CODE_VADDR + at));
	}
	assert_false(code_is_sigreturn(&image, ARCH_X86_64, CODE_VADDR + 40));
	image = code_image(bytes, aarch64, sizeof(aarch64) - 1);
	assert_true(code_is_sigreturn(&image, ARCH_AARCH64, CODE_VADDR + 15));
	assert_true(code_is_sigreturn(&image, ARCH_AARCH64, CODE_VADDR + 24));
	assert_false(code_is_sigreturn(&image, ARCH_X86_64, CODE_VADDR + 15));
}

static void code__is_followed_by_exit(void **state)
{
	/* call *%r9; mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall: musl's __clone */
	static const char clone[] = "\x41\xff\xd1\x89\xc7\x31\xc0\xb0\x3c\x0f\x05";
	uint8_t bytes[CODE_BYTES];
	const struct elf_image image = code_image(bytes, clone, sizeof(clone) - 1);

	(void)state;
	assert_true(code_is_before_exit(&image, ARCH_X86_64, CODE_VADDR + 18));
	assert_false(code_is_before_exit(&image, ARCH_X86_64, CODE_VADDR + 19));
}

static void code__begins_a_thread(void **state)
{
	/* syscall; test %rax,%rax; jl; je; ret: glibc's clone3 */
	static const char glibc[] = "\x0f\x05\x48\x85\xc0\x7c\x18\x74\x01\xc3";
	/* syscall; test %eax,%eax; jne */
	static const char musl[] = "\x0f\x05\x85\xc0\x75\x0e";
	/* syscall; cmp $-4095,%rax; jae: any other */
	static const char other[] = "\x0f\x05\x48\x3d\x01\xf0\xff\xff\x73\x01";
	/* svc #0; cmp x0,#0; b.eq */
	static const char aarch64[] = "\x01\0\0\xd4\x1f\0\0\xf1\x60\0\0\x54";
	uint8_t bytes[CODE_BYTES];
	struct elf_image image = code_image(bytes, glibc, sizeof(glibc) - 1);

	(void)state;
	for (uint64_t at = 15; at < 30; at++)
		assert_int_equal(code_is_new_thread(&image, ARCH_X86_64, CODE_VADDR + at),
				 at == 18 || at == 21 || at == 23);
	image = code_image(bytes, musl, sizeof(musl) - 1);
	assert_true(code_is_new_thread(&image, ARCH_X86_64, CODE_VADDR + 18));
	image = code_image(bytes, other, sizeof(other) - 1);
	assert_false(code_is_new_thread(&image, ARCH_X86_64, CODE_VADDR + 18));
	image = code_image(bytes, aarch64, sizeof(aarch64) - 1);
	assert_true(code_is_new_thread(&image, ARCH_AARCH64, CODE_VADDR + 20));
	assert_true(code_is_new_thread(&image, ARCH_AARCH64, CODE_VADDR + 24));
	assert_false(code_is_new_thread(&image, ARCH_AARCH64, CODE_VADDR + 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pack__takes_sp_and_fp),
		cmocka_unit_test(pack__knows_large_frames),
		cmocka_unit_test(pack__leaves_the_rest_to_the_interpreter),
		cmocka_unit_test(pack__ends_where_the_return_address_is_undefined),
		cmocka_unit_test(pack__knows_realigned_frames),
		cmocka_unit_test(pack__knows_linkage_tables),
		cmocka_unit_test(pack__knows_the_kernels_signal_frame),
		cmocka_unit_test(pack__takes_aarch64),
		cmocka_unit_test(code__ends_in_a_call),
		cmocka_unit_test(code__ends_in_an_aarch64_call),
		cmocka_unit_test(code__is_a_signal_trampoline),
		cmocka_unit_test(code__is_followed_by_exit),
		cmocka_unit_test(code__begins_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
