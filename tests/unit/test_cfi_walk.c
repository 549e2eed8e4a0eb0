/*
 * The cfi and fp backends over copies of this process's own stack, taken in a signal handler, and
 * over stacks made by hand.  What must come out is what glibc's backtrace() said.
 */
#include "unit.h"

#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "own_stack.h"
#include "process_fixture.h"
#include "unwind/unwinder.h"

enum { MAX_FRAMES = 300, DEPTH = 100 };

static struct {
	struct own_stack stack;
	void *wanted[MAX_FRAMES]; /* from backtrace(), its caller first */
	int n_wanted;
} captured;

__attribute__((noinline)) static void capture_here(void)
{
	captured.n_wanted = backtrace(captured.wanted, MAX_FRAMES);
#if defined(__aarch64__)
	/* libunwind, which takes glibc's place, gives the last byte of the call there. */
	for (int i = 0; i < captured.n_wanted; i++)
		captured.wanted[i] = (void *)(((uintptr_t)captured.wanted[i] + 3) & ~(uintptr_t)3);
#endif
	own_stack_capture(&captured.stack);
}

/* Frames of many sizes. */
__attribute__((noinline)) static int descend(int depth, void (*end)(void))
{
	volatile char *room = __builtin_alloca(16 + (size_t)depth * 3);

	room[0] = 1;
	if (depth == 0) {
		end();
		return room[0];
	}
	return descend(depth - 1, end) + room[0];
}

static int compare(const void *left, const void *right)
{
	if (!captured.n_wanted)
		capture_here();
	return *(const int *)left - *(const int *)right;
}

static void sort_and_capture(void)
{
	int numbers[] = { 3, 1, 2 };

	qsort(numbers, N_ITEMS(numbers), sizeof(numbers[0]), compare);
}

static void handle_and_capture(int signal_number)
{
	(void)signal_number;
	capture_here();
}

static void signal_and_capture(void)
{
	(void)signal(SIGUSR2, handle_and_capture);
	raise(SIGUSR2);
}

static void capture_from(void (*end)(void))
{
	captured.n_wanted = 0;
	(void)descend(DEPTH, end);
	assert_true(captured.n_wanted > DEPTH);
}

struct walker {
	const struct unwind_backend *backend;
	struct unwinder *unwinder;
	struct location_table locations;
	struct process_fixture fixture;
};

static void walker_open(struct walker *walker, const struct unwind_backend *backend)
{
	memset(walker, 0, sizeof(*walker));
	walker->backend = backend;
	assert_int_equal(process_fixture_load(&walker->fixture, getpid()), 0);
	assert_int_equal(backend->new (&walker->unwinder, &walker->locations, NULL), 0);
}

static void walker_walk(struct walker *walker, const struct raw_sample *sample, struct stack *stack)
{
	assert_int_equal(walker->backend->walk(walker->unwinder, &walker->fixture.process,
					       &walker->fixture.images, sample, stack),
			 0);
	stack_join(stack);
}

static void walker_close(struct walker *walker)
{
	walker->backend->free(walker->unwinder);
	process_fixture_release(&walker->fixture);
	location_table_release(&walker->locations);
}

static void walk(const struct unwind_backend *backend, const struct raw_sample *sample,
		 struct stack *stack)
{
	static const uint64_t nowhere = UINT64_MAX;
	const uint64_t here = (uintptr_t)walk;
	const uint64_t *next_ips[] = { NULL, NULL, &nowhere, &here, &here };
	struct raw_sample looking_ahead = *sample;
	struct walker walker;

	walker_open(&walker, backend);
	/* With the cache empty and filled, and with places to look ahead at. */
	for (size_t round = 0; round < N_ITEMS(next_ips); round++) {
		looking_ahead.next_ip = next_ips[round];
		walker_walk(&walker, &looking_ahead, stack);
	}
	for (uint32_t i = 0; i < stack->n_frames; i++)
		assert_true(stack->locations[i] < walker.locations.n_locations);
	walker_close(&walker);
}

