/*
 * What the handler of the engine sigprof costs the target, on top of an empty
 * handler of the same signal, with 8 KiB of stack in use.
 *
 * The library's own code runs here, on a ring that is emptied as the recorder
 * would.  Batches of signals to the calling thread alternate between the handlers,
 * so that whatever else the machine does meets all alike; medians are compared.
 * Beside it a walk by libunwind in the handler, which other profilers do there.
 *
 *	bench_handler [ROUNDS]
 */
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/sigprof_client.h"

enum {
	STACK_IN_USE_BYTES = 8192,
	DEPTH = 20,
	FRAME_BYTES = STACK_IN_USE_BYTES / DEPTH,
	N_SIGNALS = 2000,
	MAX_ROUNDS = 1000,
	RING_BYTES = 4 << 20,
};

enum handler { HANDLER_EMPTY, HANDLER_TSPROF, HANDLER_UNWIND, N_HANDLERS };

struct bench {
	int n_rounds;
	uintptr_t stack_top;
	double cost_ns[N_HANDLERS][MAX_ROUNDS];
};

static void handle_empty(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
}

static void handle_tsprof(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	client_handle_tick(context);
}

static void handle_unwind(int signal, siginfo_t *info, void *context)
{
	void *ips[64];

	(void)signal;
	(void)info;
	(void)context;
	(void)!unw_backtrace(ips, 64);
}

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void install(enum handler handler)
{
	static void (*const handlers[])(int, siginfo_t *, void *) = { handle_empty, handle_tsprof,
								      handle_unwind };
	struct sigaction action = { .sa_sigaction = handlers[handler],
				    .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGUSR1, &action, NULL);
}

static double run_batch(enum handler handler)
{
	const long pid = getpid();
	const long tid = syscall(SYS_gettid);
	struct sigprof_slot *slot = client_thread.slot;
	double start;

	install(handler);
	start = now_ns();
	for (int i = 0; i < N_SIGNALS; i++) {
		(void)syscall(SYS_tgkill, pid, tid, (long)SIGUSR1);
		atomic_store_explicit(&slot->tail, atomic_load(&slot->head), memory_order_release);
	}
	return (now_ns() - start) / N_SIGNALS;
}

static void run_rounds(struct bench *bench)
{
	client_thread.stack_high = bench->stack_top;
	for (int round = 0; round < bench->n_rounds; round++)
		for (int handler = 0; handler < N_HANDLERS; handler++)
			bench->cost_ns[handler][round] = run_batch((enum handler)handler);
}

/* Frames that hold what the 8 KiB are made of. */
__attribute__((noinline)) static void descend(struct bench *bench, int depth)
{
	volatile char room[FRAME_BYTES - 48];

	room[0] = (char)depth;
	if (depth == DEPTH)
		bench->stack_top = (uintptr_t)&room;
	if (depth == 0)
		run_rounds(bench);
	else
		descend(bench, depth - 1);
	room[1] = room[0];
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

/* The library starts as in a program whose recorder is gone. */
static void restart_with_environment(char **argv)
{
	static const char session[] = "nobody:00000000000000000000000000000000:1003009:65528:"
				      "4194304:-";

	if (client_options())
		return;
	if (setenv(SIGPROF_ENVIRONMENT, session, 1) == 0)
		(void)execv("/proc/self/exe", argv);
	perror("bench_handler");
	exit(EXIT_FAILURE);
}

/* As thread_trigger.c finds it after a tick. */
static void *make_event_page(void)
{
	static _Alignas(SIGPROF_PAGE_BYTES) uint8_t pages[2 * SIGPROF_PAGE_BYTES];
	struct perf_event_mmap_page *page = (struct perf_event_mmap_page *)(void *)pages;
	const struct perf_event_header header = { .type = PERF_RECORD_SAMPLE, .size = 16 };

	page->data_head = header.size;
	memcpy(pages + SIGPROF_PAGE_BYTES, &header, sizeof(header));
	return pages;
}

static void make_slot(void)
{
	const size_t size_bytes = 2 * SIGPROF_PAGE_BYTES + RING_BYTES;
	uint8_t *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			       -1, 0);

	if (memory == MAP_FAILED) {
		perror("bench_handler: mmap");
		exit(EXIT_FAILURE);
	}
	client_thread.segment = (struct sigprof_segment *)(void *)memory;
	client_thread.slot = (struct sigprof_slot *)(void *)(memory + SIGPROF_PAGE_BYTES);
	client_thread.ring = memory + 2 * SIGPROF_PAGE_BYTES;
	client_thread.ring_bytes = RING_BYTES;
	client_thread.stack_low = 0;
	/* The kernel's record of a tick is read as if there had been one. */
	client_thread.trigger.event_page = make_event_page();
}

int main(int argc, char **argv)
{
	static struct bench bench;
	double ns[N_HANDLERS];

	restart_with_environment(argv);
	bench.n_rounds = argc > 1 ? atoi(argv[1]) : 200;
	if (bench.n_rounds < 1 || bench.n_rounds > MAX_ROUNDS)
		return 2;
	make_slot();
	descend(&bench, DEPTH);
	for (int i = 0; i < N_HANDLERS; i++)
		ns[i] = median(bench.cost_ns[i], bench.n_rounds);
	printf("empty_ns %.0f\n", ns[HANDLER_EMPTY]);
	printf("handler_ns %.0f\n", ns[HANDLER_TSPROF] - ns[HANDLER_EMPTY]);
	printf("unw_backtrace_ns %.0f\n", ns[HANDLER_UNWIND] - ns[HANDLER_EMPTY]);
	printf("lost %u\n", atomic_load(&client_thread.slot->n_lost));
	/* What is mapped is not the library's to end. */
	client_thread = (struct client_thread){ 0 };
	return 0;
}
