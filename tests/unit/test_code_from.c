/*
 * Code that never returns: how that is told, and where its callers are by the way from its
 * beginning, of a few functions written by hand and for calls in all functions of libc.
 */
#include "code_fixture.h"

#include <stdbool.h>
#include <unistd.h>

#include "process_fixture.h"
#include "unwind/cfi_code.h"
#include "unwind/cfi_rule.h"
#include "unwind/cfi_tables.h"
#include "unwind/code_bytes.h"
#include "unwind/code_row.h"

enum {
	/*
	 * Of calls in libc; ways through tables of jumps are not followed.  The rest is in parts
	 * of functions that do not lie where these begin.
	 */
	DECIDED_PERCENT = 80,
	SAME_PERCENT = 99,
};

static bool is_endless(const struct code *code, uint64_t offset, bool is_exact)
{
	struct code_image made;
	struct code_row row;
	bool has_row;

	code_image_init(&made, code);
	has_row = code_row_at(&made.image, code->arch, CODE_VADDR + offset, is_exact, &row);
	free(made.bytes);
	return !has_row && row.is_endless;
}

static void endless_code__is_told(void **state)
{
	static const struct {
		struct code code;
		uint64_t offset;
		bool is_exact;
		bool is_endless;
	} wanted[] = {
		/* mov %eax,%edi; call; nops */
		{ CODE("exit", ARCH_X86_64,
		       "\xe8\x00\x01\x00\x00\x89\xc7\xe8\x00\x01\x00\x00\x0f\x1f\x40\x00\x53"),
		  5, false, true },
		/* Behind the last call. */
		{ CODE("last", ARCH_X86_64, "\xe8\x00\x01\x00\x00\xcc"), 5, false, true },
		/* je trap; jmp to the je; trap: ud2 */
		{ CODE("both ways", ARCH_X86_64, "\x74\x02\xeb\xfc\x0f\x0b"), 0, true, true },
		{ CODE("hlt", ARCH_X86_64, "\xf4"), 0, true, true },
		/* je away; ret; away: hlt */
		{ CODE("returns", ARCH_X86_64, "\x74\x01\xc3\xf4"), 0, true, false },
		/* The stack pointer is anything, but it returns. */
		{ CODE("returns by rax", ARCH_X86_64, "\x48\x94\xc3"), 0, true, false },
		/* je away; jmp *%rax; away: hlt */
		{ CODE("jumps somewhere", ARCH_X86_64, "\x74\x02\xff\xe0\xf4"), 0, true, false },
		{ CODE("no end", ARCH_X86_64, "\x90\x90"), 0, true, false },
		/* push %rax; jmp to itself: the loop moves the stack pointer. */
		{ CODE("contradicts itself", ARCH_X86_64, "\x50\xeb\xfd"), 0, true, false },
		{ CODE("no call before", ARCH_X86_64, "\x90\x90\x90\x90\x90\xf4"), 5, false,
		  false },
		{ CODE("brk", ARCH_AARCH64, "\x00\x00\x20\xd4"), 0, true, true },
		{ CODE("br x1", ARCH_AARCH64, "\x20\x00\x1f\xd6"), 0, true, false },
		/* bl; b to itself */
		{ CODE("b .", ARCH_AARCH64, "\x00\x00\x00\x94\x00\x00\x00\x14"), 4, false, true },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(wanted); i++)
		if (is_endless(&wanted[i].code, wanted[i].offset, wanted[i].is_exact) !=
		    wanted[i].is_endless)
			fail_msg("%s", wanted[i].code.name);
}

/* From a call in a loop that is padded as a function would be. */
static void loops_behind_padding__are_the_same_function(void **state)
{
	/* push %rbx; call; nops; loop: dec %rbx; jne loop; pop %rbx; ret */
	static const struct code loop =
		CODE("loop", ARCH_X86_64,
		     "\x53\xe8\x00\x01\x00\x00\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00"
		     "\x48\xff\xcb\x75\xfb\x5b\xc3");
	/* The same, but what comes there jumps on, to its own end. */
	static const struct code other =
		CODE("other", ARCH_X86_64,
		     "\x53\xe8\x00\x01\x00\x00\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00"
		     "\x48\xff\xcb\x75\x01\x5b\xc3");
	struct code_image made;
	struct code_row row;

	(void)state;
	code_image_init(&made, &loop);
	assert_true(code_row_at(&made.image, ARCH_X86_64, CODE_VADDR + 6, false, &row));
	assert_int_equal(row.row.cfa_offset, 16);
	free(made.bytes);
	assert_true(is_endless(&other, 6, false));
}

