/*
 * Marks on their way from a thread through its ring into the statistics, with
 * the recorder's own code as the reader, in one process:
 *
 *	bench_marks_flow [SECONDS]
 *
 * How fast a thread can write while nobody reads, how fast one CPU reads, whether both keep up at
 * 20 million records a second, how exact times are, and what 1,000 threads need.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/marks_client.h"
#include "os/counter_clock.h"
#include "record/marks_intake.h"
#include "tsprof.h"

enum {
	N_BURST_CALLS = 400000, /* two records each, and all find room in a ring */
	N_BURSTS = 15,
	RECORDS_A_MS = 20000,
	N_THREADS = 1000,
	N_THREAD_CALLS = 400,
	N_READINGS = 10,      /* of both clocks, between two looks */
	LONGEST_TURN_MS = 50, /* of the recorder's loop */
};

struct bench {
	struct profile profile;
	struct process_table processes;
	struct marks_intake marks;
	atomic_bool is_done; /* relaxed: carries no data */
	atomic_int n_threads;
	pthread_barrier_t barriers[2];
	double reader_cpu_s;
};

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double now_s(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

static void nap_ms(long ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&pause, NULL);
}

/* One turn of the recorder. */
static void take(struct bench *bench)
{
	marks_intake_look(&bench->marks, marks_monotonic_ns(), true);
	(void)marks_intake_drain(&bench->marks, false);
}

/* Whenever the intake wants to be called, as in the recorder's loop. */
static void *take_until_done(void *context)
{
	struct bench *bench = context;
	struct pollfd marks = { .fd = bench->marks.epoll_fd, .events = POLLIN };
	const double start_s = seconds_of(CLOCK_THREAD_CPUTIME_ID);

	while (!atomic_load_explicit(&bench->is_done, memory_order_relaxed)) {
		take(bench);
		(void)poll(&marks, 1, LONGEST_TURN_MS);
	}
	take(bench);
	bench->reader_cpu_s = seconds_of(CLOCK_THREAD_CPUTIME_ID) - start_s;
	return NULL;
}

