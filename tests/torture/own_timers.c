/*
 * A program with profiling timers of its own: ITIMER_PROF with a SIGPROF
 * handler, ITIMER_VIRTUAL, and a POSIX timer on its thread's CPU clock.  What
 * it set has to be what it gets, with a profiler and without.
 *
 *	own_timers [SECONDS]
 */
#include <signal.h>
#include <sys/time.h>

#include "torture.h"

enum { INTERVAL_US = 10000, WORK_TURNS = 10000, MAX_POOR_ROUNDS = 4 };

static volatile sig_atomic_t n_prof;
static volatile sig_atomic_t n_virtual;
static volatile sig_atomic_t n_posix;

static void on_prof(int signal)
{
	(void)signal;
	n_prof++;
}

static void on_virtual(int signal)
{
	(void)signal;
	n_virtual++;
}

static void on_posix(int signal)
{
	(void)signal;
	n_posix++;
}

static void handler_set(int signal, void (*handler)(int signal))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct sigaction found;

	(void)sigemptyset(&action.sa_mask);
	torture_require(sigaction(signal, &action, NULL) == 0, "sigaction failed");
	torture_require(sigaction(signal, NULL, &found) == 0, "sigaction failed");
	torture_require(found.sa_handler == handler, "sigaction tells another handler");
	torture_require((found.sa_flags & SA_RESTART) != 0, "sigaction tells other flags");
}

static double cpu_s(clockid_t clock)
{
	struct timespec now;

	torture_require(clock_gettime(clock, &now) == 0, "no clock");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void burn_s(double seconds)
{
	const double end_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID) + seconds;

	while (cpu_s(CLOCK_PROCESS_CPUTIME_ID) < end_s)
		(void)torture_work(1, WORK_TURNS);
}

static void posix_timer_set(timer_t *ret_timer)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3 };
	const struct itimerspec interval = { .it_interval = { .tv_nsec = INTERVAL_US * 1000 },
					     .it_value = { .tv_nsec = INTERVAL_US * 1000 } };

	torture_require(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, ret_timer) == 0,
			"timer_create failed");
	torture_require(timer_settime(*ret_timer, 0, &interval, NULL) == 0, "timer_settime failed");
}

/* While the signal is blocked no handler of ours runs; then one does. */
static void blocked_round(void)
{
	sigset_t prof;
	sigset_t before;
	sigset_t pending;
	int n_before;

	(void)sigemptyset(&prof);
	(void)sigaddset(&prof, SIGPROF);
	torture_require(sigprocmask(SIG_BLOCK, &prof, &before) == 0, "sigprocmask failed");
	torture_require(sigismember(&before, SIGPROF) == 0, "SIGPROF was blocked before");
	n_before = n_prof;
	burn_s(0.04);
	torture_require(n_prof == n_before, "a blocked signal was handled");
	torture_require(sigpending(&pending) == 0 && sigismember(&pending, SIGPROF) == 1,
			"a blocked SIGPROF is not pending");
	torture_require(sigprocmask(SIG_SETMASK, &before, NULL) == 0, "sigprocmask failed");
	torture_require(n_prof > n_before, "a pending signal was not handled");
}

/*
 * Ten intervals, of which the kernel's tick keeps most.  On a machine that has
 * many more threads to run than CPUs, or that is itself kept waiting by its host,
 * the ticks may miss this one: what is always missing is another matter.
 */
static void timers_round(void)
{
	static int n_poor;
	const int n_prof_before = n_prof;
	const int n_posix_before = n_posix;
	struct itimerval found;

	burn_s(0.1);
	torture_require(n_prof - n_prof_before <= 20, "too many SIGPROF");
	torture_require(n_posix - n_posix_before <= 20, "too many signals of the POSIX timer");
	if (n_prof - n_prof_before >= 5 && n_posix - n_posix_before >= 5)
		n_poor = 0;
	else
		n_poor++;
	torture_require(n_poor < MAX_POOR_ROUNDS || n_prof - n_prof_before >= 5, "too few SIGPROF");
	torture_require(n_poor < MAX_POOR_ROUNDS, "too few signals of the POSIX timer");
	torture_require(getitimer(ITIMER_PROF, &found) == 0, "getitimer failed");
	torture_require(found.it_interval.tv_usec == INTERVAL_US, "another interval");
}

int main(int argc, char **argv)
{
	const struct itimerval interval = { .it_interval = { .tv_usec = INTERVAL_US },
					    .it_value = { .tv_usec = INTERVAL_US } };
	struct itimerval before;
	timer_t timer;

	torture_begin(argc, argv);
	handler_set(SIGPROF, on_prof);
	handler_set(SIGVTALRM, on_virtual);
	handler_set(SIGRTMIN + 3, on_posix);
	torture_require(setitimer(ITIMER_PROF, &interval, &before) == 0, "setitimer failed");
	torture_require(before.it_value.tv_sec == 0 && before.it_value.tv_usec == 0,
			"ITIMER_PROF was in use");
	torture_require(setitimer(ITIMER_VIRTUAL, &interval, NULL) == 0, "setitimer failed");
	posix_timer_set(&timer);
	do {
		timers_round();
		blocked_round();
	} while (torture_goes_on());
	/* User time is what the kernel's tick found; 10,000 other ticks a second change that. */
	torture_require(n_virtual > 0, "no SIGVTALRM");
	torture_require(timer_delete(timer) == 0, "timer_delete failed");
	printf("every timer came as it was set\n");
	return TORTURE_STATUS;
}
