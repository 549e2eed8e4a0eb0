/*
 * Marks that know their own truth: prints what a recording of it should show.
 *
 *	marking [CALLS]           two threads with CALLS requests each
 *	marking die HOW CALLS     dies inside an open scope: kill, abort, _exit, exit, segv
 *	marking fork              forks inside a scope, which both end
 *	marking cross             begins a scope on one thread and ends it on another
 *	marking unbalanced        ends without begins, and a jump out of scopes
 *	marking threads COUNT     threads that mark once and end
 *	marking flood CALLS       as fast as it can
 *	marking names             of all kinds
 *	marking bounds COUNT      snapshots, counter values and failed calls, COUNT of each
 *	marking exec              becomes another marking program inside a scope
 *	marking pause SECONDS     a milestone and a counter value every 10 ms, inside a scope
 *	marking idle SECONDS      marks once and sleeps
 *
 * "scope NAME CALLS INNER OUTER CPU": what was measured from just inside and from just
 * outside of all its calls, and the CPU time within; the truth lies between, whatever else
 * the machine does.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tsprof.h"

enum { N_THREADS = 2, THREADS_MAX = 2000 };

struct truth {
	const char *name;
	unsigned long n_calls;
	double inner, outer, cpu;
};

enum piece { REQUEST, PARSE, RENDER, WAIT, N_PIECES };

struct work {
	pthread_t thread;
	unsigned long n_calls;
	uint64_t random;
	struct truth truth[N_PIECES];
};

static double now_seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_seconds(double seconds)
{
	const struct timespec left = { (time_t)seconds,
				       (long)((seconds - (double)(time_t)seconds) * 1e9) };

	(void)nanosleep(&left, NULL);
}

__attribute__((noinline)) static uint64_t burn(double seconds)
{
	const double end = now_seconds(CLOCK_THREAD_CPUTIME_ID) + seconds;
	uint64_t value = 1;

	while (now_seconds(CLOCK_THREAD_CPUTIME_ID) < end)
		for (int i = 0; i < 5000; i++)
			value = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9ULL + 1;
	return value;
}

/* Between half and one and a half times as long, so that ticks do not fall into step. */
static double vary(struct work *work, double seconds)
{
	work->random = work->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return seconds * (0.5 + (double)(work->random >> 40) / (double)(1 << 24));
}

struct measure {
	double outer, inner, cpu;
};

static void measure_start(struct measure *measure)
{
	measure->cpu = now_seconds(CLOCK_THREAD_CPUTIME_ID);
	measure->inner = now_seconds(CLOCK_MONOTONIC);
}

static void measure_end(struct measure *measure)
{
	measure->inner = now_seconds(CLOCK_MONOTONIC) - measure->inner;
	measure->cpu = now_seconds(CLOCK_THREAD_CPUTIME_ID) - measure->cpu;
}

static void truth_add(struct truth *truth, const char *name, const struct measure *measure,
		      double outer_start)
{
	truth->name = name;
	truth->n_calls++;
	truth->outer += now_seconds(CLOCK_MONOTONIC) - outer_start;
	truth->inner += measure->inner;
	truth->cpu += measure->cpu;
}

static void do_parse(struct work *work)
{
	const double start = now_seconds(CLOCK_MONOTONIC);
	struct measure measure;

	{
		TSPROF_SCOPE_CATEGORY("parse", "input");
		measure_start(&measure);
		if (!burn(vary(work, 0.002)))
			abort();
		measure_end(&measure);
	}
	truth_add(&work->truth[PARSE], "parse", &measure, start);
}

static void do_render(struct work *work)
{
	const double start = now_seconds(CLOCK_MONOTONIC);
	struct measure measure;

	{
		TSPROF_SCOPE("render");
		measure_start(&measure);
		if (!burn(vary(work, 0.001)))
			abort();
		measure_end(&measure);
	}
	truth_add(&work->truth[RENDER], "render", &measure, start);
}

static void do_wait(struct work *work)
{
	const double start = now_seconds(CLOCK_MONOTONIC);
	struct measure measure;

	{
		TSPROF_SCOPE("wait");
		measure_start(&measure);
		pause_seconds(0.001);
		measure_end(&measure);
	}
	truth_add(&work->truth[WAIT], "wait", &measure, start);
}

