/*
 * Rows read from code: of a few functions written by hand, and for all functions of libc and
 * of this program against their call frame information.
 */
#include "code_fixture.h"

#include <elf.h>
#include <stdbool.h>
#include <unistd.h>

#include "process_fixture.h"
#include "unwind/cfi_rule.h"
#include "unwind/cfi_tables.h"
#include "unwind/code_bytes.h"
#include "unwind/code_row.h"
#include "unwind/x86_instruction.h"

enum {
	/*
	 * Of instructions: through tables of jumps nothing is followed, and where no way returns
	 * (abort) there is no row.
	 */
	DECIDED_PERCENT = 88,
	/*
	 * Of the rows that can be compared.  The others are mostly right: assembly whose
	 * information leaves out a push, and what lies between functions.  Of returns it is
	 * those from calls that end a function whose neighbour begins without padding.
	 */
	SAME_PERCENT = 99,
};

/* The packed rule `offset` bytes into the code; kind CFI_RULE_NONE when there is none. */
static struct cfi_rule rule_at(const struct code *code, uint64_t offset, bool is_exact)
{
	struct cfi_rule rule = { .kind = CFI_RULE_NONE };
	struct code_image made;
	struct code_row row;

	code_image_init(&made, code);
	if (code_row_at(&made.image, code->arch, CODE_VADDR + offset, is_exact, &row))
		rule = cfi_rule_pack(&row.row, code->arch);
	free(made.bytes);
	return rule;
}

struct wanted {
	struct code code;
	uint64_t offset;
	struct cfi_rule rule; /* flags: whether it is exact */
};

static void assert_rules(const struct wanted *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cfi_rule *rule = &wanted[i].rule;
		const struct cfi_rule got = rule_at(&wanted[i].code, wanted[i].offset, rule->flags);

		if (got.kind != rule->kind || got.cfa_words != rule->cfa_words ||
		    got.fp_words != rule->fp_words || got.link_words != rule->link_words)
			fail_msg("%s at %u: %u %d %d %d", wanted[i].code.name,
				 (unsigned int)wanted[i].offset, got.kind, got.cfa_words,
				 got.fp_words, got.link_words);
	}
}

#define SP(cfa, fp)                                                                                \
	{                                                                                          \
		cfa, fp, -1, CFI_RULE_SP, 1                                                        \
	}
#define FP(cfa, fp)                                                                                \
	{                                                                                          \
		cfa, fp, -1, CFI_RULE_FP, 1                                                        \
	}
#define NONE                                                                                       \
	{                                                                                          \
		0, 0, 0, CFI_RULE_NONE, 1                                                          \
	}

