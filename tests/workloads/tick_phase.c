/*
 * Work that keeps step with the kernel's tick, which is when CPU timers are
 * looked at: a profiler that lives on them sees it wrongly.
 *
 *	tick_phase between [SECONDS]	runs in the half of each tick's period that
 *					begins an eighth after it, and sleeps else
 *	tick_phase in-step [SECONDS]	tick_near runs for the quarter of the period
 *					around the tick, tick_far for the rest
 *
 * SECONDS are wall time.  Prints "tick_near SHARE", "tick_far SHARE" of both,
 * "calibration SECONDS" that it took to find the tick, and "total SECONDS", all by the
 * thread's CPU clock; and "counted SECONDS", the total by a counter of perf, to which
 * interrupts and a hypervisor's other guests belong that came while the thread ran: the CPU
 * clock leaves them out.
 */
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

enum { WORK_TURNS = 500, N_TICKS = 41 };

static volatile uint64_t sink;
static volatile int64_t tick_times_ns[N_TICKS];
static volatile sig_atomic_t n_ticks;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The coarse clock is set by the tick of one processor: its resolution is the period. */
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

static void on_tick(int signal)
{
	(void)signal;
	if (n_ticks < N_TICKS)
		tick_times_ns[n_ticks++] = clock_ns(CLOCK_MONOTONIC);
}

static int compare_times(const void *a, const void *b)
{
	const int64_t left = *(const int64_t *)a;
	const int64_t right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

/* On one processor from now on: where in the period its tick is, told by a CPU timer. */
static int64_t tick_phase_ns(int64_t period_ns)
{
	const struct itimerspec interval = { .it_interval = { .tv_nsec = 1000000 },
					     .it_value = { .tv_nsec = 1000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	int64_t offsets_ns[N_TICKS];
	int64_t first_ns;
	cpu_set_t here;
	timer_t timer;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) != 0 || sigemptyset(&action.sa_mask) != 0 ||
	    sigaction(SIGUSR1, &action, NULL) != 0 ||
	    timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &interval, NULL) != 0)
		abort();
	while (n_ticks < N_TICKS)
		sink++;
	if (timer_delete(timer) != 0)
		abort();
	/* The median of what they are off the first one, within half a period. */
	first_ns = tick_times_ns[0];
	for (int i = 0; i < N_TICKS; i++)
		offsets_ns[i] = (tick_times_ns[i] - first_ns + period_ns / 2) % period_ns;
	qsort(offsets_ns, N_TICKS, sizeof(offsets_ns[0]), compare_times);
	return (first_ns + offsets_ns[N_TICKS / 2] - period_ns / 2) % period_ns;
}

/* Counts from now on; negative where it is not permitted. */
static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int64_t counted_ns(int counter)
{
	int64_t counted;

	return read(counter, &counted, sizeof(counted)) == sizeof(counted) ? counted : 0;
}

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
	const int counter = open_counter();
	const int64_t uncounted_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	const int64_t period_ns = tick_period_ns();
	const int64_t phase_ns = tick_phase_ns(period_ns);
	const int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
	const int64_t calibration_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int64_t near_ns = 0;
	int64_t far_ns = 0;

	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		/* The next tick that is far enough away. */
		const int64_t now_ns = clock_ns(CLOCK_MONOTONIC) + period_ns / 8;
		const int64_t tick_ns = now_ns - now_ns % period_ns + phase_ns +
					(now_ns % period_ns >= phase_ns ? period_ns : 0);

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
	printf("calibration %.6f\n", (double)calibration_ns / 1e9);
	printf("total %.6f\n", (double)clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e9);
	printf("counted %.6f\n", (double)(uncounted_ns + counted_ns(counter)) / 1e9);
	return 0;
}