static void do_request(struct work *work, unsigned long i)
{
	const double start = now_seconds(CLOCK_MONOTONIC);
	struct measure measure;

	{
		TSPROF_SCOPE_ARGUMENTS("request", "i=%lu", i);
		measure_start(&measure);
		do_parse(work);
		do_render(work);
		do_wait(work);
		if (i % 10 == 3)
			tsprof_scope_error("three of %lu", i);
		measure_end(&measure);
	}
	truth_add(&work->truth[REQUEST], "request", &measure, start);
	TSPROF_COUNTER("requests", i);
}

static void *work_main(void *data)
{
	struct work *work = data;

	for (unsigned long i = 0; i < work->n_calls; i++)
		do_request(work, i);
	return NULL;
}

static void tell_truth(const struct work *works)
{
	for (int i = 0; i < N_PIECES; i++) {
		struct truth sum = { .name = works[0].truth[i].name };

		for (int j = 0; j < N_THREADS; j++) {
			sum.n_calls += works[j].truth[i].n_calls;
			sum.inner += works[j].truth[i].inner;
			sum.outer += works[j].truth[i].outer;
			sum.cpu += works[j].truth[i].cpu;
		}
		printf("scope %s %lu %.9f %.9f %.9f\n", sum.name, sum.n_calls, sum.inner, sum.outer,
		       sum.cpu);
	}
}

static int run_requests(unsigned long n_calls)
{
	static struct work works[N_THREADS];
	const double before = now_seconds(CLOCK_MONOTONIC);
	double after, end;

	TSPROF_MILESTONE("loaded");
	after = now_seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < N_THREADS; i++) {
		works[i] = (struct work){ .n_calls = n_calls, .random = (uint64_t)i };
		if (pthread_create(&works[i].thread, NULL, work_main, &works[i]) != 0)
			return 1;
	}
	for (int i = 0; i < N_THREADS; i++)
		if (pthread_join(works[i].thread, NULL) != 0)
			return 1;
	end = now_seconds(CLOCK_MONOTONIC);
	TSPROF_MILESTONE_DATA("ready", "calls=%lu", n_calls);
	printf("between %.9f %.9f\n", end - after, now_seconds(CLOCK_MONOTONIC) - before);
	TSPROF_SNAPSHOT_TEXT("state", "%lu calls", n_calls);
	tell_truth(works);
	return 0;
}

static int die(const char *how, unsigned long n_calls)
{
	TSPROF_MILESTONE_DATA("alive", "calls=%lu", n_calls);
	for (unsigned long i = 0; i < n_calls; i++) {
		TSPROF_SCOPE("done");
	}
	TSPROF_SCOPE_ARGUMENTS("outside", "how=%s", how);
	TSPROF_SCOPE("doomed");
	TSPROF_MILESTONE_DATA("dying", "how=%s", how);
	if (strcmp(how, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "_exit") == 0)
		_exit(3);
	else if (strcmp(how, "segv") == 0)
		(void)raise(SIGSEGV);
	exit(4);
}

static void burn_scope(double seconds)
{
	TSPROF_SCOPE("burning");
	if (!burn(seconds))
		abort();
}

/* The child inherits the open scope, works in it without a mark, and then marks. */
static int run_fork(void)
{
	int status = 0;

	{
		TSPROF_SCOPE("family");
		const pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0) {
			if (!burn(0.3))
				abort();
			burn_scope(0.2);
			TSPROF_MILESTONE("child");
		} else {
			burn_scope(0.1);
			(void)waitpid(child, &status, 0);
		}
		if (child == 0)
			goto child;
	}
	TSPROF_MILESTONE("parent");
	return WEXITSTATUS(status);
child:
	burn_scope(0.1);
	return 0;
}

TSPROF_SITE(cross_site, "crossing");
TSPROF_SITE(never_site, "never begun");

static void *cross_main(void *data)
{
	(void)data;
	tsprof_end(&cross_site);
	burn_scope(0.01);
	return NULL;
}