static uint32_t find_ip(const struct stack *stack, const void *ip)
{
	uint32_t at = 0;

	while (at < stack->n_frames && stack->ips[at] != (uintptr_t)ip)
		at++;
	return at;
}

static void assert_is_backtrace(const struct stack *stack)
{
	/* The innermost are capture_here at another instruction, and a sanitizer's wrapper. */
	uint32_t skipped = 1;
	uint32_t first = find_ip(stack, captured.wanted[skipped]);

	if (first == stack->n_frames)
		first = find_ip(stack, captured.wanted[++skipped]);
	assert_int_equal(stack->n_frames - first, (uint32_t)captured.n_wanted - skipped);
	for (uint32_t i = first; i < stack->n_frames; i++)
		assert_int_equal(stack->ips[i], (uintptr_t)captured.wanted[i - first + skipped]);
}

static void cfi__agrees_with_backtrace(void **state)
{
	static void (*const ends[])(void) = { capture_here, sort_and_capture, signal_and_capture };
	static struct stack stack;
	size_t n_ends = N_ITEMS(ends);

	(void)state;
#if defined(__aarch64__)
	/* An emulator returns from signals by code of its own, in no file. */
	n_ends -= !getauxval(AT_SYSINFO_EHDR);
#endif
	for (size_t i = 0; i < n_ends; i++) {
		capture_from(ends[i]);
		walk(&unwind_backend_cfi, &captured.stack.sample, &stack);
		assert_int_equal(stack.end, STACK_COMPLETE);
		assert_is_backtrace(&stack);
		assert_true(stack.needed_stack_bytes <= captured.stack.sample.stack_size_bytes);
	}
}

/* A thread's last stack is followed word by word: one that changed must be seen. */
static void cfi__sees_each_word_that_changed(void **state)
{
	static struct stack followed;
	static struct stack walked;
	struct walker walker;
	uint64_t *words = (uint64_t *)(void *)captured.stack.bytes;
	struct raw_sample sample;

	(void)state;
	capture_from(capture_here);
	sample = captured.stack.sample;
	walker_open(&walker, &unwind_backend_cfi);
	for (size_t i = 0; i < sample.stack_size_bytes / 8 && i < 2048; i++) {
		const uint64_t word = words[i];

		/* The whole stack, the changed one, and that as a thread not seen before. */
		sample.tid = 1;
		walker_walk(&walker, &sample, &followed);
		words[i] = i % 2 ? word + 8 : (uintptr_t)captured.wanted[i % 16];
		walker_walk(&walker, &sample, &followed);
		sample.tid = 2 + (uint32_t)i;
		walker_walk(&walker, &sample, &walked);
		words[i] = word;
		assert_int_equal(followed.end, walked.end);
		assert_int_equal(followed.n_frames, walked.n_frames);
		assert_int_equal(followed.needed_stack_bytes, walked.needed_stack_bytes);
		assert_memory_equal(followed.ips, walked.ips, walked.n_frames * sizeof(uint64_t));
		assert_memory_equal(followed.locations, walked.locations,
				    walked.n_frames * sizeof(uint32_t));
	}
	walker_close(&walker);
}

static void cfi__says_what_a_short_dump_means(void **state)
{
	static struct stack stack;
	struct raw_sample cut;

	(void)state;
	capture_from(capture_here);
	cut = captured.stack.sample;
	for (size_t size = 0; size < 2048; size += 8) {
		cut.stack_size_bytes = size;
		cut.stack_asked_bytes = size;
		walk(&unwind_backend_cfi, &cut, &stack);
		assert_int_equal(stack.end, STACK_TRUNCATED_DUMP);
		assert_true(stack.needed_stack_bytes > size);
		/* A page within the asked range that is not there: see unwind/stack_dump.h. */
		cut.stack_asked_bytes = OWN_STACK_MAX_BYTES;
		walk(&unwind_backend_cfi, &cut, &stack);
		assert_int_equal(stack.end, STACK_TRUNCATED_DUMP);
		size += 248;
	}
}

