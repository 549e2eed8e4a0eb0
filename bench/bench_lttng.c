/*
 * The tracepoint of LTTng-UST, for comparison; bench/run compiles it where the
 * library is, and runs it in a session of its own.  bench/bench_lttng.h is the
 * tracepoint.
 *
 *	bench_lttng [ROUNDS]
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "bench_lttng.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N_LOOPS = 200000, MAX_ROUNDS = 200 };

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	const int n_rounds = argc > 1 ? atoi(argv[1]) : 51;
	static double ns[MAX_ROUNDS];

	if (n_rounds < 1 || n_rounds > MAX_ROUNDS)
		return 1;
	for (int round = 0; round < n_rounds; round++) {
		const double start = now_ns();

		for (int i = 0; i < N_LOOPS; i++)
			lttng_ust_tracepoint(tsprof_bench, mark, i);
		ns[round] = (now_ns() - start) / N_LOOPS;
	}
	qsort(ns, (size_t)n_rounds, sizeof(ns[0]), compare);
	printf("lttng_ns %.2f\n", ns[n_rounds / 2]);
	return 0;
}