static void x86__is_followed_to_the_return(void **state)
{
	/* push %rbp; push %rbx; sub $24,%rsp; loop: dec %rax; jne loop; add $24,%rsp; pop; pop; ret
	 */
	static const struct code saves =
		CODE("saves", ARCH_X86_64,
		     "\x55\x53\x48\x83\xec\x18\x48\xff\xc8\x75\xfb\x48\x83\xc4\x18\x5b\x5d\xc3");
	/* push %rbp; mov %rsp,%rbp; sub %rax,%rsp; call *%rcx; leave; ret */
	static const struct code frame = CODE("frame", ARCH_X86_64,
					      "\x55\x48\x89\xe5\x48\x29\xc4\xff\xd1\xc9\xc3");
	/* mov %rsp,%rax; and $-32,%rsp; sub $64,%rsp; call *%rcx; mov %rax,%rsp; ret */
	static const struct code aligned =
		CODE("aligned", ARCH_X86_64,
		     "\x48\x89\xe0\x48\x83\xe4\xe0\x48\x83\xec\x40\xff\xd1\x48\x89\xc4\xc3");
	/* push %rbp; sub $16,%rsp; call *%rcx; add $16,%rsp; pop %rbp; ret */
	static const struct code calls =
		CODE("calls", ARCH_X86_64, "\x55\x48\x83\xec\x10\xff\xd1\x48\x83\xc4\x10\x5d\xc3");
	/* frndint; cpuid in between two exchanges of %rbx; ret */
	static const struct code others = CODE("others", ARCH_X86_64,
					       "\xd9\xfc\x48\x87\xde\x0f\xa2\x48\x87\xde\xc3");
	/* test %edi,%edi; je away; ret; away: push %rsi; jmp *%rax */
	static const struct code table = CODE("table", ARCH_X86_64,
					      "\x85\xff\x74\x01\xc3\x56\xff\xe0");
	/* pop %rax; and $0xfc,%ah; jmp *8(%rip) */
	static const struct code tail = CODE("tail", ARCH_X86_64,
					     "\x58\x80\xe4\xfc\xff\x25\x08\x00\x00\x00");
	/* vmovdqu (%rsp),%ymm4; vzeroupper; lea 8(%rsp),%rsp; ret */
	static const struct code vectors = CODE(
		"vectors", ARCH_X86_64, "\xc5\xfe\x6f\x24\x24\xc5\xf8\x77\x48\x8d\x64\x24\x08\xc3");
	static const struct wanted wanted[] = {
		{ saves, 0, SP(1, 0) },	   { saves, 1, SP(2, -2) }, { saves, 2, SP(3, -2) },
		{ saves, 6, SP(6, -2) },   { saves, 9, SP(6, -2) }, { saves, 15, SP(3, -2) },
		{ saves, 17, SP(1, 0) },   { frame, 0, SP(1, 0) },  { frame, 1, SP(2, -2) },
		{ frame, 4, FP(2, -2) },   { frame, 9, FP(2, -2) }, { frame, 10, SP(1, 0) },
		{ aligned, 16, SP(1, 0) }, { table, 0, SP(1, 0) },  { table, 5, NONE },
		{ tail, 0, SP(2, 0) },	   { tail, 1, SP(1, 0) },   { vectors, 0, SP(2, 0) },
		{ others, 0, SP(1, 0) },
	};

	(void)state;
	assert_rules(wanted, N_ITEMS(wanted));
	/* A register that holds only where the code was interrupted. */
	assert_int_equal(rule_at(&aligned, 13, true).kind, CFI_RULE_FULL);
	assert_int_equal(rule_at(&aligned, 13, false).kind, CFI_RULE_NONE);
	/* What is returned to lies behind a call. */
	assert_int_equal(rule_at(&calls, 7, false).cfa_words, 4);
	assert_int_equal(rule_at(&calls, 5, true).cfa_words, 4);
	assert_int_equal(rule_at(&calls, 5, false).kind, CFI_RULE_NONE);
}

/* call; nops; then the next function */
#define ABORT_BYTES "\xe8\x00\x01\x00\x00\x0f\x1f\x80\x00\x00\x00\x00\x0f\x1f\x40\x00\x53\x5b\xc3"

