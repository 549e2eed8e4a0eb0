/*
 * Waits that end in other ways than by returning: threads are cancelled in poll,
 * read and pthread_cond_wait and run their cleanup handlers, signal handlers jump
 * out of nanosleep and wait themselves, and calls are interrupted with EINTR.
 *
 *	left_waits [SECONDS]
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

#include "torture.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int quiet_pipe[2];
static sigjmp_buf way_back;
static volatile sig_atomic_t is_to_jump;
static volatile sig_atomic_t n_alarms;

static void on_alarm(int signal)
{
	const struct timespec moment = { .tv_nsec = 1000 };

	(void)signal;
	(void)nanosleep(&moment, NULL);
	n_alarms++;
	if (is_to_jump) {
		is_to_jump = 0;
		siglongjmp(way_back, 1);
	}
}

static void count_cleanup(void *count)
{
	(*(int *)count)++;
}

static void unlock(void *mutex)
{
	(void)pthread_mutex_unlock(mutex);
}

static void *wait_in_poll(void *n_cleaned)
{
	pthread_cleanup_push(count_cleanup, n_cleaned);
	(void)poll(NULL, 0, -1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_in_read(void *n_cleaned)
{
	char byte;

	pthread_cleanup_push(count_cleanup, n_cleaned);
	(void)!read(quiet_pipe[0], &byte, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *wait_for_condition(void *n_cleaned)
{
	pthread_cleanup_push(count_cleanup, n_cleaned);
	(void)pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, &lock);
	for (;;)
		(void)pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

/* It is there at once, each time; the call is a place to be cancelled all the same. */
static void *wait_for_nothing(void *n_cleaned)
{
	sem_t there;

	(void)sem_init(&there, 0, 1);
	pthread_cleanup_push(count_cleanup, n_cleaned);
	for (;;) {
		(void)sem_wait(&there);
		(void)sem_post(&there);
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel_round(void)
{
	void *(*const waits[])(void *) = { wait_in_poll, wait_in_read, wait_for_condition,
					   wait_for_nothing };

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		int n_cleaned = 0;
		void *result = NULL;
		pthread_t thread;

		torture_require(pthread_create(&thread, NULL, waits[i], &n_cleaned) == 0,
				"pthread_create");
		(void)usleep(2000);
		torture_require(pthread_cancel(thread) == 0, "pthread_cancel");
		torture_require(pthread_join(thread, &result) == 0, "pthread_join");
		torture_require(result == PTHREAD_CANCELED, "a thread was not cancelled");
		torture_require(n_cleaned == 1, "a cleanup handler did not run once");
	}
	torture_require(pthread_mutex_trylock(&lock) == 0, "the lock was left locked");
	(void)pthread_mutex_unlock(&lock);
}

/* One, or with `every_us` one after the other: the first may come before the wait has begun. */
static void alarm_in(long us, long every_us)
{
	const struct itimerval value = { .it_value = { .tv_usec = us },
					 .it_interval = { .tv_usec = every_us } };

	(void)setitimer(ITIMER_REAL, &value, NULL);
}

static void interrupt_round(void)
{
	const struct timespec second = { .tv_sec = 1 };
	struct timeval timeout = { .tv_sec = 1 };
	struct timespec rest = { 0 };

	alarm_in(3000, 100000);
	errno = 0;
	torture_require(nanosleep(&second, &rest) < 0 && errno == EINTR, "nanosleep went on");
	torture_require(rest.tv_sec == 0 && rest.tv_nsec > 0, "nanosleep left the wrong rest");
	alarm_in(3000, 100000);
	torture_require(select(0, NULL, NULL, NULL, &timeout) < 0 && errno == EINTR,
			"select went on");
	alarm_in(3000, 100000);
	torture_require(poll(NULL, 0, 1000) < 0 && errno == EINTR, "poll went on");
	alarm_in(0, 0);
	if (sigsetjmp(way_back, 1) == 0) {
		is_to_jump = 1;
		alarm_in(3000, 0);
		(void)nanosleep(&second, NULL);
		torture_require(false, "nobody jumped");
	}
	torture_require(poll(NULL, 0, 1) == 0, "poll after the jump");
}

int main(int argc, char **argv)
{
	struct sigaction action;

	torture_begin(argc, argv);
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	torture_require(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
	torture_require(pipe(quiet_pipe) == 0, "pipe");
	do {
		cancel_round();
		interrupt_round();
		(void)torture_work(1, 1000000); /* a few ticks of CPU time */
	} while (torture_goes_on());
	(void)printf("all waits were left, %s\n", n_alarms > 0 ? "alarms came" : "no alarm came");
	return TORTURE_STATUS;
}
