/*
 * System calls that a signal could interrupt, in short waits and long loops:
 * what fails with EINTR only under a profiler would be a fault of the profiler.
 *
 *	system_calls [SECONDS]
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "torture.h"

enum { ROUND_TURNS = 20, WORK_TURNS = 3000, BLOCK_BYTES = 20000 };

static atomic_uint n_interrupted;

/* `result` of a call that set errno when it is negative. */
static void expect_call(long result, const char *what)
{
	if (result >= 0)
		return;
	if (errno == EINTR)
		atomic_fetch_add_explicit(&n_interrupted, 1, memory_order_relaxed);
	else
		torture_require(false, what);
}

static void *waits_main(void *data)
{
	const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sem_t never;

	(void)data;
	torture_require(epoll_fd >= 0 && sem_init(&never, 0, 0) == 0, "cannot prepare");
	do {
		const struct timespec nap = { .tv_nsec = 50000 };
		struct timeval soon = { .tv_usec = 200 };
		struct epoll_event event;
		struct timespec until;

		for (int i = 0; i < ROUND_TURNS; i++) {
			(void)torture_work(1, WORK_TURNS);
			expect_call(nanosleep(&nap, NULL), "nanosleep");
		}
		(void)torture_work(1, WORK_TURNS);
		expect_call(poll(NULL, 0, 1), "poll");
		(void)torture_work(1, WORK_TURNS);
		expect_call(epoll_wait(epoll_fd, &event, 1, 1), "epoll_wait");
		(void)torture_work(1, WORK_TURNS);
		expect_call(select(0, NULL, NULL, NULL, &soon), "select");
		torture_require(clock_gettime(CLOCK_REALTIME, &until) == 0, "no clock");
		if (sem_timedwait(&never, &until) != 0 && errno != ETIMEDOUT)
			expect_call(-1, "sem_timedwait");
	} while (torture_goes_on());
	(void)close(epoll_fd);
	return NULL;
}

static void *writer_main(void *data)
{
	const int fd = *(const int *)data;
	char block[BLOCK_BYTES];

	memset(block, 'x', sizeof(block));
	do {
		(void)torture_work(1, WORK_TURNS);
		torture_require(write(fd, block, sizeof(block)) == (ssize_t)sizeof(block),
				"a write to a pipe was cut or failed");
	} while (torture_goes_on());
	(void)close(fd);
	return NULL;
}

static void *reader_main(void *data)
{
	const int fd = *(const int *)data;
	char block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		torture_require(n > 0, "a read from a pipe failed");
		torture_require(block[n - 1] == 'x', "another byte came out of the pipe");
		(void)torture_work(1, WORK_TURNS);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	int ends[2];

	torture_begin(argc, argv);
	torture_require(pipe(ends) == 0, "no pipe");
	torture_require(pthread_create(&threads[0], NULL, reader_main, &ends[0]) == 0 &&
				pthread_create(&threads[1], NULL, writer_main, &ends[1]) == 0 &&
				pthread_create(&threads[2], NULL, waits_main, NULL) == 0 &&
				pthread_create(&threads[3], NULL, waits_main, NULL) == 0,
			"no thread");
	for (int i = 0; i < 4; i++)
		torture_require(pthread_join(threads[i], NULL) == 0, "no join");
	if (n_interrupted > 0)
		(void)fprintf(stderr, "%u calls were interrupted\n", n_interrupted);
	printf("interrupted: %s\n", n_interrupted > 0 ? "yes" : "no");
	return TORTURE_STATUS;
}