static void x86__ends_where_nothing_returns(void **state)
{
	static const struct wanted wanted[] = {
		/* jmp to itself */
		{ CODE("loop", ARCH_X86_64, "\xeb\xfe"), 0, NONE },
		{ CODE("trap", ARCH_X86_64, "\x0f\x0b\xc3"), 0, NONE },
		{ CODE("breakpoint", ARCH_X86_64, "\xcc\xc3"), 0, NONE },
		{ CODE("no end", ARCH_X86_64, "\x90\x90"), 0, NONE },
		{ CODE("half", ARCH_X86_64, "\x48\x81"), 0, NONE },
		{ CODE("outside", ARCH_X86_64, "\xe9\x00\x10\x00\x00"), 0, NONE },
		{ CODE("no instruction", ARCH_X86_64, "\x06\xc3"), 0, NONE },
		{ CODE("pushed", ARCH_X86_64, "\x50\xc3"), 0, NONE },
		{ CODE("taken below", ARCH_X86_64, "\x48\x83\xc4\xf0\xc3"), 0, NONE },
		{ CODE("odd", ARCH_X86_64, "\x48\x83\xc4\x03\xc3"), 0, NONE },
		{ CODE("abort", ARCH_X86_64, ABORT_BYTES), 0, NONE },
		{ CODE("a nop", ARCH_X86_64, "\xe8\x00\x01\x00\x00\x90\x53\x5b\xc3"), 0, SP(1, 0) },
		{ CODE("endbr64", ARCH_X86_64, "\xe8\x00\x01\x00\x00\xf3\x0f\x1e\xfa\xc3"), 0,
		  NONE },
		{ CODE("returns", ARCH_X86_64, "\xe8\x00\x01\x00\x00\x53\x5b\xc3"), 0, SP(1, 0) },
		{ CODE("from behind", ARCH_X86_64, "\xc3"), 1, NONE },
		/* mov %fs:(%rbx),%rsp; ret */
		{ CODE("segment", ARCH_X86_64, "\x64\x48\x8b\x23\xc3"), 0, NONE },
		/* mov %rsp,%rax; sub %rcx,%rax; mov %rax,%rsp; ret */
		{ CODE("alloca", ARCH_X86_64, "\x48\x89\xe0\x48\x29\xc8\x48\x89\xc4\xc3"), 0,
		  NONE },
		{ CODE("xchg %rax,%rsp; ret", ARCH_X86_64, "\x48\x94\xc3"), 0, NONE },
		{ CODE("xor %ebp,%ebp; ret", ARCH_X86_64, "\x31\xed\xc3"), 0, NONE },
		/* pop %rax; pop (%rsp); ret */
		{ CODE("written", ARCH_X86_64, "\x58\x8f\x04\x24\xc3"), 0, NONE },
		/* call .+5; pop %rbx; ret */
		{ CODE("own address", ARCH_X86_64, "\xe8\x00\x00\x00\x00\x58\xc3"), 0, SP(1, 0) },
	};
	static const struct code abort_code = CODE("abort", ARCH_X86_64, ABORT_BYTES);

	(void)state;
	assert_rules(wanted, N_ITEMS(wanted));
	assert_int_equal(rule_at(&abort_code, 5, false).kind, CFI_RULE_NONE);
}

/* As compilers probe a large frame: nobody knows how many pages are left. */
static void stack_pointers__are_not_moved_in_loops(void **state)
{
	/* lea -0x5000(%rsp),%r11; loop: sub $0x1000,%rsp; orq $0,(%rsp); cmp %r11,%rsp; jne loop;
	 * add $0x5000,%rsp; ret */
	static const struct code probes = CODE("probes", ARCH_X86_64,
					       "\x4c\x8d\x9c\x24\x00\xb0\xff\xff"
					       "\x48\x81\xec\x00\x10\x00\x00"
					       "\x48\x83\x0c\x24\x00"
					       "\x4c\x39\xdc"
					       "\x75\xef"
					       "\x48\x81\xc4\x00\x50\x00\x00"
					       "\xc3");
	/* loop: sub sp,sp,#4096; subs x0,x0,#1; b.ne loop; add sp,sp,#8192; ret */
	static const struct code aarch64 = CODE("probes of aarch64", ARCH_AARCH64,
						"\xff\x07\x40\xd1"
						"\x00\x04\x00\xf1"
						"\xc1\xff\xff\x54"
						"\xff\x0b\x40\x91"
						"\xc0\x03\x5f\xd6");
	static const struct wanted wanted[] = {
		{ probes, 0, NONE },	      { probes, 8, NONE },
		{ probes, 15, NONE },	      { probes, 23, NONE },
		{ probes, 25, SP(0xa01, 0) }, { aarch64, 0, NONE },
		{ aarch64, 4, NONE },	      { aarch64, 12, { 1024, 0, 0, CFI_RULE_SP, 1 } },
	};

	(void)state;
	assert_rules(wanted, N_ITEMS(wanted));
}