#if defined(__x86_64__)
/*
 * As Go begins threads: code without a frame that says no more than that, calls, and ends the
 * thread behind that.  Who jumped there is no caller.
 */
__asm__(".text\n"
	".type begin_thread, @function\n"
	"begin_thread: .cfi_startproc\n"
	"	call *%rdi\n"
	"	mov $111, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	.cfi_endproc\n"
	".size begin_thread, . - begin_thread\n"
	".type align_and_begin, @function\n"
	"align_and_begin: .cfi_startproc\n"
	"	sub $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call begin_thread\n"
	"	.cfi_endproc\n"
	".size align_and_begin, . - align_and_begin\n");
extern void begin_thread(void (*function)(void));
extern void align_and_begin(void (*function)(void));

static jmp_buf out;

static void capture_and_leave(void)
{
	own_stack_capture(&captured.stack);
	longjmp(out, 1);
}

static void cfi__ends_where_a_thread_begins(void **state)
{
	static struct stack stack;

	(void)state;
	if (setjmp(out) == 0)
		align_and_begin(capture_and_leave);
	walk(&unwind_backend_cfi, &captured.stack.sample, &stack);
	assert_int_equal(stack.end, STACK_COMPLETE);
	assert_in_range(stack.ips[stack.n_frames - 1], (uintptr_t)begin_thread,
			(uintptr_t)align_and_begin);
}
#endif

/* One word is left out, and all outside of it is the outermost end. */
static void walk_without(struct walker *walker, size_t word, struct stack *stack)
{
	struct raw_sample sample = captured.stack.sample;

	sample.tid = (uint32_t)word % 3;
	sample.stack_size_bytes = word * 8;
	sample.top_bytes = captured.stack.bytes + (word + 1) * 8;
	sample.top_address = registers_sp(&sample.registers) + (word + 1) * 8;
	sample.top_size_bytes = captured.stack.sample.stack_size_bytes - (word + 1) * 8;
	walker_walk(walker, &sample, stack);
}

/* Any one word is needed or not. */
static void cfi__goes_on_in_the_outermost_end(void **state)
{
	static struct stack whole, stack;
	struct walker walker;
	size_t n_cut = 0;
	size_t n_words;

	(void)state;
	capture_from(capture_here);
	walk(&unwind_backend_cfi, &captured.stack.sample, &whole);
	assert_int_equal(whole.end, STACK_COMPLETE);
	n_words = whole.needed_stack_bytes / 8;
	walker_open(&walker, &unwind_backend_cfi);
	for (size_t i = 1; i < n_words; i++) {
		walk_without(&walker, i, &stack);
		n_cut += stack.end == STACK_TRUNCATED_DUMP;
		if (stack.end == STACK_TRUNCATED_DUMP) {
			assert_int_equal(stack.needed_stack_bytes, (i + 1) * 8);
			continue;
		}
		assert_int_equal(stack.end, STACK_COMPLETE);
		assert_int_equal(stack.n_frames, whole.n_frames);
		assert_int_equal(stack.needed_stack_bytes, whole.needed_stack_bytes);
		assert_memory_equal(stack.ips, whole.ips, whole.n_frames * sizeof(uint64_t));
	}
	/* A return address each at least, and more words than those. */
	assert_in_range(n_cut, DEPTH, n_words - DEPTH);
	walker_close(&walker);
}

/*
 * A page each that is not there, also below the stack pointer, which says nothing.  At either end
 * of the stack there may be none of the words that are needed in the part of a page that is in use.
 */
