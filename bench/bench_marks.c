/*
 * What a mark costs the program, against the floor measured in the same rounds: a
 * read of the time stamp with a store of 32 bytes.  A second thread
 * takes the records away as the recorder would.
 *
 *	bench_marks [ROUNDS]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/marks_client.h"
#include "tsprof.h"

enum { N_LOOPS = 1000000, MAX_ROUNDS = 200, N_SLOTS = 4, RING_BYTES = 8 << 20 };

enum piece {
	PIECE_EMPTY,
	PIECE_OFF,
	PIECE_ONE,
	PIECE_MILESTONE,
	PIECE_TWO,
	PIECE_SCOPE,
	PIECE_CLOCK,
	N_PIECES
};

struct bench {
	struct marks_segment *segment;
	atomic_bool is_done; /* relaxed: carries no data */
	double ns[N_PIECES][MAX_ROUNDS];
};

/* What the floor writes. */
struct stamp {
	uint64_t time;
	uint64_t padding[3];
};

static struct stamp stamps[256];

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *take_records(void *context)
{
	struct bench *bench = context;
	struct marks_slot *slots =
		(struct marks_slot *)(void *)((char *)bench->segment + marks_slots_offset());
	const struct timespec pause = { .tv_nsec = 1000000 };

	while (!atomic_load_explicit(&bench->is_done, memory_order_relaxed)) {
		for (int i = 0; i < N_SLOTS; i++)
			atomic_store_explicit(&slots[i].tail,
					      __atomic_load_n(&slots[i].head, __ATOMIC_ACQUIRE),
					      memory_order_release);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

static void stamp_now(struct stamp *stamp, uint64_t i)
{
	stamp->time = tsprof_time_();
	stamp->padding[0] = i;
	stamp->padding[1] = i;
	stamp->padding[2] = i;
}

#define FOR_EACH_LOOP(body)                                                                        \
	do {                                                                                       \
		for (uint64_t i = 0; i < N_LOOPS; i++) {                                           \
			body;                                                                      \
			__asm__ volatile("" : : "r"(stamps) : "memory");                           \
		}                                                                                  \
	} while (0)

__attribute__((noinline)) static double run_piece(enum piece piece)
{
	const double start = now_ns();
	struct timespec clock;

	switch (piece) {
	case PIECE_EMPTY:
		FOR_EACH_LOOP((void)i);
		break;
	case PIECE_ONE:
		FOR_EACH_LOOP(stamp_now(&stamps[i % 256], i));
		break;
	case PIECE_TWO:
		FOR_EACH_LOOP({
			stamp_now(&stamps[i * 2 % 256], i);
			stamp_now(&stamps[(i * 2 + 1) % 256], i);
		});
		break;
	case PIECE_MILESTONE:
		FOR_EACH_LOOP(TSPROF_MILESTONE("milestone"));
		break;
	case PIECE_OFF:
	case PIECE_SCOPE:
		FOR_EACH_LOOP(TSPROF_SCOPE("scope"));
		break;
	case PIECE_CLOCK:
		FOR_EACH_LOOP({
			(void)clock_gettime(CLOCK_MONOTONIC, &clock);
			stamps[i % 256].time = (uint64_t)clock.tv_nsec;
		});
		break;
	case N_PIECES:
		break;
	}
	return (now_ns() - start) / N_LOOPS;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

static void run_rounds(struct bench *bench, int n_rounds)
{
	for (int round = 0; round < n_rounds; round++) {
		for (int i = 0; i < N_PIECES; i++) {
			marks_pause(i != PIECE_MILESTONE && i != PIECE_SCOPE);
			bench->ns[i][round] = run_piece((enum piece)i);
		}
	}
}

static struct marks_segment *segment_new(size_t size_bytes)
{
	struct marks_segment *segment = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (segment == MAP_FAILED)
		return NULL;
	segment->n_slots = N_SLOTS;
	segment->ring_bytes = RING_BYTES;
	return segment;
}

int main(int argc, char **argv)
{
	const size_t segment_bytes = marks_segment_bytes(N_SLOTS, RING_BYTES);
	const int n_rounds = argc > 1 ? atoi(argv[1]) : 51;
	struct bench *bench = calloc(1, sizeof(*bench));
	double ns[N_PIECES];
	pthread_t reader;

	if (bench)
		bench->segment = segment_new(segment_bytes);
	if (!bench || !bench->segment || n_rounds < 1 || n_rounds > MAX_ROUNDS ||
	    !marks_start(bench->segment, segment_bytes) ||
	    pthread_create(&reader, NULL, take_records, bench) != 0)
		return 1;
	run_rounds(bench, n_rounds);
	atomic_store_explicit(&bench->is_done, true, memory_order_relaxed);
	(void)pthread_join(reader, NULL);
	for (int i = 0; i < N_PIECES; i++)
		ns[i] = median(bench->ns[i], n_rounds);
	printf("empty_ns %.2f\noff_ns %.2f\n", ns[PIECE_EMPTY], ns[PIECE_OFF] - ns[PIECE_EMPTY]);
	printf("stamp_ns %.2f\nmilestone_ns %.2f\nmilestone_ratio %.3f\n", ns[PIECE_ONE],
	       ns[PIECE_MILESTONE], ns[PIECE_MILESTONE] / ns[PIECE_ONE]);
	printf("two_stamps_ns %.2f\nscope_ns %.2f\nscope_ratio %.3f\n", ns[PIECE_TWO],
	       ns[PIECE_SCOPE], ns[PIECE_SCOPE] / ns[PIECE_TWO]);
	printf("clock_ns %.2f\n", ns[PIECE_CLOCK]);
	(void)munmap(bench->segment, segment_bytes);
	free(bench);
	return 0;
}
