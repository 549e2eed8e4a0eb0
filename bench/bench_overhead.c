/*
 * What a sample costs the target, on top of an empty event at the same rate.
 *
 * One thread, pinned, runs short equal pieces of work at the bottom of a stack
 * of which 16 or 64 KiB are in use.  The pieces alternate between no event, an
 * empty one, one whose stacks perf dumps, and one whose stacks a program copies, so
 * that whatever else the machine does meets all alike; the medians are compared.
 * tsprof's way is the last, where that is permitted.  A second thread on another CPU
 * empties the rings as the recorder would.
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

#include "os/bpf_stacks.h"
#include "os/perf_event.h"
#include "os/perf_ring.h"

enum {
	RATE_HZ = 10007,
	MAX_ROUNDS = 150,
	PIECE_LOOPS = 8000000,
	RING_BYTES = 16 << 20,
	SMALL_RING_BYTES = 1 << 20,
	STACKS_RING_BYTES = 32 << 20,
};

enum piece { PIECE_OFF, PIECE_BARE, PIECE_DUMP, PIECE_PROGRAM, N_PIECES };

struct bench {
	int n_rounds;
	int fds[N_PIECES]; /* -1 for none */
	struct perf_ring rings[N_PIECES];
	struct perf_layout layouts[N_PIECES];
	struct bpf_stacks stacks;
	int cpu;
	uint64_t stack_end;  /* of the thread: the outermost of its frames */
	atomic_bool is_done; /* relaxed: carries no data */
	double cost_us[N_PIECES][MAX_ROUNDS];
	atomic_ulong n_read[N_PIECES];
	unsigned long n_without_stack; /* the reader's, until it is joined */
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

static void learn_end(struct bench *bench, const struct sampler_record *record)
{
	bpf_stacks_learn(&bench->stacks, true,
			 bench->stack_end - registers_sp(&record->sample.registers));
}

/* Those that came before the next of perf's. */
static void take_whole(struct bench *bench, uint64_t perf_time_ns)
{
	const size_t cpu = (size_t)bench->cpu;
	struct sampler_record record;

	while (bpf_stacks_next_time_ns(&bench->stacks, cpu, perf_time_ns) != UINT64_MAX) {
		atomic_fetch_add_explicit(&bench->n_read[PIECE_PROGRAM], 1, memory_order_relaxed);
		bpf_stacks_take(&bench->stacks, cpu, &record);
		learn_end(bench, &record);
		bpf_stacks_finish(&bench->stacks);
	}
}

/* What the recorder does with it, but for the walk. */
static void take_record(struct bench *bench, enum piece piece, const uint8_t *bytes, size_t size)
{
	struct sampler_record record;

	atomic_fetch_add_explicit(&bench->n_read[piece], 1, memory_order_relaxed);
	if (piece != PIECE_PROGRAM)
		return;
	perf_record_parse(&record, &bench->layouts[piece], bytes, size);
	take_whole(bench, record.time_ns);
	if (record.kind != SAMPLER_RECORD_SAMPLE)
		return;
	if (bpf_stacks_match(&bench->stacks, (size_t)bench->cpu, &record.sample))
		learn_end(bench, &record);
	else
		bench->n_without_stack++;
	bpf_stacks_finish(&bench->stacks);
}

