/*
 * Coroutines by swapcontext in two threads, on stacks without room to spare
 * that lie side by side, with guard pages between.
 *
 *	coroutines [SECONDS]
 */
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "torture.h"

enum {
	N_COROUTINES = 64,
	N_SWITCHES = 40,
	WORK_TURNS = 300,
	PAGE_BYTES = 4096,
	STACK_BYTES = 16 * PAGE_BYTES
};

struct coroutine {
	ucontext_t context;
	ucontext_t *scheduler;
	uint64_t value;
	int n_left;
};

static __thread struct coroutine *current;

__attribute__((noinline)) static void coroutine_step(struct coroutine *coroutine, int depth)
{
	if (depth > 0) {
		coroutine_step(coroutine, depth - 1);
		coroutine->value++;
		return;
	}
	coroutine->value = torture_work(coroutine->value, WORK_TURNS);
	torture_require(swapcontext(&coroutine->context, coroutine->scheduler) == 0, "no switch");
}

static void coroutine_main(void)
{
	struct coroutine *self = current;

	while (self->n_left-- > 0)
		coroutine_step(self, self->n_left % 8);
}

static void coroutine_init(struct coroutine *coroutine, uint64_t value, ucontext_t *scheduler,
			   char *stack)
{
	torture_require(getcontext(&coroutine->context) == 0, "no context");
	coroutine->context.uc_stack.ss_sp = stack;
	coroutine->context.uc_stack.ss_size = STACK_BYTES;
	coroutine->context.uc_link = scheduler;
	coroutine->scheduler = scheduler;
	coroutine->value = value;
	coroutine->n_left = N_SWITCHES;
	makecontext(&coroutine->context, coroutine_main, 0);
}

static uint64_t coroutine_round(char *stacks)
{
	static __thread struct coroutine coroutines[N_COROUTINES];
	ucontext_t scheduler;
	uint64_t sum = 0;

	for (size_t i = 0; i < N_COROUTINES; i++)
		coroutine_init(&coroutines[i], i, &scheduler,
			       stacks + i * (STACK_BYTES + PAGE_BYTES) + PAGE_BYTES);
	for (int turn = 0; turn <= N_SWITCHES; turn++)
		for (int i = 0; i < N_COROUTINES; i++) {
			current = &coroutines[i];
			torture_require(swapcontext(&scheduler, &current->context) == 0,
					"no switch");
		}
	for (int i = 0; i < N_COROUTINES; i++)
		sum += coroutines[i].value;
	return sum;
}

static void *scheduler_main(void *data)
{
	const size_t size = (size_t)N_COROUTINES * (STACK_BYTES + PAGE_BYTES);
	char *stacks = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t first;

	torture_require(stacks != MAP_FAILED, "no memory");
	for (size_t i = 0; i < N_COROUTINES; i++)
		torture_require(mprotect(stacks + i * (STACK_BYTES + PAGE_BYTES) + PAGE_BYTES,
					 STACK_BYTES, PROT_READ | PROT_WRITE) == 0,
				"no access");
	first = coroutine_round(stacks);
	while (torture_goes_on())
		torture_require(coroutine_round(stacks) == first, "a round gave another sum");
	*(uint64_t *)data = first;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	uint64_t sums[2];

	torture_begin(argc, argv);
	for (int i = 0; i < 2; i++)
		torture_require(pthread_create(&threads[i], NULL, scheduler_main, &sums[i]) == 0,
				"no thread");
	for (int i = 0; i < 2; i++) {
		torture_require(pthread_join(threads[i], NULL) == 0, "no join");
		printf("thread %d: %llu\n", i, (unsigned long long)sums[i]);
	}
	return TORTURE_STATUS;
}
