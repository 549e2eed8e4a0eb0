/*
 * Recursion with alloca, so that the frame's size is known to no table and the
 * unwinder has to use the frame pointer that the compiler set up for it.
 *
 * The leaf burns until the thread has had that much CPU time, and how much of it is its own
 * is printed: what comes before it is small, unless the machine was slow with the first pages.
 *
 * With a third argument there is an array of 4 MiB between it and main, as programs of numbers
 * have on their stacks, of which next to nothing is ever touched.
 *
 *	deep [DEPTH [SECONDS [array]]]
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARRAY_BYTES = 4 << 20 };

static volatile uint64_t sink;
static double leaf_seconds;

static double cpu_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

__attribute__((noinline)) static uint64_t deep_leaf(double end)
{
	const double start = cpu_seconds();
	uint64_t value = 1;

	do {
		for (int i = 0; i < 100000; i++)
			value = value * 6364136223846793005ULL + 1442695040888963407ULL;
		sink = value;
	} while (cpu_seconds() < end);
	leaf_seconds = cpu_seconds() - start;
	return value;
}

__attribute__((noinline)) static uint64_t deep_call(int depth, double end)
{
	const size_t size = 16 + (size_t)(depth % 7) * 8;
	char *room = alloca(size);
	uint64_t value;

	memset(room, depth & 0xff, size);
	sink = (uint64_t)(unsigned char)room[size / 2];
	if (depth <= 1)
		value = deep_leaf(end);
	else
		value = deep_call(depth - 1, end);
	/* Used after the call: no tail call, and the memory stays. */
	return value + (uint64_t)(unsigned char)room[0];
}

__attribute__((noinline)) static uint64_t deep_array(int depth, double end)
{
	volatile char array[ARRAY_BYTES];

	array[0] = array[ARRAY_BYTES / 2] = (char)depth;
	return deep_call(depth, end) + (uint64_t)(unsigned char)array[0];
}

int main(int argc, char **argv)
{
	const int depth = argc > 1 ? atoi(argv[1]) : 500;
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;

	sink = argc > 3 ? deep_array(depth, seconds) : deep_call(depth, seconds);
	printf("depth %d leaf_s %.4f\n", depth, leaf_seconds);
	return 0;
}
