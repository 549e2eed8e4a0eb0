/*
 * Stacks with pages that are not there: nothing was ever written to most of the arrays
 * between the functions.  Threads do it one after the other, so that each has a stack of which
 * nothing is known.
 *
 *	gaps [THREADS [SECONDS of each [CALLS more]]]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GAP_BYTES = 9000 };

static volatile uint64_t sink;
static double seconds = 0.2;
static int n_more;

static double cpu_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static void gap_burn(void)
{
	uint64_t value = 1;

	while (cpu_seconds() < seconds)
		for (int i = 0; i < 10000; i++)
			value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	sink = value;
}

#define GAP_FUNCTION(name, callee)                                                                 \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		volatile char gap[GAP_BYTES];                                                      \
                                                                                                   \
		gap[0] = 1;                                                                        \
		callee();                                                                          \
		sink += (uint64_t)gap[0];                                                          \
	}

GAP_FUNCTION(gap_inner, gap_burn)
GAP_FUNCTION(gap_middle, gap_inner)
GAP_FUNCTION(gap_outer, gap_middle)

__attribute__((noinline)) static void gap_more(int n)
{
	volatile char gap[GAP_BYTES];

	gap[0] = 1;
	if (n > 1)
		gap_more(n - 1);
	else
		gap_outer();
	sink += (uint64_t)gap[0];
}

static void *run(void *unused)
{
	(void)unused;
	if (n_more > 0)
		gap_more(n_more);
	else
		gap_outer();
	return NULL;
}

int main(int argc, char **argv)
{
	const int n_threads = argc > 1 ? atoi(argv[1]) : 4;
	pthread_t thread;

	seconds = argc > 2 ? strtod(argv[2], NULL) : seconds;
	n_more = argc > 3 ? atoi(argv[3]) : 0;
	for (int i = 0; i < n_threads; i++)
		if (pthread_create(&thread, NULL, run, NULL) != 0 ||
		    pthread_join(thread, NULL) != 0)
			return EXIT_FAILURE;
	printf("total %.4f\n", n_threads * seconds);
	return EXIT_SUCCESS;
}
