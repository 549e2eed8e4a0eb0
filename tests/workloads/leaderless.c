/*
 * A process whose main thread has ended: it is a zombie in /proc, with another
 * thread that burns CPU time in "survivor_work".
 *
 *	leaderless [SECONDS]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static volatile uint64_t sink;

static double thread_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static void survivor_work(double seconds)
{
	while (thread_seconds() < seconds)
		for (uint64_t i = 0; i < 10000; i++)
			sink += i * i;
}

static void *survivor_main(void *context)
{
	survivor_work(*(const double *)context);
	exit(0);
}

int main(int argc, char **argv)
{
	static double seconds;
	pthread_t thread;

	seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	if (pthread_create(&thread, NULL, survivor_main, &seconds) != 0)
		return 1;
	pthread_exit(NULL);
}
