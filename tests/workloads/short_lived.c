/*
 * Work in pieces of 300 us: "short_lived processes 400" starts that many
 * children one after the other, "short_lived threads 400" threads.  Prints
 * "total SECONDS", the CPU time of all of them.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *piece(void *unused)
{
	struct timespec now;

	(void)unused;
	do {
		if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
			abort();
	} while (now.tv_nsec < 300000);
	return NULL;
}

static void run_process(void)
{
	const pid_t child = fork();

	if (child < 0)
		abort();
	if (child == 0) {
		(void)piece(NULL);
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		abort();
}

static void run_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, piece, NULL) != 0 || pthread_join(thread, NULL) != 0)
		abort();
}

static double usage_seconds(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage) != 0)
		abort();
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
	const int count = argc > 2 ? atoi(argv[2]) : 400;
	const int is_threads = argc > 1 && strcmp(argv[1], "threads") == 0;

	for (int i = 0; i < count; i++)
		(is_threads ? run_thread : run_process)();
	printf("total %.6f\n", usage_seconds(RUSAGE_SELF) + usage_seconds(RUSAGE_CHILDREN));
	return 0;
}