static void *read_rings(void *context)
{
	struct bench *bench = context;
	const struct timespec pause = { .tv_nsec = 2000000 };

	pin(0);
	while (!atomic_load_explicit(&bench->is_done, memory_order_relaxed)) {
		for (int i = PIECE_BARE; i < N_PIECES; i++)
			perf_ring_refresh(&bench->rings[i]);
		bpf_stacks_begin(&bench->stacks, false);
		for (int i = PIECE_BARE; i < N_PIECES; i++) {
			const uint8_t *bytes;
			size_t size;

			while ((bytes = perf_ring_peek(&bench->rings[i], &size)) != NULL) {
				take_record(bench, (enum piece)i, bytes, size);
				perf_ring_skip(&bench->rings[i], size);
			}
			perf_ring_publish(&bench->rings[i]);
		}
		take_whole(bench, UINT64_MAX);
		bpf_stacks_publish(&bench->stacks);
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

static int open_piece(struct bench *bench, enum piece piece, struct error *err)
{
	struct perf_abilities abilities = {
		.kernel = true, .build_id = true, .lost = true, .counts = true
	};
	const uint64_t ring_bytes = piece == PIECE_PROGRAM ? SMALL_RING_BYTES : RING_BYTES;
	const struct perf_event_options options = {
		.kind = &perf_event_kinds[0],
		.rate_hz = RATE_HZ,
		.stack_bytes = PERF_EVENT_STACK_MAX_BYTES,
		.wakeup_bytes = ring_bytes / 4,
		.is_bare = piece == PIECE_BARE,
		.without_user_stacks = piece == PIECE_PROGRAM,
	};
	int r;

	bench->fds[piece] = perf_event_open_sampler(&options, bench->cpu, &abilities,
						    &bench->layouts[piece], err);
	if (bench->fds[piece] < 0)
		return bench->fds[piece];
	r = perf_ring_open(&bench->rings[piece], bench->fds[piece], ring_bytes, err);
	if (r == 0 && piece == PIECE_PROGRAM)
		r = perf_event_set_program(bench->fds[piece], bench->stacks.program_fd);
	return r;
}

static void close_piece(struct bench *bench, enum piece piece)
{
	perf_ring_close(&bench->rings[piece]);
	if (bench->fds[piece] >= 0)
		(void)close(bench->fds[piece]);
	bench->fds[piece] = -1;
}

static int open_events(struct bench *bench, struct error *err)
{
	const struct bpf_stacks_options options = {
		.ring_bytes = STACKS_RING_BYTES,
		.ring_min_bytes = STACKS_RING_BYTES,
		.asked_bytes = PERF_EVENT_STACK_MAX_BYTES,
		.period_ns = perf_event_period_ns(RATE_HZ),
	};
	struct error refusal = ERROR_INIT;
	int r = 0;

	bench->cpu = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0;
	pin(bench->cpu);
	for (int i = PIECE_OFF; i < N_PIECES; i++)
		bench->fds[i] = -1;
	for (int i = PIECE_BARE; r == 0 && i < PIECE_PROGRAM; i++)
		r = open_piece(bench, (enum piece)i, err);
	if (r == 0 && (bpf_stacks_open(&bench->stacks, &options, &refusal) < 0 ||
		       open_piece(bench, PIECE_PROGRAM, &refusal) < 0))
		close_piece(bench, PIECE_PROGRAM);
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
	const bool has_program = bench->fds[PIECE_PROGRAM] >= 0;
	double cost_us[N_PIECES] = { 0 };

	for (int i = 0; i < N_PIECES; i++)
		atomic_store_explicit(&bench->n_read[i], 0, memory_order_relaxed);
	run_rounds(bench, stack_bytes);
	(void)usleep(20000);
	for (int i = PIECE_BARE; i < N_PIECES; i++) {
		const double n_samples = (double)atomic_load_explicit(&bench->n_read[i],
								      memory_order_relaxed) /
					 bench->n_rounds;

		cost_us[i] = median_difference(bench, (enum piece)i,
					       i == PIECE_BARE ? PIECE_OFF : PIECE_BARE) /
			     (n_samples > 0 ? n_samples : 1);
	}
	printf("overhead, %2zu KiB of stack: empty event %.1f us a sample, tsprof's +%.1f us "
	       "(goal: +%.0f us), perf's dump +%.1f us\n",
	       stack_bytes / 1024, cost_us[PIECE_BARE],
	       cost_us[has_program ? PIECE_PROGRAM : PIECE_DUMP], goal_us, cost_us[PIECE_DUMP]);
}

int main(int argc, char **argv)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = ERROR_INIT;
	pthread_t reader;

	if (bench) {
		bench->stacks = BPF_STACKS_INIT;
		bench->stack_end = (uint64_t)(uintptr_t)__builtin_frame_address(0) & ~UINT64_C(7);
		bench->n_rounds = argc > 1 ? atoi(argv[1]) : MAX_ROUNDS;
	}
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
	if (bench->n_without_stack)
		printf("%lu samples without their stack\n", bench->n_without_stack);
	for (int i = PIECE_BARE; i < N_PIECES; i++)
		close_piece(bench, (enum piece)i);
	bpf_stacks_close(&bench->stacks);
	free(bench);
	return 0;
}
