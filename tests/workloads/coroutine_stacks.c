/*
 * Coroutines whose true call chains are known by their names: what an "even"
 * function calls is even, what an "odd" one calls is odd, and nothing of a
 * coroutine is ever called by the scheduler.  Their stacks lie side by side
 * without a page between them, so that a copy of one holds the frames of the
 * next: an unwinder that runs off the end finds callers there.
 *
 * "raw" coroutines (x86-64) are switched to by a few instructions without unwind
 * information, as libraries of their own kind do it; the first frame's return
 * address is zero.
 *
 *	coroutine_stacks [SECONDS]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum { N_COROUTINES = 8, STACK_BYTES = 16384, BURN_TURNS = 200000 };

static _Alignas(64) char stacks[N_COROUTINES][STACK_BYTES];
static ucontext_t contexts[N_COROUTINES];
static ucontext_t scheduler;
static int current;
static volatile uint64_t sink;

/*
 * Turns of one length could keep step with the samples, and so could ten of them in a row, whatever
 * their lengths, that take as long as a tick.
 */
static uint32_t burn_turns(void)
{
	static uint32_t random = 1;

	random = random * 1664525 + 1013904223;
	return BURN_TURNS / 2 + (random >> 8) % BURN_TURNS;
}

/* `volatile` after each call: neither inlined nor a jump, so the caller stays a frame. */
#define CHAIN_FUNCTION(name, statement)                                                            \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		statement;                                                                         \
		sink++;                                                                            \
	}

static double cpu_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each knows what it took. */
#define BURN_FUNCTION(name, factor)                                                                \
	static double name##_s;                                                                    \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		const double start_s = cpu_seconds();                                              \
		volatile uint64_t value = 1;                                                       \
                                                                                                   \
		for (uint32_t i = burn_turns(); i > 0; i--)                                        \
			value = value * (factor) + 1;                                              \
		sink = value;                                                                      \
		name##_s += cpu_seconds() - start_s;                                               \
	}

static void yield(void)
{
	if (swapcontext(&contexts[current], &scheduler) != 0)
		abort();
}

BURN_FUNCTION(even_burn, 6364136223846793005ULL)
CHAIN_FUNCTION(even_inner, even_burn())
CHAIN_FUNCTION(even_outer, even_inner(); yield())
BURN_FUNCTION(odd_burn, 2862933555777941757ULL)
CHAIN_FUNCTION(odd_outer, odd_burn(); yield())
BURN_FUNCTION(scheduler_burn, 3202034522624059733ULL)

static void even_main(void)
{
	for (;;)
		even_outer();
}

static void odd_main(void)
{
	for (;;)
		odd_outer();
}

#ifdef __x86_64__
enum { RAW_STACK_BYTES = 8192, N_SAVED = 6 };

static _Alignas(64) char raw_stacks[2][RAW_STACK_BYTES];
static void *raw_sp;
static void *raw_scheduler_sp;

void raw_switch(void **ret_sp, void *sp);

/* No .cfi directive at all: this code has no unwind information. */
__asm__(".text\n"
	".type raw_switch, @function\n"
	"raw_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size raw_switch, . - raw_switch\n");

BURN_FUNCTION(raw_burn, 1442695040888963407ULL)
CHAIN_FUNCTION(raw_inner, raw_burn())
CHAIN_FUNCTION(raw_outer, raw_inner(); raw_switch(&raw_sp, raw_scheduler_sp))

static void raw_main(void)
{
	for (;;)
		raw_outer();
}

static void raw_init(void)
{
	void (*entry)(void) = raw_main;
	void **top = (void **)(void *)&raw_stacks[1][0];

	/* What a neighbour's stack may hold: a return address behind a call. */
	for (int i = 0; i < 16; i++)
		top[i] = __builtin_return_address(0);
	*--top = NULL; /* where raw_main would return to */
	memcpy(--top, &entry, sizeof(entry));
	for (int i = 0; i < N_SAVED; i++)
		*--top = NULL;
	raw_sp = top;
}

CHAIN_FUNCTION(scheduler_raw, raw_switch(&raw_scheduler_sp, raw_sp))
#else
static void raw_init(void)
{
}

CHAIN_FUNCTION(scheduler_raw, (void)0)
#endif

__attribute__((noinline)) static void scheduler_turn(void)
{
	for (current = 0; current < N_COROUTINES; current++)
		if (swapcontext(&scheduler, &contexts[current]) != 0)
			abort();
	scheduler_burn();
	scheduler_raw();
	sink++;
}

static void coroutine_init(int i)
{
	if (getcontext(&contexts[i]) != 0)
		abort();
	contexts[i].uc_stack.ss_sp = stacks[i];
	contexts[i].uc_stack.ss_size = STACK_BYTES;
	makecontext(&contexts[i], i % 2 == 0 ? even_main : odd_main, 0);
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;

	for (int i = 0; i < N_COROUTINES; i++)
		coroutine_init(i);
	raw_init();
	while (cpu_seconds() < seconds)
		scheduler_turn();
	printf("even_burn %.4f\n", even_burn_s / cpu_seconds());
	printf("odd_burn %.4f\n", odd_burn_s / cpu_seconds());
	printf("scheduler_burn %.4f\n", scheduler_burn_s / cpu_seconds());
	printf("total %.6f\n", cpu_seconds());
	return 0;
}
