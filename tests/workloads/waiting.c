/*
 * Threads that wait in ways of their own, each under its name and in a function
 * of its own, and measure for themselves how long: prints "FUNCTION SECONDS" of
 * wall time for each function, and "life NAME SECONDS" for each thread.
 *
 *	waiting [ROUNDS]        sleep_here, lock_here, read_here, poll_here, burn_here
 *	waiting idle COUNT SECONDS
 *	                      COUNT threads that sleep for SECONDS
 *	waiting convoy COUNT ROUNDS
 *	                      COUNT threads that take turns with one lock
 *	waiting switch ROUNDS   two threads that hand a byte to and fro
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 4000, STACK_BYTES = 65536 };

#define ROUND_NS 10000000L /* what is waited for in each round */

static int n_rounds = 30;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pipe_fds[2];
static int back_fds[2];
static int poll_fds[2];
static double hold_seconds;

static double now_seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_ns(long ns)
{
	struct timespec left = { ns / 1000000000, ns % 1000000000 };

	while (nanosleep(&left, &left) != 0)
		if (errno != EINTR)
			abort();
}

__attribute__((noinline)) static void sleep_here(void)
{
	for (int i = 0; i < n_rounds; i++)
		pause_ns(ROUND_NS);
}

/* Whoever holds the lock gives it away after a round. */
__attribute__((noinline)) static void lock_here(void)
{
	if (pthread_mutex_lock(&lock) != 0 || pthread_mutex_unlock(&lock) != 0)
		abort();
}

__attribute__((noinline)) static void read_here(void)
{
	char byte;

	for (int i = 0; i < n_rounds; i++)
		if (read(pipe_fds[0], &byte, 1) != 1)
			abort();
}

__attribute__((noinline)) static void poll_here(void)
{
	struct pollfd fd = { .fd = poll_fds[0], .events = POLLIN };

	for (int i = 0; i < n_rounds; i++)
		if (poll(&fd, 1, (int)(ROUND_NS / 1000000)) != 0)
			abort();
}

__attribute__((noinline)) static uint64_t burn_here(void)
{
	const double end = (double)n_rounds * ROUND_NS / 1e9;
	uint64_t value = 1;

	while (now_seconds(CLOCK_THREAD_CPUTIME_ID) < end)
		for (int i = 0; i < 20000; i++)
			value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9ULL + 1;
	return value;
}

struct work {
	const char *name;
	void (*run)(void);
	pthread_t thread;
	double seconds;
};

static void burn_away(void)
{
	if (burn_here() == 0)
		abort();
}

static void *work_main(void *data)
{
	struct work *work = data;
	double start;

	if (pthread_setname_np(pthread_self(), work->name) != 0)
		abort();
	start = now_seconds(CLOCK_MONOTONIC);
	work->run();
	work->seconds = now_seconds(CLOCK_MONOTONIC) - start;
	return NULL;
}

static int run_all(void)
{
	struct work works[] = {
		{ .name = "sleep_here", .run = sleep_here },
		{ .name = "lock_here", .run = lock_here },
		{ .name = "read_here", .run = read_here },
		{ .name = "poll_here", .run = poll_here },
		{ .name = "burn_here", .run = burn_away },
	};
	enum { N = sizeof(works) / sizeof(works[0]) };

	if (pipe(pipe_fds) != 0 || pipe(poll_fds) != 0 || pthread_mutex_lock(&lock) != 0)
		return 1;
	for (size_t i = 0; i < N; i++)
		if (pthread_create(&works[i].thread, NULL, work_main, &works[i]) != 0)
			return 1;
	for (int i = 0; i < n_rounds; i++) {
		pause_ns(ROUND_NS);
		if (write(pipe_fds[1], "", 1) != 1)
			return 1;
	}
	if (pthread_mutex_unlock(&lock) != 0)
		return 1;
	for (size_t i = 0; i < N; i++) {
		if (pthread_join(works[i].thread, NULL) != 0)
			return 1;
		printf("%s %.6f\n", works[i].name, works[i].seconds);
	}
	return 0;
}

static void *idle_main(void *data)
{
	pause_ns((long)(*(double *)data * 1e9));
	return NULL;
}

/* The workers do nothing with the lock held but pass the time. */
static void *convoy_main(void *data)
{
	(void)data;
	for (int i = 0; i < n_rounds; i++) {
		double start = now_seconds(CLOCK_THREAD_CPUTIME_ID);

		if (pthread_mutex_lock(&lock) != 0)
			abort();
		while (now_seconds(CLOCK_THREAD_CPUTIME_ID) - start < hold_seconds)
			;
		if (pthread_mutex_unlock(&lock) != 0)
			abort();
	}
	return NULL;
}

static void *echo_main(void *data)
{
	char byte;

	(void)data;
	for (int i = 0; i < n_rounds; i++)
		if (read(pipe_fds[0], &byte, 1) != 1 || write(back_fds[1], "", 1) != 1)
			abort();
	return NULL;
}

static int run_switch(void)
{
	const double start = now_seconds(CLOCK_MONOTONIC);
	pthread_t thread;
	char byte;

	if (pipe(pipe_fds) != 0 || pipe(back_fds) != 0 ||
	    pthread_create(&thread, NULL, echo_main, NULL) != 0)
		return 1;
	for (int i = 0; i < n_rounds; i++)
		if (write(pipe_fds[1], "", 1) != 1 || read(back_fds[0], &byte, 1) != 1)
			return 1;
	if (pthread_join(thread, NULL) != 0)
		return 1;
	printf("seconds %.6f\n", now_seconds(CLOCK_MONOTONIC) - start);
	return 0;
}

struct one_of_many {
	pthread_t thread;
	void *(*run)(void *);
	double *data;
	double seconds;
};

static void *many_main(void *data)
{
	struct one_of_many *one = data;
	const double start = now_seconds(CLOCK_MONOTONIC);

	(void)one->run(one->data);
	one->seconds = now_seconds(CLOCK_MONOTONIC) - start;
	return NULL;
}

static int run_many(void *(*run)(void *), int count, double *data)
{
	static struct one_of_many threads[THREADS_MAX];
	pthread_attr_t attributes;
	double seconds = 0;

	if (count < 1 || count > THREADS_MAX || pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0)
		return 2;
	for (int i = 0; i < count; i++) {
		threads[i] = (struct one_of_many){ .run = run, .data = data };
		if (pthread_create(&threads[i].thread, &attributes, many_main, &threads[i]) != 0)
			return 1;
	}
	for (int i = 0; i < count; i++) {
		if (pthread_join(threads[i].thread, NULL) != 0)
			return 1;
		seconds += threads[i].seconds;
	}
	printf("lives %.6f\n", seconds);
	return 0;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	double seconds = argc > 3 ? strtod(argv[3], NULL) : 1;

	if (strcmp(kind, "idle") == 0)
		return run_many(idle_main, argc > 2 ? atoi(argv[2]) : 1000, &seconds);
	if (strcmp(kind, "convoy") == 0) {
		n_rounds = argc > 3 ? atoi(argv[3]) : 50;
		hold_seconds = 0.001;
		return run_many(convoy_main, argc > 2 ? atoi(argv[2]) : 4, NULL);
	}
	if (strcmp(kind, "switch") == 0) {
		n_rounds = argc > 2 ? atoi(argv[2]) : 10000;
		return run_switch();
	}
	if (argc > 1)
		n_rounds = atoi(argv[1]);
	return run_all();
}