/* gcc's way with aligned stacks: the CFA is a word in memory. */
static void x86__loads_the_stack_pointer(void **state)
{
	/* nops; call *%rcx; lea -8(%rbp),%rsp; pop %r10; pop %rbp; lea -8(%r10),%rsp; ret */
	static const struct code code = CODE(
		"drap", ARCH_X86_64,
		"\x90\x90\x90\x90\x90\xff\xd1\x48\x8d\x65\xf8\x41\x5a\x5d\x49\x8d\x62\xf8\xc3");
	const struct cfi_rule rule = rule_at(&code, 7, false);

	(void)state;
	assert_int_equal(rule.kind, CFI_RULE_DRAP);
	assert_int_equal(rule.cfa_words, -1);
	assert_int_equal(rule.fp_words, 0);
	assert_int_equal(rule.link_words, -1);
}

static void aarch64__is_followed_to_the_return(void **state)
{
	/* stp x29,x30,[sp,#-32]!; mov x29,sp; str x19,[sp,#16]; bl .; ldr x19,[sp,#16];
	 * ldp x29,x30,[sp],#32; ret */
	static const struct code frame = CODE("frame", ARCH_AARCH64,
					      "\xfd\x7b\xbe\xa9"
					      "\xfd\x03\x00\x91"
					      "\xf3\x0b\x00\xf9"
					      "\x00\x00\x00\x94"
					      "\xf3\x0b\x40\xf9"
					      "\xfd\x7b\xc2\xa8"
					      "\xc0\x03\x5f\xd6");
	/* sub sp,sp,#16; cbz x0,+8; nop; add sp,sp,#16; ret */
	static const struct code leaf = CODE("leaf", ARCH_AARCH64,
					     "\xff\x43\x00\xd1"
					     "\x40\x00\x00\xb4"
					     "\x1f\x20\x03\xd5"
					     "\xff\x43\x00\x91"
					     "\xc0\x03\x5f\xd6");
	/* stp d8,d9,[sp,#-16]!; bl .; ldp d8,d9,[sp],#16; ret: its lr is gone */
	static const struct code broken = CODE("broken", ARCH_AARCH64,
					       "\xe8\x27\xbf\x6d"
					       "\x00\x00\x00\x94"
					       "\xe8\x27\xc1\x6c"
					       "\xc0\x03\x5f\xd6");
	/* ld1 {v8.8b-v11.8b},[sp],#32; ret */
	static const struct code vectors = CODE("vectors of aarch64", ARCH_AARCH64,
						"\xe8\x23\xdf\x0c"
						"\xc0\x03\x5f\xd6");
	/* addvl sp,sp,#1; ret */
	static const struct code scalable = CODE("scalable", ARCH_AARCH64,
						 "\x3f\x50\x3f\x04"
						 "\xc0\x03\x5f\xd6");
	/* st2g sp,[sp],#32; ldr w0,[sp],#16; ret */
	static const struct code tags = CODE("tags", ARCH_AARCH64,
					     "\xff\x27\xa0\xd9"
					     "\xe0\x07\x41\xb8"
					     "\xc0\x03\x5f\xd6");
	/* br x16; add x16,x16,w17,sxtw; br x16 */
	static const struct code tail = CODE("tail", ARCH_AARCH64, "\x00\x02\x1f\xd6");
	static const struct code table = CODE("table", ARCH_AARCH64,
					      "\x10\xc2\x31\x8b"
					      "\x00\x02\x1f\xd6");
	static const struct wanted wanted[] = {
		{ frame, 0, { 0, 0, 0, CFI_RULE_SP, 1 } },
		{ frame, 4, { 4, -4, -3, CFI_RULE_SP, 1 } },
		{ frame, 16, { 4, -4, -3, CFI_RULE_SP, 0 } },
		{ frame, 24, { 0, 0, 0, CFI_RULE_SP, 1 } },
		{ leaf, 4, { 2, 0, 0, CFI_RULE_SP, 1 } },
		{ leaf, 4, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ vectors, 0, { 0, 0, 0, CFI_RULE_NONE, 1 } },
		{ scalable, 0, { 0, 0, 0, CFI_RULE_NONE, 1 } },
		{ tags, 0, { 6, 0, 0, CFI_RULE_SP, 1 } },
		{ tail, 0, { 0, 0, 0, CFI_RULE_SP, 1 } },
		{ table, 0, { 0, 0, 0, CFI_RULE_NONE, 1 } },
		{ broken, 0, { 0, 0, 0, CFI_RULE_NONE, 1 } },
		{ broken, 8, { 2, 0, 0, CFI_RULE_SP, 1 } },
		{ broken, 8, { 0, 0, 0, CFI_RULE_NONE, 0 } },
	};

	(void)state;
	assert_rules(wanted, N_ITEMS(wanted));
}

