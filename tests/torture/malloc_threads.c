/*
 * Threads that allocate, grow and free at once, so that a tick often lands
 * inside the allocator with its locks held.
 *
 *	malloc_threads [SECONDS]
 */
#include <pthread.h>
#include <string.h>

#include "torture.h"

enum { N_THREADS = 4, N_BLOCKS = 256, ROUND_TURNS = 4000 };

struct block {
	unsigned char *bytes;
	size_t size;
	unsigned char fill;
};

static void block_check(const struct block *block)
{
	if (block->size == 0)
		return;
	torture_require(block->bytes[0] == block->fill, "the first byte of a block changed");
	torture_require(block->bytes[block->size - 1] == block->fill,
			"the last byte of a block changed");
}

static uint64_t allocate_round(uint64_t seed)
{
	struct block blocks[N_BLOCKS] = { 0 };
	uint64_t state = seed;
	uint64_t sum = 0;

	for (int i = 0; i < ROUND_TURNS; i++) {
		struct block *block = &blocks[torture_random(&state) % N_BLOCKS];
		const size_t size = torture_random(&state) % (i % 64 == 0 ? 300000 : 600);

		block_check(block);
		if (i % 3 == 0) {
			free(block->bytes);
			block->bytes = NULL;
		}
		block->bytes = realloc(block->bytes, size + 1);
		torture_require(block->bytes != NULL, "out of memory");
		block->size = size;
		block->fill = (unsigned char)torture_random(&state);
		memset(block->bytes, block->fill, size);
		sum += size * block->fill;
	}
	for (int i = 0; i < N_BLOCKS; i++) {
		block_check(&blocks[i]);
		free(blocks[i].bytes);
	}
	return sum;
}

static void *allocator_main(void *data)
{
	const uint64_t seed = 88172645463325252ULL + *(const uint64_t *)data;
	const uint64_t first = allocate_round(seed);

	while (torture_goes_on())
		torture_require(allocate_round(seed) == first, "a round gave another sum");
	*(uint64_t *)data = first;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[N_THREADS];
	uint64_t sums[N_THREADS];

	torture_begin(argc, argv);
	for (uint64_t i = 0; i < N_THREADS; i++) {
		sums[i] = i;
		torture_require(pthread_create(&threads[i], NULL, allocator_main, &sums[i]) == 0,
				"no thread");
	}
	for (int i = 0; i < N_THREADS; i++) {
		torture_require(pthread_join(threads[i], NULL) == 0, "no join");
		printf("thread %d: %llu\n", i, (unsigned long long)sums[i]);
	}
	return TORTURE_STATUS;
}
