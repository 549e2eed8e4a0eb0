/*
 * Work that keeps step with the kernel's tick, which is when CPU timers are
 * looked at: a profiler that lives on them sees it wrongly.
 *
 *	tick_phase between [SECONDS]	runs in the half of each tick's period that
 *					begins an eighth after it, and sleeps else
 *	tick_phase in-step [SECONDS]	tick_near runs for the quarter of the period
 *					around the tick, tick_far for the rest
 *
 * SECONDS are wall time.  Prints "tick_near SHARE", "tick_far SHARE" and "total
 * SECONDS" by the thread's CPU clock.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

enum { WORK_TURNS = 500 };

static volatile uint64_t sink;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The coarse clock is set by the tick: its resolution is the period, its value the phase. */
static int64_t tick_period_ns(void)
{
	struct timespec resolution;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0)
		abort();
	return resolution.tv_sec * NS_PER_S + resolution.tv_nsec;
}

#define WORK_FUNCTION(name, seed)                                                                  \
	__attribute__((noinline)) static int64_t name(int64_t end_ns)                              \
	{                                                                                          \
		const int64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);                        \
		uint64_t value = (seed);                                                           \
                                                                                                   \
		while (clock_ns(CLOCK_MONOTONIC) < end_ns) {                                       \
			for (int i = 0; i < WORK_TURNS; i++) {                                     \
				value ^= value << 13;                                              \
				value ^= value >> 7;                                               \
				value ^= value << 17;                                              \
			}                                                                          \
			sink = value;                                                              \
		}                                                                                  \
		return clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;                               \
	}

WORK_FUNCTION(tick_near, 88172645463325252ULL)
WORK_FUNCTION(tick_far, 362436069ULL)

static void sleep_until(int64_t time_ns)
{
	const struct timespec time = { .tv_sec = time_ns / NS_PER_S,
				       .tv_nsec = time_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
		;
}

int main(int argc, char **argv)
{
	const int is_in_step = argc > 1 && strcmp(argv[1], "in-step") == 0;
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 2;
	const int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	const int64_t period_ns = tick_period_ns();
	int64_t near_ns = 0;
	int64_t far_ns = 0;

	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		/* The next tick that is far enough away. */
		int64_t tick_ns = clock_ns(CLOCK_MONOTONIC_COARSE) + period_ns;

		while (tick_ns - period_ns / 8 <= clock_ns(CLOCK_MONOTONIC))
			tick_ns += period_ns;
		if (is_in_step) {
			far_ns += tick_far(tick_ns - period_ns / 8);
			near_ns += tick_near(tick_ns + period_ns / 8);
		} else {
			sleep_until(tick_ns + period_ns / 8);
			far_ns += tick_far(tick_ns + period_ns * 5 / 8);
		}
	}
	printf("tick_near %.4f\n", (double)near_ns / (double)(near_ns + far_ns));
	printf("tick_far %.4f\n", (double)far_ns / (double)(near_ns + far_ns));
	printf("total %.6f\n", (double)clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e9);
	return 0;
}
