/*
 * What a sample costs the target, on top of an empty event at the same rate.
 *
 * One thread, pinned, runs short equal pieces of work at the bottom of a stack
 * of which 16 or 64 KiB are in use.  The pieces alternate between no event, an
 * empty one and tsprof's own, so that whatever else the machine does meets all
 * three alike; the medians are compared.  A second thread on another CPU empties
 * the rings as the recorder would.
 *
 *	bench_overhead [ROUNDS]
 */
#include <alloca.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/perf_event.h"
#include "os/perf_ring.h"

enum {
	RATE_HZ = 10007,
	MAX_ROUNDS = 150,
	PIECE_LOOPS = 8000000,
	RING_BYTES = 16 << 20,
};

enum piece { PIECE_OFF, PIECE_BARE, PIECE_FULL, N_PIECES };

struct bench {
	int n_rounds;
	int fds[N_PIECES]; /* -1 for none */
	struct perf_ring rings[N_PIECES];
	struct perf_layout layouts[N_PIECES];
	atomic_bool is_done; /* relaxed: carries no data */
	double cost_us[N_PIECES][MAX_ROUNDS];
	atomic_ulong n_read[N_PIECES];
};

static double cpu_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void *read_rings(void *context)
{
	struct bench *bench = context;
	const struct timespec pause = { .tv_nsec = 2000000 };

	pin(0);
	while (!atomic_load_explicit(&bench->is_done, memory_order_relaxed)) {
		for (int i = PIECE_BARE; i < N_PIECES; i++) {
			size_t size;

			perf_ring_refresh(&bench->rings[i]);
			while (perf_ring_peek(&bench->rings[i], &size)) {
				perf_ring_skip(&bench->rings[i], size);
				atomic_fetch_add_explicit(&bench->n_read[i], 1,
							  memory_order_relaxed);
			}
			perf_ring_publish(&bench->rings[i]);
		}
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

__attribute__((noinline)) static double run_piece(int fd)
{
	volatile uint64_t sink = 1;
	const double start = cpu_us();

	if (fd >= 0)
		(void)perf_event_enable(fd);
	for (int i = 0; i < PIECE_LOOPS; i++)
		sink = sink * 3 + 1;
	if (fd >= 0)
		(void)perf_event_disable(fd);
	return cpu_us() - start;
}

/* The pieces with that much of the stack in use below them. */
__attribute__((noinline)) static void run_rounds(struct bench *bench, size_t stack_bytes)
{
	volatile char *used = alloca(stack_bytes);

	for (size_t i = 0; i < stack_bytes; i++)
		used[i] = (char)i;
	for (int round = 0; round < bench->n_rounds; round++)
		for (int i = 0; i < N_PIECES; i++)
			bench->cost_us[i][round] = run_piece(bench->fds[i]);
	used[0] = used[1];
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

static int open_events(struct bench *bench, struct error *err)
{
	struct perf_abilities abilities = {
		.kernel = true, .build_id = true, .lost = true, .counts = true
	};
	struct perf_event_options options = {
		.kind = &perf_event_kinds[0],
		.rate_hz = RATE_HZ,
		.stack_bytes = PERF_EVENT_STACK_MAX_BYTES,
		.wakeup_bytes = RING_BYTES / 4,
	};
	const int cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0;
	int r = 0;

	pin(cpu);
	bench->fds[PIECE_OFF] = -1;
	for (int i = PIECE_BARE; r == 0 && i < N_PIECES; i++) {
		options.is_bare = i == PIECE_BARE;
		bench->fds[i] = perf_event_open_sampler(&options, cpu, &abilities,
							&bench->layouts[i], err);
		r = bench->fds[i] < 0 ? bench->fds[i] : 0;
		if (r == 0)
			r = perf_ring_open(&bench->rings[i], bench->fds[i], RING_BYTES, err);
	}
	return r;
}

/* Of the rounds' differences: what disturbs a round disturbs its neighbours alike. */
static double median_difference(const struct bench *bench, enum piece with, enum piece without)
{
	double differences[MAX_ROUNDS];

	for (int round = 0; round < bench->n_rounds; round++)
		differences[round] = bench->cost_us[with][round] - bench->cost_us[without][round];
	return median(differences, bench->n_rounds);
}

static void measure(struct bench *bench, size_t stack_bytes, double goal_us)
{
	double n_samples[N_PIECES];

	for (int i = 0; i < N_PIECES; i++)
		atomic_store_explicit(&bench->n_read[i], 0, memory_order_relaxed);
	run_rounds(bench, stack_bytes);
	(void)usleep(20000);
	for (int i = 0; i < N_PIECES; i++)
		n_samples[i] = (double)atomic_load_explicit(&bench->n_read[i],
							    memory_order_relaxed) /
			       bench->n_rounds;
	printf("overhead, %2zu KiB of stack: empty event %.1f us a sample, tsprof's +%.1f us "
	       "(goal: +%.0f us)\n",
	       stack_bytes / 1024,
	       median_difference(bench, PIECE_BARE, PIECE_OFF) / n_samples[PIECE_BARE],
	       median_difference(bench, PIECE_FULL, PIECE_BARE) / n_samples[PIECE_FULL], goal_us);
}

int main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = ERROR_INIT;
	pthread_t reader;

	if (bench)
		bench->n_rounds = argc > 1 ? atoi(argv[1]) : MAX_ROUNDS;
	if (bench && (bench->n_rounds < 1 || bench->n_rounds > MAX_ROUNDS)) {
		printf("usage: bench_overhead [ROUNDS], at most %d\n", MAX_ROUNDS);
		free(bench);
		return 2;
	}
	if (!bench || open_events(bench, &err) < 0) {
		printf("overhead: skipped: %s\n", err.message);
		return 77;
	}
	if (pthread_create(&reader, NULL, read_rings, bench) != 0)
		return 1;
	measure(bench, (size_t)16 << 10, 4);
	measure(bench, (size_t)63 << 10, 10);
	atomic_store_explicit(&bench->is_done, true, memory_order_relaxed);
	(void)pthread_join(reader, NULL);
	for (int i = PIECE_BARE; i < N_PIECES; i++) {
		perf_ring_close(&bench->rings[i]);
		(void)close(bench->fds[i]);
	}
	free(bench);
	return 0;
}
