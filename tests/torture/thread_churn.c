/*
 * At least 10,000 threads, each living for some 50 us of CPU time: joined,
 * detached, and ended by pthread_exit or cancellation.
 *
 *	thread_churn [SECONDS]
 */
#include <pthread.h>
#include <stdatomic.h>

#include "torture.h"

enum { N_AT_ONCE = 10, THREADS_MIN = 10000, WORK_TURNS = 10000 };

static atomic_uint n_detached_running;

static void *worker_main(void *data)
{
	const int index = *(const int *)data;
	const uint64_t result = torture_work(3, WORK_TURNS);

	torture_require(result == torture_work(3, WORK_TURNS), "another result");
	if (index == 1)
		pthread_exit(data);
	if (index == 2)
		for (;;)
			(void)usleep(1000); /* until it is cancelled */
	return data;
}

static void *detached_main(void *data)
{
	(void)data;
	(void)torture_work(3, WORK_TURNS);
	atomic_fetch_sub_explicit(&n_detached_running, 1, memory_order_release);
	return NULL;
}

static void churn_round(void)
{
	pthread_t threads[N_AT_ONCE];
	int indexes[N_AT_ONCE];
	pthread_t detached;

	for (int i = 0; i < N_AT_ONCE; i++) {
		indexes[i] = i;
		torture_require(pthread_create(&threads[i], NULL, worker_main, &indexes[i]) == 0,
				"no thread");
	}
	atomic_fetch_add_explicit(&n_detached_running, 1, memory_order_relaxed);
	torture_require(pthread_create(&detached, NULL, detached_main, NULL) == 0, "no thread");
	torture_require(pthread_detach(detached) == 0, "not detached");
	torture_require(pthread_cancel(threads[2]) == 0, "not cancelled");
	for (int i = 0; i < N_AT_ONCE; i++) {
		void *result;

		torture_require(pthread_join(threads[i], &result) == 0, "no join");
		torture_require(result == (i == 2 ? PTHREAD_CANCELED : (void *)&indexes[i]),
				"a thread returned something else");
	}
	/* Pairs with the release of the detached threads; their number stays small. */
	while (atomic_load_explicit(&n_detached_running, memory_order_acquire) > N_AT_ONCE)
		(void)usleep(100);
}

int main(int argc, char **argv)
{
	int n_threads = 0;

	torture_begin(argc, argv);
	do {
		churn_round();
		n_threads += N_AT_ONCE + 1;
	} while (n_threads < THREADS_MIN || torture_goes_on());
	while (atomic_load_explicit(&n_detached_running, memory_order_acquire) > 0)
		(void)usleep(100);
	printf("every thread returned what it was given\n");
	return TORTURE_STATUS;
}
