/*
 * Children that burn CPU time, the last of them as a new program: "forks"
 * starts COUNT children, every second of which runs itself again as
 * "forks --burn SECONDS".  Prints "total SECONDS" of all of them.
 *
 *	forks [COUNT [SECONDS]]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t sink;

__attribute__((noinline)) static void child_work(double seconds)
{
	struct timespec now;
	uint64_t value = 1;

	do {
		for (int i = 0; i < 100000; i++)
			value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		sink = value;
		if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
			abort();
	} while ((double)now.tv_sec + (double)now.tv_nsec / 1e9 < seconds);
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
	const int count = argc > 1 ? atoi(argv[1]) : 4;
	const char *seconds = argc > 2 ? argv[2] : "0.3";

	if (argc > 2 && strcmp(argv[1], "--burn") == 0) {
		child_work(strtod(argv[2], NULL));
		return 0;
	}
	for (int i = 0; i < count; i++) {
		const pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0 && i % 2 == 0) {
			child_work(strtod(seconds, NULL));
			_exit(0);
		}
		if (child == 0) {
			(void)execl("/proc/self/exe", "forks", "--burn", seconds, (char *)NULL);
			_exit(127);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("total %.6f\n", usage_seconds(RUSAGE_SELF) + usage_seconds(RUSAGE_CHILDREN));
	return 0;
}