static void cfi__goes_on_behind_pages_that_are_not_there(void **state)
{
	enum { PAGE_BYTES = RAW_SAMPLE_PAGE_BYTES, N_PAGES = RAW_SAMPLE_PAGES_MAX };
	static struct stack whole, stack;
	bool is_needed[N_PAGES] = { false };
	struct raw_sample sample;
	struct walker walker;
	size_t n_needed = 0;
	uint64_t sp;

	(void)state;
	capture_from(capture_here);
	sample = captured.stack.sample;
	sp = registers_sp(&sample.registers);
	sample.absent_from = (sp & ~(uint64_t)(PAGE_BYTES - 1)) - PAGE_BYTES;
	walk(&unwind_backend_cfi, &sample, &whole);
	assert_int_equal(whole.end, STACK_COMPLETE);
	walker_open(&walker, &unwind_backend_cfi);
	for (size_t word = 0; word < whole.needed_stack_bytes / 8; word++) {
		walk_without(&walker, word, &stack);
		if (stack.end == STACK_TRUNCATED_DUMP)
			is_needed[(sp + word * 8 - sample.absent_from) / PAGE_BYTES] = true;
	}
	walker_close(&walker);
	for (size_t i = 0; i < N_PAGES; i++) {
		memset(sample.absent_pages, 0, sizeof(sample.absent_pages));
		sample.absent_pages[i / RAW_SAMPLE_PAGE_BITS] = UINT64_C(1)
								<< i % RAW_SAMPLE_PAGE_BITS;
		walk(&unwind_backend_cfi, &sample, &stack);
		if (!is_needed[i]) {
			assert_int_equal(stack.end, STACK_COMPLETE);
			assert_int_equal(stack.n_frames, whole.n_frames);
			continue;
		}
		n_needed++;
		assert_int_equal(stack.end, STACK_TRUNCATED_DUMP);
		assert_in_range(stack.n_frames, 1, whole.n_frames - 1);
		assert_memory_equal(stack.ips, whole.ips, stack.n_frames * sizeof(uint64_t));
	}
	/* All but a page at either end. */
	assert_in_range(n_needed, whole.needed_stack_bytes / PAGE_BYTES - 1,
			whole.needed_stack_bytes / PAGE_BYTES + 2);
}

static void cfi__survives_random_stacks(void **state)
{
	static struct stack stack;
	static uint64_t noise[1024];
	struct raw_sample hostile;
	uint64_t seed = 1;

	(void)state;
	capture_from(capture_here);
	hostile = captured.stack.sample;
	hostile.stack_bytes = (const uint8_t *)noise;
	hostile.stack_size_bytes = sizeof(noise);
	hostile.stack_asked_bytes = sizeof(noise);
	hostile.top_bytes = (const uint8_t *)noise;
	hostile.top_size_bytes = sizeof(noise);
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < N_ITEMS(noise); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			noise[i] = i % 3 ? seed : (uintptr_t)captured.wanted[(seed >> 33) % DEPTH];
			if (i % 5 == 0)
				noise[i] = registers_sp(&hostile.registers) + seed % 8192;
		}
		hostile.top_address = registers_sp(&hostile.registers) + (seed >> 32) % 16384;
		walk(&unwind_backend_cfi, &hostile, &stack);
		assert_true(stack.n_frames <= STACK_MAX_FRAMES);
		walk(&unwind_backend_fp, &hostile, &stack);
		assert_true(stack.n_frames <= STACK_MAX_FRAMES);
	}
}

#if defined(__x86_64__)
static void cfi__finds_who_called_nowhere(void **state)
{
	static struct stack stack;
	struct raw_sample sample;
	uint64_t *words = (uint64_t *)(void *)captured.stack.bytes;

	(void)state;
	capture_from(capture_here);
	sample = captured.stack.sample;
	/* call *NULL pushed the return address and went to 0. */
	sample.registers.values[X86_64_RIP] = 0;
	sample.registers.values[X86_64_RSP] -= 8;
	memmove(words + 1, words, 4096);
	words[0] = (uintptr_t)captured.wanted[3];
	walk(&unwind_backend_cfi, &sample, &stack);
	assert_true(stack.n_frames >= 1);
	assert_int_equal(stack.ips[0], (uintptr_t)captured.wanted[3]);
}
#endif