struct totals {
	uint64_t n_functions;
	uint64_t n_whole; /* whose instructions end where they do */
	uint64_t n_instructions;
	uint64_t n_decided;
	uint64_t n_compared;
	uint64_t n_same;
	uint64_t n_same_fp; /* of these: where the caller's frame pointer is */
	uint64_t n_returns; /* behind calls, where a function may have ended */
	uint64_t n_same_returns;
};

static size_t instruction_bytes(const struct elf_image *image, uint64_t vaddr)
{
	enum { AARCH64_BYTES = 4 };
	struct x86_instruction instruction;
	const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, X86_INSTRUCTION_MAX_BYTES);

	if (ARCH_NATIVE != ARCH_X86_64)
		return AARCH64_BYTES;
	return bytes && x86_instruction_read(&instruction, bytes, X86_INSTRUCTION_MAX_BYTES)
		       ? instruction.size_bytes
		       : 0;
}

/* Bytes before an address can look like a call without being one. */
static bool is_call(const struct elf_image *image, uint64_t vaddr)
{
	struct x86_instruction instruction;
	const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, X86_INSTRUCTION_MAX_BYTES);

	if (ARCH_NATIVE != ARCH_X86_64)
		return code_is_call_end(image, ARCH_NATIVE, vaddr + 4);
	return bytes && x86_instruction_read(&instruction, bytes, X86_INSTRUCTION_MAX_BYTES) &&
	       instruction.map == X86_MAP_ONE &&
	       (instruction.opcode == 0xe8 ||
		(instruction.opcode == 0xff && (instruction.reg & 7) == 2));
}

static bool is_of_sp_or_fp(const struct cfi_rule *rule)
{
	return rule->kind == CFI_RULE_SP || rule->kind == CFI_RULE_FP;
}

/* 0 also where it was popped already, which call frame information mostly leaves out. */
static int fp_words(const struct cfi_rule *rule)
{
	return rule->kind == CFI_RULE_SP && rule->cfa_words + rule->fp_words < 0 ? 0
										 : rule->fp_words;
}

/* Behind its reload a return address is in its slot and in the link register. */
static bool is_same_caller(const struct cfi_rule *got, const struct cfi_rule *wanted)
{
	return got->kind == wanted->kind && got->cfa_words == wanted->cfa_words &&
	       (got->link_words == wanted->link_words ||
		(!got->link_words && ARCH_NATIVE == ARCH_AARCH64));
}

/* What both say of it: by call frame information at `vaddr`, and by the code from `at` on. */
struct opinions {
	bool is_known;
	bool is_decided;
	struct cfi_rule wanted;
	struct cfi_rule got;
};

static struct opinions opinions_of(const struct elf_image *image, const struct cfi_fde *fde,
				   uint64_t vaddr, uint64_t at, bool is_exact)
{
	struct opinions opinions = { .is_known = false };
	struct code_row code;
	struct cfi_row row;

	opinions.is_known = cfi_row_at(fde, vaddr, ARCH_NATIVE, &row) == 0;
	opinions.is_decided = opinions.is_known &&
			      code_row_at(image, ARCH_NATIVE, at, is_exact, &code);
	if (opinions.is_decided) {
		opinions.wanted = cfi_rule_pack(&row, ARCH_NATIVE);
		opinions.got = cfi_rule_pack(&code.row, ARCH_NATIVE);
	}
	return opinions;
}