__attribute__((noinline)) static void write_calls(uint64_t n)
{
	for (uint64_t i = 0; i < n; i += 2) {
		TSPROF_SCOPE("outer");
		TSPROF_SCOPE("inner");
	}
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

static uint64_t n_lost(const struct bench *bench)
{
	return bench->profile.marks.quality.n_lost;
}

/* Connect, and have the thread known to the reader. */
static int start(struct bench *bench)
{
	const char *environment;
	int r;

	if (profile_init(&bench->profile) < 0)
		return -1;
	process_table_init(&bench->processes, &bench->profile);
	r = marks_intake_init(&bench->marks, &bench->profile, &bench->processes,
			      &(struct marks_store_options){ .n_snapshots = 1 }, NULL);
	if (r < 0 || marks_intake_listen(&bench->marks, NULL) < 0)
		return -1;
	environment = strchr(bench->marks.socket.environment, '=');
	if (!environment || !marks_open(environment + 1))
		return -1;
	for (int i = 0; i < 1000 && !bench->profile.marks.quality.n_records; i++) {
		write_calls(2);
		take(bench);
		nap_ms(1);
	}
	return bench->profile.marks.quality.n_records ? 0 : -1;
}

static void run_bursts(struct bench *bench)
{
	double written[N_BURSTS];
	double taken[N_BURSTS];
	double first = 0;
	const uint64_t n_lost_before = n_lost(bench);

	for (int i = 0; i < N_BURSTS; i++) {
		const double start_s = now_s();
		double written_s, taken_s;

		write_calls(N_BURST_CALLS);
		written_s = now_s();
		taken_s = -seconds_of(CLOCK_THREAD_CPUTIME_ID);
		take(bench);
		taken_s += seconds_of(CLOCK_THREAD_CPUTIME_ID);
		written[i] = 2 * N_BURST_CALLS / (written_s - start_s) / 1e6;
		taken[i] = 2 * N_BURST_CALLS / taken_s / 1e6;
		if (i == 0)
			first = written[i];
	}
	printf("burst_first_mps %.1f\nburst_mps %.1f\n", first, median(written, N_BURSTS));
	printf("burst_lost %llu\n", (unsigned long long)(n_lost(bench) - n_lost_before));
	printf("reader_mps %.1f\n", median(taken, N_BURSTS));
}

/* 20 million records a second, while another thread takes them. */
static void run_stream(struct bench *bench, double seconds)
{
	const uint64_t n_lost_before = n_lost(bench);
	pthread_t reader;
	uint64_t n_written = 0;
	double start_s, end_s;

	atomic_store_explicit(&bench->is_done, false, memory_order_relaxed);
	if (pthread_create(&reader, NULL, take_until_done, bench) != 0)
		return;
	start_s = now_s();
	do {
		write_calls(RECORDS_A_MS / 2);
		n_written += RECORDS_A_MS;
		while (now_s() < start_s + (double)n_written / RECORDS_A_MS * 1e-3)
			;
		end_s = now_s();
	} while (end_s < start_s + seconds);
	atomic_store_explicit(&bench->is_done, true, memory_order_relaxed);
	(void)pthread_join(reader, NULL);
	printf("stream_mps %.2f\nstream_lost %llu\nstream_reader_percent %.1f\n",
	       (double)n_written / (end_s - start_s) / 1e6,
	       (unsigned long long)(n_lost(bench) - n_lost_before),
	       bench->reader_cpu_s / (end_s - start_s) * 100);
}

/* Readings of both clocks at once, against what the reader makes of the counter's. */
static void run_clock(struct bench *bench, double seconds)
{
	const double start_s = now_s();
	struct counter_anchor read[N_READINGS];
	uint64_t largest = 0;

	while (now_s() < start_s + seconds) {
		for (int i = 0; i < N_READINGS; i++) {
			read[i] = counter_clock_read();
			nap_ms(2);
		}
		take(bench);
		for (int i = 0; i < N_READINGS; i++) {
			const uint64_t ns = counter_line_ns(&bench->marks.reader.line,
							    &bench->marks.reader.clock,
							    read[i].counter);
			const uint64_t error = ns > read[i].ns ? ns - read[i].ns : read[i].ns - ns;

			if (error > largest)
				largest = error;
		}
	}
	printf("clock_error_ns %llu\n", (unsigned long long)largest);
}

static void *mark_on_thread(void *context)
{
	struct bench *bench = context;

	write_calls(2);
	(void)pthread_barrier_wait(&bench->barriers[0]);
	for (int i = 0; i < 10; i++) {
		write_calls(N_THREAD_CALLS / 10);
		nap_ms(50);
	}
	atomic_fetch_add_explicit(&bench->n_threads, 1, memory_order_relaxed);
	(void)pthread_barrier_wait(&bench->barriers[1]);
	return NULL;
}

/* Of all that is shared, each page once: it is mapped here by both sides. */
static double shared_mib(void)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long kib;
	unsigned long sum = 0;
	bool is_ours = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (strchr(line, '-') && strstr(line, " rw-s "))
			is_ours = strstr(line, "tsprof-marks") != NULL;
		else if (is_ours && sscanf(line, "Pss: %lu kB", &kib) == 1)
			sum += kib;
	}
	if (file)
		(void)fclose(file);
	return (double)sum / 1024;
}

static void run_threads(struct bench *bench)
{
	static pthread_t threads[N_THREADS];
	const uint64_t n_lost_before = n_lost(bench);
	pthread_attr_t attributes;
	int n = 0;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 1 << 17);
	for (int i = 0; i < 2; i++)
		(void)pthread_barrier_init(&bench->barriers[i], NULL, N_THREADS + 1);
	while (n < N_THREADS &&
	       pthread_create(&threads[n], &attributes, mark_on_thread, bench) == 0)
		n++;
	if (n < N_THREADS)
		exit(1);
	(void)pthread_barrier_wait(&bench->barriers[0]);
	while (atomic_load_explicit(&bench->n_threads, memory_order_relaxed) < N_THREADS) {
		take(bench);
		nap_ms(1);
	}
	take(bench);
	printf("threads_shared_mib %.1f\n", shared_mib());
	(void)pthread_barrier_wait(&bench->barriers[1]);
	for (int i = 0; i < N_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	take(bench);
	printf("threads_lost %llu\n", (unsigned long long)(n_lost(bench) - n_lost_before));
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? atof(argv[1]) : 2;
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench || start(bench) < 0) {
		(void)fputs("bench_marks_flow: cannot begin\n", stderr);
		return 1;
	}
	run_bursts(bench);
	run_stream(bench, seconds);
	run_clock(bench, seconds);
	run_threads(bench);
	return 0;
}
