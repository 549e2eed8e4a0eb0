/*
 * Threads with shares that they know: each is a function of its own and has a
 * name of its own, "worker-0" with worker_0 and so on.
 *
 *	thread_shares SECONDS WEIGHT...		CPU seconds in all, shared by weight
 *	thread_shares --wall SECONDS NICE...	on two processors, at these nice values
 *
 * Prints "worker-0 SHARE" for each by getrusage(RUSAGE_THREAD), and "total SECONDS"
 * of all threads but the first, which only waits.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 4, WORK_TURNS = 20000 };

struct worker {
	pthread_t thread;
	int index;
	double cpu_s; /* when it ends, by its own clock */
	double wall_s;
	int nice;
	double used_s;
};

static volatile uint64_t sink;

static double clock_s(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Both limits are always there; one of them is far away. */
#define WORKER_FUNCTION(name, seed)                                                                \
	__attribute__((noinline)) static void name(const struct worker *worker)                    \
	{                                                                                          \
		uint64_t value = (seed);                                                           \
                                                                                                   \
		while (clock_s(CLOCK_THREAD_CPUTIME_ID) < worker->cpu_s &&                         \
		       clock_s(CLOCK_MONOTONIC) < worker->wall_s) {                                \
			for (int i = 0; i < WORK_TURNS; i++) {                                     \
				value ^= value << 13;                                              \
				value ^= value >> 7;                                               \
				value ^= value << 17;                                              \
			}                                                                          \
			sink = value;                                                              \
		}                                                                                  \
	}

WORKER_FUNCTION(worker_0, 88172645463325252ULL)
WORKER_FUNCTION(worker_1, 362436069ULL)
WORKER_FUNCTION(worker_2, 521288629ULL)
WORKER_FUNCTION(worker_3, 5783321ULL)

static void *worker_main(void *data)
{
	static void (*const functions[WORKERS_MAX])(
		const struct worker *worker) = { worker_0, worker_1, worker_2, worker_3 };
	struct worker *worker = data;
	struct rusage usage;
	char name[16];

	(void)snprintf(name, sizeof(name), "worker-%d", worker->index);
	if (pthread_setname_np(pthread_self(), name) != 0)
		abort();
	if (worker->nice != 0 && setpriority(PRIO_PROCESS, (id_t)gettid(), worker->nice) != 0)
		abort();
	functions[worker->index](worker);
	if (getrusage(RUSAGE_THREAD, &usage) != 0)
		abort();
	worker->used_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return NULL;
}

/* The first two of the processors that we may use. */
static void use_two_processors(void)
{
	cpu_set_t allowed;
	cpu_set_t two;
	int n_taken = 0;

	CPU_ZERO(&two);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		abort();
	for (size_t cpu = 0; cpu < CPU_SETSIZE && n_taken < 2; cpu++)
		if (CPU_ISSET(cpu, &allowed)) {
			CPU_SET(cpu, &two);
			n_taken++;
		}
	if (sched_setaffinity(0, sizeof(two), &two) != 0)
		abort();
}

int main(int argc, char **argv)
{
	static struct worker workers[WORKERS_MAX];
	const int is_wall = argc > 1 && strcmp(argv[1], "--wall") == 0;
	const double seconds = argc > 1 + is_wall ? strtod(argv[1 + is_wall], NULL) : 0;
	char **numbers = argv + 2 + is_wall;
	const int n_workers = argc - 2 - is_wall;
	double total_weight = 0;
	double total_s = 0;

	if (n_workers < 1 || n_workers > WORKERS_MAX || !(seconds > 0))
		return 2;
	if (is_wall)
		use_two_processors();
	for (int i = 0; i < n_workers; i++)
		total_weight += strtod(numbers[i], NULL);
	for (int i = 0; i < n_workers; i++) {
		struct worker *worker = &workers[i];
		const double share = strtod(numbers[i], NULL) / total_weight;

		*worker = (struct worker){ .index = i };
		worker->cpu_s = is_wall ? 1e9 : seconds * share;
		worker->wall_s = is_wall ? clock_s(CLOCK_MONOTONIC) + seconds : 1e18;
		worker->nice = is_wall ? atoi(numbers[i]) : 0;
		if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
			return 1;
	}
	for (int i = 0; i < n_workers; i++) {
		if (pthread_join(workers[i].thread, NULL) != 0)
			return 1;
		total_s += workers[i].used_s;
	}
	for (int i = 0; i < n_workers; i++)
		printf("worker-%d %.4f\n", i, workers[i].used_s / total_s);
	printf("total %.6f\n", total_s);
	return 0;
}
