/*
 * libunwind and libdw over a copy of this process's own stack.  The copy is
 * taken in a signal handler, whose ucontext has every register.
 */
#include "unit.h"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include "process_fixture.h"
#include "unwind/unwinder.h"

enum { DUMP_BYTES = 65528, DEPTH = 20 };

static struct {
	uint64_t words[DUMP_BYTES / 8];
	struct raw_sample sample;
	uint64_t return_addresses[DEPTH];
	size_t n_return_addresses;
} captured;

#if defined(__x86_64__)
/* ucontext's order of the DWARF registers 0 to 16. */
static const int ucontext_index[X86_64_N_REGISTERS] = {
	REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
	REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
};

static void capture_registers(struct registers *registers, const ucontext_t *context)
{
	registers->arch = ARCH_X86_64;
	for (size_t i = 0; i < X86_64_N_REGISTERS; i++)
		registers->values[i] = (uint64_t)context->uc_mcontext.gregs[ucontext_index[i]];
}
#else
static void capture_registers(struct registers *registers, const ucontext_t *context)
{
	registers->arch = ARCH_AARCH64;
	for (size_t i = 0; i < 31; i++)
		registers->values[i] = context->uc_mcontext.regs[i];
	registers->values[AARCH64_SP] = context->uc_mcontext.sp;
	registers->values[AARCH64_PC] = context->uc_mcontext.pc;
}
#endif

/* The top of the main thread's stack: the end of the environment's strings is near. */
extern char **environ;

/* Other frames' memory, red zones and all: not for memcpy, which sanitizers watch. */
__attribute__((no_sanitize_address)) static void copy_stack(uint64_t sp, size_t n_words)
{
	const volatile uint64_t *from = (const volatile uint64_t *)(uintptr_t)sp;
	volatile uint64_t *to = captured.words;

	for (size_t i = 0; i < n_words; i++)
		to[i] = from[i];
}

static void capture(int signal_number, siginfo_t *info, void *context)
{
	struct raw_sample *sample = &captured.sample;
	uint64_t sp;
	size_t size = DUMP_BYTES;

	(void)signal_number;
	(void)info;
	capture_registers(&sample->registers, context);
	sp = registers_sp(&sample->registers);
	if ((uintptr_t)environ - sp < size)
		size = (uintptr_t)environ - sp;
	copy_stack(sp, size / 8);
	sample->has_registers = true;
	sample->stack_bytes = (const uint8_t *)captured.words;
	sample->stack_size_bytes = size;
	sample->stack_asked_bytes = DUMP_BYTES;
}

__attribute__((noinline)) static int descend(int depth)
{
	int below;

	captured.return_addresses[depth] = (uint64_t)(uintptr_t)__builtin_return_address(0);
	below = depth + 1 == DEPTH ? raise(SIGUSR1) : descend(depth + 1);

	__asm__ volatile("" ::: "memory"); /* not a tail call, not a loop */
	return below + 1;
}

/* A stack whose middle is known: DEPTH return addresses, innermost last taken. */
static int capture_own_stack(void **state)
{
	struct sigaction action = { .sa_sigaction = capture, .sa_flags = SA_SIGINFO };

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	captured.n_return_addresses = DEPTH;
	return descend(0) >= 0 ? 0 : -1;
}

static void assert_has_known_frames(const struct stack *stack)
{
	size_t first = 0;

	while (first < stack->n_frames && stack->ips[first] != captured.return_addresses[DEPTH - 1])
		first++;
	assert_true(first + DEPTH <= stack->n_frames);
	for (size_t i = 0; i < DEPTH; i++)
		assert_int_equal(stack->ips[first + i], captured.return_addresses[DEPTH - 1 - i]);
}

static void walk(const struct unwind_backend *backend, const struct raw_sample *sample,
		 struct stack *stack, struct location_table *locations)
{
	struct process_fixture fixture;
	struct unwinder *unwinder;

	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	assert_int_equal(backend->new (&unwinder, locations, NULL), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(backend->walk(unwinder, &fixture.process, &fixture.images, sample,
					       stack),
				 0);
		stack_join(stack);
	}
	backend->free(unwinder);
	process_fixture_release(&fixture);
}

static const struct unwind_backend *const backends[] = {
	&unwind_backend_libunwind,
	&unwind_backend_libdw,
};

static void unwind__reaches_the_root(void **state)
{
	static struct stack stack;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(backends); i++) {
		struct location_table locations = { 0 };

		walk(backends[i], &captured.sample, &stack, &locations);
		assert_has_known_frames(&stack);
		assert_int_equal(stack.end, STACK_COMPLETE);
		location_table_release(&locations);
	}
}

static void unwind__steps_return_addresses_back(void **state)
{
	static struct stack stack;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(backends); i++) {
		struct location_table locations = { 0 };
		uint64_t bias;

		walk(backends[i], &captured.sample, &stack, &locations);
		bias = stack.ips[0] - locations.locations[stack.locations[0]].vaddr;
		assert_int_equal(bias & 4095, 0);
		for (size_t frame = 1; frame < stack.n_frames; frame++) {
			const struct location *location =
				&locations.locations[stack.locations[frame]];

			assert_int_equal((stack.ips[frame] - 1 - location->vaddr) & 4095, 0);
		}
		location_table_release(&locations);
	}
}

static void unwind__says_that_the_dump_is_too_short(void **state)
{
	static struct stack stack;
	struct raw_sample cut = captured.sample;

	(void)state;
	cut.stack_size_bytes = 512;
	cut.stack_asked_bytes = 512;
	for (size_t i = 0; i < N_ITEMS(backends); i++) {
		struct location_table locations = { 0 };

		walk(backends[i], &cut, &stack, &locations);
		assert_int_equal(stack.end, STACK_TRUNCATED_DUMP);
		assert_true(stack.needed_stack_bytes <= 512);
		location_table_release(&locations);
	}
}

static void unwind__survives_random_stacks(void **state)
{
	static struct stack stack;
	static uint64_t noise[1024];
	struct raw_sample hostile = captured.sample;
	uint64_t seed = 1;

	(void)state;
	hostile.stack_bytes = (const uint8_t *)noise;
	hostile.stack_size_bytes = sizeof(noise);
	hostile.stack_asked_bytes = sizeof(noise);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < N_ITEMS(noise); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			noise[i] = i % 3 ? seed : captured.return_addresses[(seed >> 33) % DEPTH];
		}
		for (size_t i = 0; i < N_ITEMS(backends); i++) {
			struct location_table locations = { 0 };

			walk(backends[i], &hostile, &stack, &locations);
			assert_true(stack.n_frames <= STACK_MAX_FRAMES);
			location_table_release(&locations);
		}
	}
}

static void unwind__reports_missing_registers(void **state)
{
	static struct stack stack;
	struct raw_sample none = { 0 };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(backends); i++) {
		struct location_table locations = { 0 };

		walk(backends[i], &none, &stack, &locations);
		assert_int_equal(stack.end, STACK_NO_REGISTERS);
		assert_int_equal(stack.n_frames, 0);
		location_table_release(&locations);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unwind__reaches_the_root),
		cmocka_unit_test(unwind__steps_return_addresses_back),
		cmocka_unit_test(unwind__says_that_the_dump_is_too_short),
		cmocka_unit_test(unwind__survives_random_stacks),
		cmocka_unit_test(unwind__reports_missing_registers),
	};

	return cmocka_run_group_tests(tests, capture_own_stack, NULL);
}