static int run_cross(void)
{
	pthread_t thread;

	tsprof_begin(&cross_site);
	if (pthread_create(&thread, NULL, cross_main, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 1;
	burn_scope(0.01);
	return 0;
}

static jmp_buf out;

static void jump(int depth)
{
	TSPROF_SCOPE("jumped out of");
	if (depth == 0)
		longjmp(out, 1);
	if (depth > 0)
		jump(depth - 1);
}

static int run_unbalanced(void)
{
	tsprof_end(&never_site);
	tsprof_end(&never_site);
	for (int i = 0; i < 10; i++) {
		TSPROF_SCOPE("around");
		if (setjmp(out) == 0)
			jump(4);
	}
	burn_scope(0.01);
	return 0;
}

static void *brief_main(void *data)
{
	TSPROF_SCOPE("brief");
	TSPROF_COUNTER("thread", *(int *)data);
	return NULL;
}

static int run_threads(int count)
{
	static pthread_t threads[THREADS_MAX];
	static int numbers[THREADS_MAX];

	if (count > THREADS_MAX)
		return 2;
	for (int i = 0; i < count; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, brief_main, &numbers[i]) != 0)
			return 1;
	}
	for (int i = 0; i < count; i++)
		if (pthread_join(threads[i], NULL) != 0)
			return 1;
	return 0;
}

static int run_flood(unsigned long n_calls)
{
	const double start = now_seconds(CLOCK_MONOTONIC);

	for (unsigned long i = 0; i < n_calls; i++) {
		TSPROF_SCOPE("flood");
	}
	printf("seconds %.6f\n", now_seconds(CLOCK_MONOTONIC) - start);
	return 0;
}

static int run_names(void)
{
	static char longest[10001];

	memset(longest, 'n', sizeof(longest) - 1);
	TSPROF_MILESTONE(NULL);
	TSPROF_MILESTONE("");
	TSPROF_MILESTONE(longest);
	TSPROF_MILESTONE("not\xff UTF-8\x80");
	TSPROF_MILESTONE("with \"quotes\", \\ and\nlines");
	TSPROF_MILESTONE_DATA("data", "%s", longest);
	return 0;
}

static int run_bounds(int count)
{
	for (int i = 0; i < count; i++) {
		TSPROF_SCOPE("failing");
		TSPROF_SNAPSHOT_TEXT("numbers", "%d", i);
		TSPROF_COUNTER("ramp", i);
		tsprof_scope_error("failure %d", i);
	}
	return 0;
}

static int run_exec(char *program)
{
	char *const argv[] = { program, (char[]){ "cross" }, NULL };

	tsprof_begin(&cross_site);
	burn_scope(0.05);
	(void)execv(program, argv);
	return 1;
}

static int run_pause(double seconds)
{
	const double end = now_seconds(CLOCK_MONOTONIC) + seconds;

	TSPROF_SCOPE("long");
	for (int i = 0; now_seconds(CLOCK_MONOTONIC) < end; i++) {
		TSPROF_SCOPE("short");
		TSPROF_MILESTONE_DATA("step", "%d", i);
		TSPROF_COUNTER("step", i);
		pause_seconds(0.005);
		if (!burn(0.005))
			abort();
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	const char *value = argc > 2 ? argv[2] : "";

	if (strcmp(kind, "die") == 0)
		return die(value, argc > 3 ? strtoul(argv[3], NULL, 10) : 0);
	if (strcmp(kind, "fork") == 0)
		return run_fork();
	if (strcmp(kind, "cross") == 0)
		return run_cross();
	if (strcmp(kind, "unbalanced") == 0)
		return run_unbalanced();
	if (strcmp(kind, "threads") == 0)
		return run_threads(atoi(value));
	if (strcmp(kind, "flood") == 0)
		return run_flood(strtoul(value, NULL, 10));
	if (strcmp(kind, "names") == 0)
		return run_names();
	if (strcmp(kind, "bounds") == 0)
		return run_bounds(atoi(value));
	if (strcmp(kind, "exec") == 0)
		return run_exec(argv[0]);
	if (strcmp(kind, "pause") == 0)
		return run_pause(strtod(value, NULL));
	if (strcmp(kind, "idle") == 0) {
		TSPROF_MILESTONE("idle");
		pause_seconds(strtod(value, NULL));
		return 0;
	}
	return run_requests(argc > 1 ? strtoul(kind, NULL, 10) : 100);
}
