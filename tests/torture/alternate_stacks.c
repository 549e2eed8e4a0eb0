/*
 * Signal handlers on alternate stacks, nested, of each thread; alternate
 * stacks that come and go; and overflowing stacks that a handler leaves by
 * siglongjmp.
 *
 *	alternate_stacks [SECONDS]
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "torture.h"

enum { N_THREADS = 3, WORK_TURNS = 3000, THREAD_STACK_BYTES = 256 * 1024 };

static __thread sigjmp_buf overflow_exit;
static __thread volatile sig_atomic_t n_handled;
static __thread char *alternate_base;
static __thread size_t alternate_bytes;

static bool is_on_alternate_stack(const void *address)
{
	const char *at = address;

	return at >= alternate_base && at < alternate_base + alternate_bytes;
}

static void on_inner(int signal)
{
	const char here = 0;

	(void)signal;
	torture_require(is_on_alternate_stack(&here), "the inner handler is elsewhere");
	(void)torture_work(2, WORK_TURNS);
	n_handled++;
}

static void on_outer(int signal)
{
	const char here = 0;

	(void)signal;
	torture_require(is_on_alternate_stack(&here), "the outer handler is elsewhere");
	(void)torture_work(2, WORK_TURNS);
	(void)raise(SIGUSR2);
	n_handled++;
}

static void on_overflow(int signal)
{
	const char here = 0;

	(void)signal;
	torture_require(is_on_alternate_stack(&here), "the fault's handler is elsewhere");
	siglongjmp(overflow_exit, 1);
}

static void alternate_set(char *base)
{
	const stack_t stack = { .ss_sp = base, .ss_size = alternate_bytes };

	alternate_base = base;
	torture_require(sigaltstack(&stack, NULL) == 0, "sigaltstack failed");
}

/* Runs off the end of the stack; `volatile` keeps it from becoming a loop. */
__attribute__((noinline)) static uint64_t overflow(volatile uint64_t depth)
{
	volatile char room[1024];

	room[depth % sizeof(room)] = (char)depth;
	if (depth == UINT64_MAX)
		return 0;
	return overflow(depth + 1) + (uint64_t)room[depth % sizeof(room)];
}

static void alternate_round(char *first, char *second)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	n_handled = 0;
	alternate_set(first);
	(void)raise(SIGUSR1);
	torture_require(sigaltstack(&none, NULL) == 0, "cannot disable the alternate stack");
	alternate_set(second);
	(void)raise(SIGUSR1);
	torture_require(n_handled == 4, "a handler did not run");
	if (sigsetjmp(overflow_exit, 1) == 0)
		(void)overflow(0);
}

static void *stacks_main(void *data)
{
	/* Guard pages between: a handler too many would not go unnoticed. */
	const size_t page_bytes = 4096;
	char *room;

	(void)data;
	alternate_bytes = 16 * page_bytes;
	room = mmap(NULL, 2 * (alternate_bytes + page_bytes), PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	torture_require(room != MAP_FAILED, "no memory");
	for (size_t i = 0; i < 2; i++)
		torture_require(mprotect(room + page_bytes + i * (alternate_bytes + page_bytes),
					 alternate_bytes, PROT_READ | PROT_WRITE) == 0,
				"no access");
	do
		alternate_round(room + page_bytes, room + 2 * page_bytes + alternate_bytes);
	while (torture_goes_on());
	return NULL;
}

static void handler_set(int signal, void (*handler)(int signal))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	(void)sigemptyset(&action.sa_mask);
	torture_require(sigaction(signal, &action, NULL) == 0, "sigaction failed");
}

int main(int argc, char **argv)
{
	pthread_t threads[N_THREADS];
	pthread_attr_t attributes;

	torture_begin(argc, argv);
	handler_set(SIGUSR1, on_outer);
	handler_set(SIGUSR2, on_inner);
	handler_set(SIGSEGV, on_overflow);
	torture_require(pthread_attr_init(&attributes) == 0 &&
				pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0,
			"no attributes");
	for (int i = 0; i < N_THREADS; i++)
		torture_require(pthread_create(&threads[i], &attributes, stacks_main, NULL) == 0,
				"no thread");
	for (int i = 0; i < N_THREADS; i++)
		torture_require(pthread_join(threads[i], NULL) == 0, "no join");
	printf("every handler ran on its alternate stack\n");
	return TORTURE_STATUS;
}
