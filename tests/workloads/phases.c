/*
 * Phases, scopes and a long sleep that know their own truth.  ROUNDS times: a
 * milestone "work", burning inside and outside of scopes, a milestone "rest" and
 * a pause.  Beside it a thread named "sleeper" sleeps from before the first to after the last.
 *
 *	phases [ROUNDS]
 *
 * Prints "work CPU WALL", "rest CPU WALL", "inner CPU" and "outer CPU" in seconds:
 * the sums over all rounds of the main thread's CPU time and of wall time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tsprof.h"

/* The phases of a round, and two scopes, the one inside the other. */
static double work_cpu, work_wall, rest_cpu, rest_wall, inner_cpu, outer_cpu;

static double now_seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	return now_seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void pause_seconds(double seconds)
{
	const time_t whole = (time_t)seconds;
	struct timespec left = { whole, (long)((seconds - (double)whole) * 1e9) };

	while (nanosleep(&left, &left) != 0)
		continue;
}

__attribute__((noinline)) static void burn(double seconds)
{
	const double end = cpu_seconds() + seconds;

	while (cpu_seconds() < end)
		continue;
}

__attribute__((noinline)) static void inner(void)
{
	const double start = cpu_seconds();

	TSPROF_SCOPE_CATEGORY("inner", "numbers");
	burn(0.06);
	inner_cpu += cpu_seconds() - start;
}

__attribute__((noinline)) static void outer(void)
{
	const double start = cpu_seconds();

	TSPROF_SCOPE("outer");
	burn(0.03);
	inner();
	outer_cpu += cpu_seconds() - start;
}

static void work(void)
{
	const double cpu = cpu_seconds();
	const double wall = now_seconds(CLOCK_MONOTONIC);

	TSPROF_MILESTONE("work");
	outer();
	burn(0.03);
	work_cpu += cpu_seconds() - cpu;
	work_wall += now_seconds(CLOCK_MONOTONIC) - wall;
}

static void rest(void)
{
	const double cpu = cpu_seconds();
	const double wall = now_seconds(CLOCK_MONOTONIC);

	TSPROF_MILESTONE("rest");
	burn(0.02);
	pause_seconds(0.02);
	rest_cpu += cpu_seconds() - cpu;
	rest_wall += now_seconds(CLOCK_MONOTONIC) - wall;
}

static void *sleeper(void *argument)
{
	pthread_mutex_t *const until = argument;

	if (pthread_setname_np(pthread_self(), "sleeper") != 0 || pthread_mutex_lock(until) != 0)
		abort();
	return NULL;
}

int main(int argc, char **argv)
{
	const int n_rounds = argc > 1 ? atoi(argv[1]) : 5;
	pthread_mutex_t until = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	if (pthread_mutex_lock(&until) != 0 || pthread_create(&thread, NULL, sleeper, &until) != 0)
		abort();
	pause_seconds(0.1);
	for (int i = 0; i < n_rounds; i++) {
		work();
		rest();
	}
	TSPROF_MILESTONE("over");
	burn(0.05);
	if (pthread_mutex_unlock(&until) != 0 || pthread_join(thread, NULL) != 0)
		abort();
	printf("work %.6f %.6f\nrest %.6f %.6f\ninner %.6f\nouter %.6f\n", work_cpu, work_wall,
	       rest_cpu, rest_wall, inner_cpu, outer_cpu);
	return 0;
}
