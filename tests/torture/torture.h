#ifndef TSPROF_TORTURE_H
#define TSPROF_TORTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * What the torture programs share.  Each does the same round again and again
 * until its time is over (first argument, seconds of wall time), and what it
 * prints depends on what happened, never on how often: so the output with
 * tsprof has to be the output without.  A program that saw nothing wrong ends
 * with a status that nothing else gives.
 */
enum { TORTURE_STATUS = 23, TORTURE_FAILED = 99 };

static double torture_end_s;

static inline double torture_now_s(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void torture_begin(int argc, char **argv)
{
	torture_end_s = torture_now_s() + (argc > 1 ? strtod(argv[1], NULL) : 2);
}

static inline bool torture_goes_on(void)
{
	return torture_now_s() < torture_end_s;
}

/* Ends the process, from any thread or child of it. */
static inline void torture_require(bool is_true, const char *what)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "torture: %s\n", what);
	_exit(TORTURE_FAILED);
}

static inline uint64_t torture_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Some work that the compiler cannot leave out; the same result every time. */
static inline uint64_t torture_work(uint64_t seed, int n_turns)
{
	volatile uint64_t value = seed;

	for (int i = 0; i < n_turns; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	return value;
}

#endif
