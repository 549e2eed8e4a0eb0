/*
 * Burns CPU time in three functions, 50, 30 and 20 % of it, and prints the
 * shares that really came about: "half 0.5003" and so on, then "total SECONDS".
 * Time is that of the thread's CPU clock, so a busy machine does not matter.
 *
 *	split [SECONDS]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000LL

/*
 * Work in short turns keeps the shares right at any moment.  All of the same length would be in
 * step with ticks that come every 1 or 4 ms, beside other programs for long.
 */
#define TURN_MIN_NS 1000000LL
#define TURN_SPREAD_NS 2000000U

static volatile uint64_t sink;

static int64_t cpu_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/*
 * One macro, three functions: each loops in its own code, and the seeds keep
 * the compiler from folding them into one.  The clock is asked
 * once in some 100 us, so that it costs nothing worth counting, and by the
 * function itself, so that what it costs is counted there.
 */
#define BURNER(name, seed)                                                                         \
	__attribute__((noinline)) static int64_t name(int64_t duration_ns)                         \
	{                                                                                          \
		const int64_t start_ns = cpu_ns();                                                 \
		int64_t spent_ns = 0;                                                              \
		uint64_t value = (seed);                                                           \
                                                                                                   \
		while (spent_ns < duration_ns) {                                                   \
			for (int i = 0; i < 50000; i++) {                                          \
				value ^= value << 13;                                              \
				value ^= value >> 7;                                               \
				value ^= value << 17;                                              \
			}                                                                          \
			sink = value;                                                              \
			spent_ns = cpu_ns() - start_ns;                                            \
		}                                                                                  \
		return spent_ns;                                                                   \
	}

BURNER(burn_half, 88172645463325252ULL)
BURNER(burn_third, 362436069ULL)
BURNER(burn_fifth, 521288629ULL)

static int64_t next_turn_ns(void)
{
	static uint32_t seed = 1;

	seed = seed * 1664525U + 1013904223U;
	return TURN_MIN_NS + (seed >> 8) % TURN_SPREAD_NS;
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 5;
	const int64_t end_ns = (int64_t)(seconds * 1e9);
	int64_t half_ns = 0;
	int64_t third_ns = 0;
	int64_t fifth_ns = 0;
	int64_t total_ns = 0;

	/* What a turn overshoots is taken off the next, so the shares converge. */
	while (total_ns < end_ns) {
		const int64_t target_ns = total_ns + next_turn_ns();

		half_ns += burn_half(target_ns * 50 / 100 - half_ns);
		third_ns += burn_third(target_ns * 30 / 100 - third_ns);
		fifth_ns += burn_fifth(target_ns * 20 / 100 - fifth_ns);
		total_ns = half_ns + third_ns + fifth_ns;
	}
	printf("burn_half %.4f\n", (double)half_ns / (double)total_ns);
	printf("burn_third %.4f\n", (double)third_ns / (double)total_ns);
	printf("burn_fifth %.4f\n", (double)fifth_ns / (double)total_ns);
	printf("total %.6f\n", (double)cpu_ns() / 1e9);
	return 0;
}
