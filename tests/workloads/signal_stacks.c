/*
 * Signal handlers with known callers: a timer interrupts spin_inner, in turns on
 * the same stack ("plain") and on an alternate one, where a second handler is
 * nested.  The alternate stack is in the middle of memory full of return
 * addresses: an unwinder that looks for the interrupted frames there finds
 * callers that never were.
 *
 *	signal_stacks [SECONDS]
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

enum { STACK_BYTES = 65536, N_AROUND = 8192, TIMER_US = 3700, BURN_TURNS = 600000 };

static struct {
	void *below[N_AROUND];
	_Alignas(64) char stack[STACK_BYTES];
	void *above[N_AROUND];
} room;

static volatile uint64_t sink;

#define BURN_FUNCTION(name, factor)                                                                \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		volatile uint64_t value = 1;                                                       \
                                                                                                   \
		for (int i = 0; i < BURN_TURNS; i++)                                               \
			value = value * (factor) + 1;                                              \
		sink = value;                                                                      \
	}

BURN_FUNCTION(plain_burn, 2862933555777941757ULL)
BURN_FUNCTION(nested_burn, 3202034522624059733ULL)
BURN_FUNCTION(alternate_burn, 6364136223846793005ULL)

__attribute__((noinline)) static void plain_outer(void)
{
	plain_burn();
	sink++;
}

static void on_plain(int signal)
{
	(void)signal;
	plain_outer();
	sink++;
}

static void on_nested(int signal)
{
	(void)signal;
	nested_burn();
	sink++;
}

__attribute__((noinline)) static void alternate_outer(void)
{
	alternate_burn();
	(void)raise(SIGUSR2);
	sink++;
}

static void on_alternate(int signal)
{
	(void)signal;
	alternate_outer();
	sink++;
}

static void handler_set(int signal, void (*handler)(int signal), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags | SA_RESTART };

	(void)sigemptyset(&action.sa_mask);
	if (sigaction(signal, &action, NULL) != 0)
		abort();
}

static double cpu_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static void spin_inner(double end)
{
	volatile uint64_t value = 1;

	while (cpu_seconds() < end)
		for (int i = 0; i < BURN_TURNS; i++)
			value = value * 5 + 1;
	sink = value;
}

__attribute__((noinline)) static void spin_outer(double end)
{
	spin_inner(end);
	sink++;
}

__attribute__((noinline)) static void *own_return_address(void)
{
	return __builtin_return_address(0);
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
	const struct itimerval interval = { .it_interval = { .tv_usec = TIMER_US },
					    .it_value = { .tv_usec = TIMER_US } };
	bool is_alternate = false;
	const stack_t stack = { .ss_sp = room.stack, .ss_size = sizeof(room.stack) };

	for (int i = 0; i < N_AROUND; i++)
		room.below[i] = room.above[i] = own_return_address();
	if (sigaltstack(&stack, NULL) != 0)
		abort();
	handler_set(SIGUSR2, on_nested, SA_ONSTACK);
	handler_set(SIGALRM, on_plain, 0);
	if (setitimer(ITIMER_REAL, &interval, NULL) != 0)
		abort();
	for (double end = 0.01; end < seconds; end += 0.01) {
		is_alternate = !is_alternate;
		handler_set(SIGALRM, is_alternate ? on_alternate : on_plain,
			    is_alternate ? SA_ONSTACK : 0);
		spin_outer(end);
	}
	/* What interrupts exit() has no main below it. */
	if (setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL) != 0)
		abort();
	printf("total %.6f\n", cpu_seconds());
	return 0;
}