/* In code that nothing is known of fp is a chain, or anything. */
static void cfi__knows_a_chain_that_was_cut(void **state)
{
	enum { COPIED_BYTES = 1024 };
	static const struct {
		uint64_t fp_bytes; /* above the stack pointer */
		size_t asked_bytes;
		uint64_t top_at; /* above it too; 0: none */
		enum stack_end end;
	} cases[] = {
		{ 100000, COPIED_BYTES, 0, STACK_TRUNCATED_DUMP },
		{ 100000, 65528, 0, STACK_BAD_MEMORY }, /* the stack has ended */
		{ UINT64_C(1) << 30, COPIED_BYTES, 0, STACK_BAD_MEMORY },
		{ 100000, 65528, 200000, STACK_TRUNCATED_DUMP },
		{ 300000, 65528, 200000, STACK_BAD_MEMORY },
	};
	static const uint8_t zeros[COPIED_BYTES];
	static struct stack stack;
	struct raw_sample sample = captured.stack.sample;
	uint64_t *const registers = sample.registers.values;
	const uint64_t sp = registers_sp(&sample.registers) & ~UINT64_C(7);
	const bool is_x86 = ARCH_NATIVE == ARCH_X86_64;

	(void)state;
	sample.stack_bytes = zeros;
	sample.stack_size_bytes = sizeof(zeros);
	registers[is_x86 ? X86_64_RIP : AARCH64_PC] = 0;
	registers[is_x86 ? X86_64_RSP : AARCH64_SP] = sp;
	if (!is_x86)
		registers[AARCH64_LR] = 0;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		registers[is_x86 ? X86_64_RBP : AARCH64_FP] = sp + cases[i].fp_bytes;
		sample.stack_asked_bytes = cases[i].asked_bytes;
		sample.top_bytes = cases[i].top_at ? zeros : NULL;
		sample.top_address = sp + cases[i].top_at;
		sample.top_size_bytes = sizeof(zeros);
		walk(&unwind_backend_cfi, &sample, &stack);
		assert_int_equal(stack.end, cases[i].end);
	}
}

static void both__report_missing_registers(void **state)
{
	static struct stack stack;
	const struct raw_sample none = { 0 };

	(void)state;
	walk(&unwind_backend_cfi, &none, &stack);
	assert_int_equal(stack.end, STACK_NO_REGISTERS);
	walk(&unwind_backend_fp, &none, &stack);
	assert_int_equal(stack.end, STACK_NO_REGISTERS);
}

static void backends__are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(unwind_backends[0], &unwind_backend_cfi);
	for (size_t i = 0; unwind_backends[i]; i++)
		assert_ptr_equal(unwind_backend_find(unwind_backends[i]->name), unwind_backends[i]);
	assert_null(unwind_backend_find("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cfi__agrees_with_backtrace),
		cmocka_unit_test(cfi__sees_each_word_that_changed),
		cmocka_unit_test(cfi__says_what_a_short_dump_means),
		cmocka_unit_test(cfi__goes_on_in_the_outermost_end),
		cmocka_unit_test(cfi__goes_on_behind_pages_that_are_not_there),
		cmocka_unit_test(cfi__survives_random_stacks),
#if defined(__x86_64__)
		cmocka_unit_test(cfi__ends_where_a_thread_begins),
		cmocka_unit_test(cfi__finds_who_called_nowhere),
#endif
		cmocka_unit_test(cfi__knows_a_chain_that_was_cut),
		cmocka_unit_test(both__report_missing_registers),
		cmocka_unit_test(backends__are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
