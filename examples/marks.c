/*
 * What marks look like in C.  Sorts blocks of numbers on two threads.
 *
 *	cc -O2 -g -pthread marks.c -o marks
 *	tsprof record -- ./marks
 *	tsprof report --milestones; tsprof report --scopes; tsprof flame --in-scope sort
 *
 * No library is linked: `tsprof record` brings it.  Without it each mark is a load and
 * a branch; with -DTSPROF_DISABLE it is nothing.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <tsprof.h>

enum { N_BLOCKS = 20, N_NUMBERS = 50000 };

static int compare(const void *a, const void *b)
{
	const uint32_t left = *(const uint32_t *)a;
	const uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void make(uint32_t *numbers, uint32_t seed)
{
	TSPROF_FUNCTION;
	for (size_t i = 0; i < N_NUMBERS; i++)
		numbers[i] = seed = seed * 1664525 + 1013904223;
}

/* False when there is no memory: the scope ends here, too, and has failed. */
static int sort_block(uint32_t block)
{
	TSPROF_SCOPE_ARGUMENTS("block", "number=%u", block);
	uint32_t *numbers = malloc(N_NUMBERS * sizeof(*numbers));

	if (!numbers) {
		tsprof_scope_error("no memory for %d numbers", N_NUMBERS);
		return 0;
	}
	make(numbers, block);
	{
		TSPROF_SCOPE_FULL("sort");
		qsort(numbers, N_NUMBERS, sizeof(*numbers), compare);
	}
	free(numbers);
	return 1;
}

static void *work(void *context)
{
	const uint32_t first = *(const uint32_t *)context;

	for (uint32_t block = first; block < N_BLOCKS; block += 2) {
		TSPROF_COUNTER("blocks left", N_BLOCKS - block);
		if (!sort_block(block))
			return NULL;
	}
	return NULL;
}

int main(void)
{
	static const uint32_t firsts[2] = { 0, 1 };
	pthread_t threads[2];

	TSPROF_MILESTONE_DATA("started", "blocks=%d", N_BLOCKS);
	for (size_t i = 0; i < 2; i++) {
		if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)&firsts[i]) != 0)
			return EXIT_FAILURE;
	}
	for (size_t i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	TSPROF_MILESTONE("sorted");
	TSPROF_SNAPSHOT_TEXT("summary", "%d blocks of %d numbers", N_BLOCKS, N_NUMBERS);
	(void)puts("sorted");
	return EXIT_SUCCESS;
}
