/*
 * Forks in a loop while another thread allocates; children compute, allocate,
 * start a thread of their own, and tell by their status that all was well.
 *
 *	fork_loop [SECONDS]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "torture.h"

enum { N_AT_ONCE = 4, CHILD_STATUS = 41, WORK_TURNS = 100000 };

static atomic_bool has_ended;

static void *allocator_main(void *data)
{
	(void)data;
	while (!atomic_load_explicit(&has_ended, memory_order_relaxed))
		for (size_t size = 1; size < 5000; size += 37) {
			char *bytes = malloc(size);

			torture_require(bytes != NULL, "out of memory");
			bytes[size - 1] = 1;
			free(bytes);
		}
	return NULL;
}

static void *grandchild_main(void *data)
{
	*(uint64_t *)data = torture_work(7, WORK_TURNS);
	return NULL;
}

static void child_main(int index)
{
	uint64_t result = torture_work(7, WORK_TURNS);
	uint64_t of_thread = 0;
	pthread_t thread;

	if (index % 2 == 0) {
		torture_require(pthread_create(&thread, NULL, grandchild_main, &of_thread) == 0,
				"no thread in a child");
		torture_require(pthread_join(thread, NULL) == 0, "no join in a child");
		torture_require(of_thread == result, "the thread of a child differs");
	}
	_exit(CHILD_STATUS + index);
}

static void fork_round(void)
{
	pid_t children[N_AT_ONCE];

	for (int i = 0; i < N_AT_ONCE; i++) {
		children[i] = fork();
		torture_require(children[i] >= 0, "no fork");
		if (children[i] == 0)
			child_main(i);
	}
	for (int i = 0; i < N_AT_ONCE; i++) {
		int status;

		torture_require(waitpid(children[i], &status, 0) == children[i], "no such child");
		torture_require(WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STATUS + i,
				"a child ended with another status");
	}
}

int main(int argc, char **argv)
{
	pthread_t allocator;

	torture_begin(argc, argv);
	torture_require(pthread_create(&allocator, NULL, allocator_main, NULL) == 0, "no thread");
	do
		fork_round();
	while (torture_goes_on());
	atomic_store_explicit(&has_ended, true, memory_order_relaxed);
	torture_require(pthread_join(allocator, NULL) == 0, "no join");
	printf("every child: %d\n", CHILD_STATUS);
	return TORTURE_STATUS;
}
