/*
 * Threads that burn equal CPU time each under their own names, "burner-0" and
 * so on; prints "total SECONDS" of the process.
 *
 *	threads [COUNT [SECONDS]]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64 };

struct burner {
	pthread_t thread;
	int index;
	double seconds;
	uint64_t result;
};

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static uint64_t burner_work(double seconds)
{
	uint64_t value = 1;

	while (clock_seconds(CLOCK_THREAD_CPUTIME_ID) < seconds)
		for (int i = 0; i < 100000; i++)
			value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9ULL + 1;
	return value;
}

static void *burner_main(void *data)
{
	struct burner *burner = data;
	char name[16];

	(void)snprintf(name, sizeof(name), "burner-%d", burner->index);
	if (pthread_setname_np(pthread_self(), name) != 0)
		abort();
	burner->result = burner_work(burner->seconds);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct burner burners[THREADS_MAX];
	int count = argc > 1 ? atoi(argv[1]) : 4;
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 0.5;

	if (count < 1 || count > THREADS_MAX)
		return 2;
	for (int i = 0; i < count; i++) {
		burners[i].index = i;
		burners[i].seconds = seconds;
		if (pthread_create(&burners[i].thread, NULL, burner_main, &burners[i]) != 0)
			return 1;
	}
	for (int i = 0; i < count; i++)
		if (pthread_join(burners[i].thread, NULL) != 0)
			return 1;
	printf("total %.6f\n", clock_seconds(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}