static struct cfi_rule rule_from(const struct code *code, uint64_t offset)
{
	const struct function_range function = { CODE_VADDR, code->n_bytes };
	struct cfi_rule rule = { .kind = CFI_RULE_NONE };
	struct code_image made;
	struct code_row row;

	code_image_init(&made, code);
	if (code_row_from(&made.image, code->arch, function, CODE_VADDR + offset, &row))
		rule = cfi_rule_pack(&row.row, code->arch);
	free(made.bytes);
	return rule;
}

static void functions__are_followed_from_their_beginning(void **state)
{
	/* push %rbp; push %rbx; sub $24,%rsp; call; hlt */
	static const struct code saves = CODE("saves", ARCH_X86_64,
					      "\x55\x53\x48\x83\xec\x18\xe8\x00\x01\x00\x00\xf4");
	/* push %rbp; mov %rsp,%rbp; sub %rax,%rsp; call; int3 */
	static const struct code frame = CODE("frame", ARCH_X86_64,
					      "\x55\x48\x89\xe5\x48\x29\xc4\xe8\x00\x01\x00\x00"
					      "\xcc");
	/* je both; push %rax; both: call; hlt */
	static const struct code differs = CODE("differs", ARCH_X86_64,
						"\x74\x01\x50\xe8\x00\x01\x00\x00\xf4");
	/*
	 * push %rbp; mov %rsp,%rbp; again: sub %rax,%rsp; nop; dec %ecx; jne again; leave; ret.
	 * The stack pointer was moved by anything there, but the first time.
	 */
	static const struct code loop = CODE("loop", ARCH_X86_64,
					     "\x55\x48\x89\xe5\x48\x29\xc4\x90\xff\xc9\x75"
					     "\xf8\xc9\xc3");
	/* call of what does not return, and the next function: push %rbx; jmp to the first */
	static const struct code next = CODE("next", ARCH_X86_64,
					     "\xe8\x00\x01\x00\x00\x53\xeb\xf8");
	/* je both; xchg %rax,%rsp; both: call; hlt */
	static const struct code lost = CODE("lost", ARCH_X86_64,
					     "\x74\x02\x48\x94\xe8\x00\x01\x00\x00\xf4");
	/* xor %ebp,%ebp; call; hlt */
	static const struct code forgets = CODE("forgets", ARCH_X86_64,
						"\x31\xed\xe8\x00\x01\x00\x00\xf4");
	/* mov %rax,(%rsp); call; hlt */
	static const struct code writes = CODE("writes", ARCH_X86_64,
					       "\x48\x89\x04\x24\xe8\x00\x01\x00\x00\xf4");
	/* pop %rax; call; hlt */
	static const struct code takes = CODE("takes", ARCH_X86_64, "\x58\xe8\x00\x01\x00\x00\xf4");
	/* stp x29,x30,[sp,#-32]!; bl .; brk */
	static const struct code aarch64 = CODE("aarch64", ARCH_AARCH64,
						"\xfd\x7b\xbe\xa9"
						"\x00\x00\x00\x94"
						"\x00\x00\x20\xd4");
	static const struct {
		const struct code *code;
		uint64_t offset;
		struct cfi_rule rule;
	} wanted[] = {
		{ &saves, 0, { 1, 0, -1, CFI_RULE_SP, 0 } },
		{ &saves, 1, { 2, -2, -1, CFI_RULE_SP, 0 } },
		{ &saves, 11, { 6, -2, -1, CFI_RULE_SP, 0 } },
		{ &saves, 13, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &saves, 3, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &frame, 12, { 2, -2, -1, CFI_RULE_FP, 0 } },
		{ &differs, 8, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &loop, 4, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &loop, 7, { 2, -2, -1, CFI_RULE_FP, 0 } },
		{ &next, 5, { 1, 0, -1, CFI_RULE_SP, 0 } },
		{ &lost, 9, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &forgets, 7, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &writes, 9, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &takes, 6, { 0, 0, 0, CFI_RULE_NONE, 0 } },
		{ &aarch64, 8, { 4, -4, -3, CFI_RULE_SP, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(wanted); i++) {
		const struct cfi_rule got = rule_from(wanted[i].code, wanted[i].offset);

		if (memcmp(&got, &wanted[i].rule, sizeof(got)) != 0)
			fail_msg("%s at %u: %u %d %d %d", wanted[i].code->name,
				 (unsigned int)wanted[i].offset, got.kind, got.cfa_words,
				 got.fp_words, got.link_words);
	}
}

static void calls__tell_what_they_call(void **state)
{
	static const struct code forward = CODE("call", ARCH_X86_64, "\xe8\xfb\x00\x00\x00");
	static const struct code by_register = CODE("call *", ARCH_X86_64, "\x90\x90\x90\xff\xd1");
	/* bl .-8 */
	static const struct code back = CODE("bl", ARCH_AARCH64, "\xfe\xff\xff\x97");
	struct code_image made;
	uint64_t target;

	(void)state;
	code_image_init(&made, &forward);
	assert_true(code_call_target(&made.image, ARCH_X86_64, CODE_VADDR + 5, &target));
	assert_int_equal(target, CODE_VADDR + 0x100);
	assert_false(code_call_target(&made.image, ARCH_X86_64, CODE_VADDR + 4, &target));
	free(made.bytes);
	code_image_init(&made, &by_register);
	assert_false(code_call_target(&made.image, ARCH_X86_64, CODE_VADDR + 5, &target));
	free(made.bytes);
	code_image_init(&made, &back);
	assert_true(code_call_target(&made.image, ARCH_AARCH64, CODE_VADDR + 4, &target));
	assert_int_equal(target, CODE_VADDR - 8);
	free(made.bytes);
}

static void goroutines__end_in_goexit(void **state)
{
	/* nop; call; nop */
	static const struct code x86 = CODE("goexit", ARCH_X86_64, "\x90\xe8\x00\x01\x00\x00\x90");
	static const struct code no_nop = CODE("no nop", ARCH_X86_64,
					       "\x90\xe8\x00\x01\x00\x00\xc3");
	/* mov x0,x0; bl . */
	static const struct code aarch64 = CODE("goexit of aarch64", ARCH_AARCH64,
						"\xe0\x03\x00\xaa\x00\x00\x00\x94");
	struct code_image made;

	(void)state;
	code_image_init(&made, &x86);
	assert_true(code_is_goexit(&made.image, ARCH_X86_64, CODE_VADDR));
	assert_false(code_is_goexit(&made.image, ARCH_X86_64, CODE_VADDR + 1));
	free(made.bytes);
	code_image_init(&made, &no_nop);
	assert_false(code_is_goexit(&made.image, ARCH_X86_64, CODE_VADDR));
	free(made.bytes);
	code_image_init(&made, &aarch64);
	/* Stepped back from the return address, which is the second instruction. */
	assert_true(code_is_goexit(&made.image, ARCH_AARCH64, CODE_VADDR + 3));
	assert_false(code_is_goexit(&made.image, ARCH_AARCH64, CODE_VADDR + 7));
	free(made.bytes);
}

struct totals {
	uint64_t n_returns;
	uint64_t n_decided;
	uint64_t n_same;
};

/* By call frame information, and by the way from the function's first instruction. */
static void count_return(struct totals *totals, const struct elf_image *image,
			 const struct cfi_fde *fde, uint64_t vaddr)
{
	const struct function_range function = { fde->start, fde->end - fde->start };
	struct cfi_rule wanted, got;
	struct code_row code;
	struct cfi_row row;

	if (cfi_row_at(fde, vaddr - 1, ARCH_NATIVE, &row) < 0)
		return;
	wanted = cfi_rule_pack(&row, ARCH_NATIVE);
	if (wanted.kind != CFI_RULE_SP && wanted.kind != CFI_RULE_FP)
		return;
	totals->n_returns++;
	if (!code_row_from(image, ARCH_NATIVE, function, vaddr, &code))
		return;
	got = cfi_rule_pack(&code.row, ARCH_NATIVE);
	totals->n_decided++;
	/* The stack pointer may be known where the information goes by the frame pointer. */
	totals->n_same += got.kind != wanted.kind ||
			  (got.cfa_words == wanted.cfa_words && got.fp_words == wanted.fp_words &&
			   got.link_words == wanted.link_words);
}

static void count_image(struct totals *totals, const struct elf_image *image)
{
	struct cfi_tables tables;
	enum cfi_entry_kind kind;
	uint64_t offset = 0;
	uint64_t target;
	struct cfi_fde fde;

	cfi_tables_init(&tables, image);
	while ((kind = cfi_entry_parse(&tables.eh_frame, offset, &fde, &offset)) != CFI_ENTRY_END)
		for (uint64_t at = fde.start + 1; kind == CFI_ENTRY_FDE && at < fde.end; at++)
			if (code_call_target(image, ARCH_NATIVE, at, &target) &&
			    elf_image_at_vaddr(image, target, 1))
				count_return(totals, image, &fde, at);
	cfi_tables_release(&tables);
}

static void functions__tell_what_call_frame_information_does(void **state)
{
	struct process_fixture fixture;
	struct totals totals = { 0 };

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	for (size_t i = 0; i < fixture.images.n_images; i++)
		if (fixture.opened[i] && strstr(fixture.paths[i], "libc.so"))
			count_image(&totals, fixture.opened[i]);
	process_fixture_release(&fixture);
	print_message("%llu returns, %llu decided, %llu the same\n",
		      (unsigned long long)totals.n_returns, (unsigned long long)totals.n_decided,
		      (unsigned long long)totals.n_same);
	assert_true(totals.n_returns > 1000);
	assert_true(100 * totals.n_decided >= DECIDED_PERCENT * totals.n_returns);
	assert_true(100 * totals.n_same >= SAME_PERCENT * totals.n_decided);
}

#ifdef __x86_64__
/*
 * The same code twice, without call frame information, with a call at its end; never run.  One
 * has the name of a part that a compiler moved away: what its function pushed before is unknown.
 */
__asm__(".text\n"
	".type whole_function, @function\n"
	"whole_function: push %rbx\n"
	"	call whole_function\n"
	".globl whole_function_end\n"
	"whole_function_end: hlt\n"
	".size whole_function, . - whole_function\n"
	".type cold_function.cold, @function\n"
	"cold_function.cold: push %rbx\n"
	"	call whole_function\n"
	".globl cold_part_end\n"
	"cold_part_end: hlt\n"
	".size cold_function.cold, . - cold_function.cold\n");
extern const char whole_function_end[], cold_part_end[];

/* The CFA's distance from the stack pointer where a call returns to; 0 where nothing tells. */
static int64_t cfa_offset_at(struct cfi_cache_context *context, const char *return_address)
{
	const struct cfi_frame frame = { .pc = (uint64_t)(uintptr_t)return_address };
	const struct cfi_entry *entry = cfi_cache_get(context, frame.pc - 1);
	const struct cfi_row *row;

	assert_non_null(entry);
	assert_int_equal(entry->rule.kind, CFI_RULE_NONE);
	row = cfi_code_row(context, &frame, entry);
	return row ? row->cfa_offset : 0;
}

static void cold_parts__begin_no_function(void **state)
{
	struct process_fixture fixture;
	struct cfi_modules modules = { 0 };
	struct location_table locations = { 0 };
	struct cfi_cache_context context = {
		.modules = &modules,
		.process = &fixture.process,
		.images = &fixture.images,
		.locations = &locations,
		.arch = ARCH_X86_64,
	};

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	assert_int_equal(cfi_cache_prepare(&fixture.process), 0);
	assert_int_equal(cfa_offset_at(&context, whole_function_end), 16);
	assert_int_equal(cfa_offset_at(&context, cold_part_end), 0);
	process_fixture_release(&fixture);
	cfi_modules_release(&modules);
	location_table_release(&locations);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endless_code__is_told),
		cmocka_unit_test(loops_behind_padding__are_the_same_function),
		cmocka_unit_test(functions__are_followed_from_their_beginning),
		cmocka_unit_test(calls__tell_what_they_call),
		cmocka_unit_test(goroutines__end_in_goexit),
		cmocka_unit_test(functions__tell_what_call_frame_information_does),
#ifdef __x86_64__
		cmocka_unit_test(cold_parts__begin_no_function),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
