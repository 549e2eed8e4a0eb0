/*
 * Many threads at once that never sleep, each with a large array on its stack, which is written
 * to, or not: then not even the page is there that the stack pointer is in.
 *
 *	crowd [THREADS [BYTES [SECONDS of all [untouched]]]]
 */
#include <alloca.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 2000, PAGE_BYTES = 4096 };

static volatile uint64_t sink;
static volatile int is_over;
static size_t array_bytes = 100000;
static bool is_untouched;

/* Without a call, which would push a return address there. */
__attribute__((noinline)) static void crowd_burn(void)
{
	volatile char *array = alloca(array_bytes);
	uint64_t value = 1;

	for (size_t i = 0; !is_untouched && i < array_bytes; i += PAGE_BYTES / 2)
		array[i] = 1;
	while (!is_over)
		for (int i = 0; i < 1000; i++)
			value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	sink = value;
}

static void *run(void *unused)
{
	(void)unused;
	crowd_burn();
	sink++;
	return NULL;
}

int main(int argc, char **argv)
{
	const int n_threads = argc > 1 ? atoi(argv[1]) : 100;
	const double seconds = argc > 3 ? strtod(argv[3], NULL) : 1;
	const struct timespec a_while = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	static pthread_t threads[MAX_THREADS];

	array_bytes = argc > 2 ? strtoull(argv[2], NULL, 10) : array_bytes;
	is_untouched = argc > 4 && strcmp(argv[4], "untouched") == 0;
	if (n_threads > MAX_THREADS)
		return EXIT_FAILURE;
	for (int i = 0; i < n_threads; i++)
		if (pthread_create(&threads[i], NULL, run, NULL) != 0)
			return EXIT_FAILURE;
	(void)nanosleep(&a_while, NULL);
	is_over = 1;
	for (int i = 0; i < n_threads; i++)
		if (pthread_join(threads[i], NULL) != 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
