/*
 * setjmp and longjmp over many frames, and siglongjmp out of signal handlers,
 * those of the kernel's timer included.
 *
 *	long_jumps [SECONDS]
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "torture.h"

enum { DEPTH_MAX = 60, WORK_TURNS = 200 };

static jmp_buf way_back;
static sigjmp_buf way_back_of_signal;
static volatile sig_atomic_t is_armed;
static volatile sig_atomic_t n_alarms;

__attribute__((noinline)) static uint64_t jump_from(volatile int depth)
{
	const uint64_t value = torture_work((uint64_t)depth, WORK_TURNS);

	if (depth == 0)
		longjmp(way_back, (int)(value % 1000) + 1);
	if (depth < 0)
		return 0;
	return jump_from(depth - 1) + value;
}

static void on_usr1(int signal)
{
	(void)signal;
	(void)torture_work(1, WORK_TURNS);
	siglongjmp(way_back_of_signal, 5);
}

static void on_alarm(int signal)
{
	(void)signal;
	n_alarms++;
	if (is_armed) {
		is_armed = 0;
		siglongjmp(way_back_of_signal, 6);
	}
}

static uint64_t jump_round(void)
{
	volatile uint64_t sum = 0;

	for (volatile int depth = 0; depth < DEPTH_MAX; depth++) {
		const int jumped = setjmp(way_back);

		if (jumped == 0)
			(void)jump_from(depth);
		sum += (uint64_t)jumped;
		switch (sigsetjmp(way_back_of_signal, 1)) {
		case 0:
			(void)raise(SIGUSR1);
			break;
		case 5:
			sum++;
			break;
		default:
			torture_require(false, "an unexpected way back");
		}
	}
	/* Work until the timer's handler leaves it. */
	if (sigsetjmp(way_back_of_signal, 1) == 0) {
		is_armed = 1;
		for (;;)
			(void)torture_work(1, WORK_TURNS);
	}
	return sum;
}

int main(int argc, char **argv)
{
	const struct itimerval each_ms = { .it_interval = { .tv_usec = 1000 },
					   .it_value = { .tv_usec = 1000 } };
	const struct itimerval never = { 0 };
	struct sigaction action = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };
	uint64_t first;

	torture_begin(argc, argv);
	(void)sigemptyset(&action.sa_mask);
	torture_require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction failed");
	action.sa_handler = on_alarm;
	torture_require(sigaction(SIGALRM, &action, NULL) == 0, "sigaction failed");
	torture_require(setitimer(ITIMER_REAL, &each_ms, NULL) == 0, "setitimer failed");
	first = jump_round();
	while (torture_goes_on())
		torture_require(jump_round() == first, "a round gave another sum");
	torture_require(setitimer(ITIMER_REAL, &never, NULL) == 0, "setitimer failed");
	torture_require(n_alarms > 0, "no alarm came");
	printf("every round: %llu\n", (unsigned long long)first);
	return TORTURE_STATUS;
}