static void count_instruction(struct totals *totals, const struct elf_image *image,
			      const struct cfi_fde *fde, uint64_t vaddr)
{
	const struct opinions o = opinions_of(image, fde, vaddr, vaddr, true);

	totals->n_instructions += o.is_known;
	totals->n_decided += o.is_decided;
	if (!o.is_decided || !is_of_sp_or_fp(&o.wanted))
		return;
	totals->n_compared++;
	if (!is_same_caller(&o.got, &o.wanted))
		return;
	totals->n_same++;
	totals->n_same_fp += fp_words(&o.got) == fp_words(&o.wanted);
}

/* Where a call returns to. */
static void count_return(struct totals *totals, const struct elf_image *image,
			 const struct cfi_fde *fde, uint64_t vaddr)
{
	const struct opinions o = opinions_of(image, fde, vaddr - 1, vaddr, false);

	totals->n_returns += o.is_decided;
	totals->n_same_returns += o.is_decided && is_same_caller(&o.got, &o.wanted);
}

static void count_function(struct totals *totals, const struct elf_image *image,
			   const struct cfi_fde *fde)
{
	uint64_t vaddr = fde->start;
	size_t size = 1;

	while (vaddr < fde->end && size) {
		count_instruction(totals, image, fde, vaddr);
		size = instruction_bytes(image, vaddr);
		if (is_call(image, vaddr))
			count_return(totals, image, fde, vaddr + size);
		vaddr += size;
	}
	totals->n_functions++;
	totals->n_whole += vaddr == fde->end;
}

static void count_image(struct totals *totals, const struct elf_image *image)
{
	struct cfi_tables tables;
	enum cfi_entry_kind kind;
	uint64_t offset = 0;
	struct cfi_fde fde;

	cfi_tables_init(&tables, image);
	while ((kind = cfi_entry_parse(&tables.eh_frame, offset, &fde, &offset)) != CFI_ENTRY_END)
		if (kind == CFI_ENTRY_FDE)
			count_function(totals, image, &fde);
	cfi_tables_release(&tables);
}

/* Lengths of instructions too: one wrong one, and a function would end elsewhere. */
static void code__tells_what_call_frame_information_does(void **state)
{
	struct process_fixture fixture;
	struct totals totals = { 0 };

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	for (size_t i = 0; i < fixture.images.n_images; i++)
		if (fixture.opened[i] && strstr(fixture.paths[i], "libc.so"))
			count_image(&totals, fixture.opened[i]);
	process_fixture_release(&fixture);
	print_message(
		"%llu functions, %llu of them whole; %llu instructions, %llu decided, %llu "
		"compared, %llu the same, %llu with the frame pointer; %llu returns, %llu the "
		"same\n",
		(unsigned long long)totals.n_functions, (unsigned long long)totals.n_whole,
		(unsigned long long)totals.n_instructions, (unsigned long long)totals.n_decided,
		(unsigned long long)totals.n_compared, (unsigned long long)totals.n_same,
		(unsigned long long)totals.n_same_fp, (unsigned long long)totals.n_returns,
		(unsigned long long)totals.n_same_returns);
	assert_true(totals.n_functions > 1000);
	assert_true(1000 * totals.n_whole >= 999 * totals.n_functions);
	assert_true(100 * totals.n_decided >= DECIDED_PERCENT * totals.n_instructions);
	assert_true(100 * totals.n_compared >= DECIDED_PERCENT * totals.n_instructions);
	assert_true(100 * totals.n_same >= SAME_PERCENT * totals.n_compared);
	assert_true(100 * totals.n_same_fp >= SAME_PERCENT * totals.n_same);
	assert_true(totals.n_returns > 1000);
	assert_true(100 * totals.n_same_returns >= SAME_PERCENT * totals.n_returns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86__is_followed_to_the_return),
		cmocka_unit_test(x86__ends_where_nothing_returns),
		cmocka_unit_test(x86__loads_the_stack_pointer),
		cmocka_unit_test(stack_pointers__are_not_moved_in_loops),
		cmocka_unit_test(aarch64__is_followed_to_the_return),
		cmocka_unit_test(code__tells_what_call_frame_information_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
