/*
 * Two threads under names of their own, "alpha" for twice as long as "beta",
 * then two children of one name, "twin", each as long as beta, that run at the
 * same time.  All of it is CPU time.
 *
 *	groups [SECONDS_OF_BETA]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_TWINS = 2 };

struct worker {
	const char *name;
	double seconds;
};

static volatile uint64_t sink;

static double thread_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static void group_work(double seconds)
{
	while (thread_seconds() < seconds)
		for (int i = 0; i < 10000; i++)
			sink = (sink ^ (sink >> 29)) * 0xbf58476d1ce4e5b9ULL + 1;
}

static void *worker_main(void *data)
{
	const struct worker *worker = data;

	if (prctl(PR_SET_NAME, worker->name) != 0)
		abort();
	group_work(worker->seconds);
	return NULL;
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.25;
	struct worker workers[] = { { "alpha", 2 * seconds }, { "beta", seconds } };
	struct worker twin = { "twin", seconds };
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, worker_main, &workers[i]) != 0)
			return 1;
	for (int i = 0; i < 2; i++)
		if (pthread_join(threads[i], NULL) != 0)
			return 1;
	printf("main %d\n", (int)getpid());
	(void)fflush(stdout);
	for (int i = 0; i < N_TWINS; i++) {
		const pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0) {
			(void)worker_main(&twin);
			_exit(0);
		}
		printf("twin %d\n", (int)pid);
	}
	for (int i = 0; i < N_TWINS; i++)
		if (wait(NULL) < 0)
			return 1;
	return 0;
}
