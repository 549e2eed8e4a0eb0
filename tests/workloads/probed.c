/*
 * Functions to be traced from outside, in the situations that break return
 * probes.  Each prints what happened, so that a test can compare.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

enum { N_THREADS = 4, BURN_MS = 400 };

static jmp_buf way_out;
static volatile uint64_t sink;

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Without a call in it, so that what is sampled here has this as its innermost function. */
NOINLINE void burn(uint64_t n_rounds);
NOINLINE void burn(uint64_t n_rounds)
{
	for (uint64_t i = 0; i < n_rounds; i++)
		sink += i;
}

/* So many milliseconds of CPU time, a little at a time. */
NOINLINE void inner(int ms);
NOINLINE void inner(int ms)
{
	const uint64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)ms * 1000000u;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		burn(20000);
	sink++;
}

NOINLINE int middle(int ms, const char *text);
NOINLINE int middle(int ms, const char *text)
{
	inner(ms);
	return (int)strlen(text);
}

NOINLINE long outer(int ms, const char *text);
NOINLINE long outer(int ms, const char *text)
{
	const int n = middle(ms, text);

	sink++;
	return -n;
}

NOINLINE int recurse(int depth);
NOINLINE int recurse(int depth)
{
	int below;

	if (depth == 0) {
		inner(BURN_MS);
		return 0;
	}
	below = recurse(depth - 1);
	sink++; /* so that it is no loop */
	return below + 1;
}

NOINLINE void jump_out(int code);
NOINLINE void jump_out(int code)
{
	burn(1000);
	sink++;
	longjmp(way_out, code);
}

NOINLINE void before_jump(int code);
NOINLINE void before_jump(int code)
{
	jump_out(code);
	sink++;
}

NOINLINE int tail_second(int n);
NOINLINE int tail_second(int n)
{
	inner(n);
	return n + 1;
}

__attribute__((optimize("optimize-sibling-calls"))) NOINLINE int tail_first(int n);
NOINLINE int tail_first(int n)
{
	sink++;
	return tail_second(n);
}

static void *work(void *argument)
{
	const int n = *(const int *)argument;

	for (int i = 0; i < n; i++)
		sink += (uint64_t)middle(0, "thread");
	return NULL;
}

static int run_threads(int n)
{
	pthread_t threads[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, &n) != 0)
			return 1;
	for (int i = 0; i < N_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	return 0;
}

/* The child returns from the function that its parent entered. */
NOINLINE pid_t forking(int ms);
NOINLINE pid_t forking(int ms)
{
	const pid_t pid = fork();

	inner(ms);
	return pid;
}

static int run_fork(int ms)
{
	const pid_t pid = forking(ms);
	int status = 1;

	if (pid == 0) {
		inner(ms);
		_exit(7);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 1;
}

NOINLINE int compare(const void *a, const void *b);
NOINLINE int compare(const void *a, const void *b)
{
	const int left = *(const int *)a;
	const int right = *(const int *)b;

	burn(1000);
	return (left > right) - (left < right);
}

static void run_sort(int n)
{
	int *numbers = calloc((size_t)n, sizeof(*numbers));

	for (int i = 0; numbers && i < n; i++)
		numbers[i] = (i * 7919) % 10007;
	if (numbers)
		qsort(numbers, (size_t)n, sizeof(*numbers), compare);
	free(numbers);
}

static void run_jumps(int n)
{
	for (volatile int i = 0; i < n; i++)
		if (setjmp(way_out) == 0)
			before_jump(1);
	inner(BURN_MS / 4);
	printf("jumps %d\n", n);
}

/* What the durations of the calls add up to, as seen from inside. */
static void run_timed(int n)
{
	uint64_t total_ns = 0;

	for (int i = 0; i < n; i++) {
		const uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);

		inner(1 + i % 5);
		total_ns += clock_ns(CLOCK_MONOTONIC) - start_ns;
	}
	printf("calls %d\nns %llu\n", n, (unsigned long long)total_ns);
}

/* Of all widths, in registers and on the stack, and texts that are long or nowhere. */
NOINLINE const char *many(int a, char b, unsigned char c, short d, long e, const char *f,
			  const char *g, int h, const char *bad, unsigned short i);
NOINLINE const char *many(int a, char b, unsigned char c, short d, long e, const char *f,
			  const char *g, int h, const char *bad, unsigned short i)
{
	sink += (uint64_t)(a + b + c + d + h + i) + (uint64_t)e + (bad != NULL);
	return strlen(f) > strlen(g) ? f : g;
}

static void run_many(void)
{
	const char *bad = (const char *)(uintptr_t)64;
	char text[300];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t n = 126; n <= 140; n++)
		(void)many(-1, 'b', 255, -4, -5000000000L, "six", text + sizeof(text) - 1 - n, -8,
			   bad, 65535);
	(void)many(1, 0, 0, 0, 0, "", text, 0, NULL, 0);
}

/* A round for each line that comes in. */
static int run_rounds(int n)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		if (run_threads(n) != 0 || run_fork(1) != 0)
			return 1;
		printf("round\n");
		(void)fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const int n = argc > 2 ? atoi(argv[2]) : 1;
	int failed = 0;

	if (strcmp(what, "chain") == 0)
		printf("result %ld\n", outer(BURN_MS, "four"));
	else if (strcmp(what, "recurse") == 0)
		printf("result %d\n", recurse(n));
	else if (strcmp(what, "jumps") == 0)
		run_jumps(n);
	else if (strcmp(what, "tail") == 0)
		printf("result %d\n", tail_first(BURN_MS));
	else if (strcmp(what, "threads") == 0)
		failed = run_threads(n);
	else if (strcmp(what, "many") == 0)
		run_many();
	else if (strcmp(what, "rounds") == 0)
		failed = run_rounds(n);
	else if (strcmp(what, "fork") == 0)
		failed = run_fork(BURN_MS);
	else if (strcmp(what, "sort") == 0)
		run_sort(n);
	else if (strcmp(what, "timed") == 0)
		run_timed(n);
	else
		failed = 2;
	return failed;
}
