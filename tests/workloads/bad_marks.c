/*
 * What a program may do wrong with its marks, or suffer while it marks; the
 * first argument says what.  Each ends with the milestone "after", where it can.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tsprof.h"

enum { N_MANY_SITES = 5000, N_RECORDED = 100000, N_STOPPED = 1200000 };
enum { N_PROGRAMS = 100, N_DESCRIPTORS = 60, RECORDER_LOOKS_US = 200000 };

TSPROF_SITE(outer, "outer");
TSPROF_SITE(inner, "inner");
TSPROF_SITE(stray, "stray");

static void unbalanced(void)
{
	tsprof_end(&stray);
	tsprof_begin(&outer);
	tsprof_begin(&inner);
	tsprof_end(&outer); /* cuts inner */
	tsprof_end(&inner);
	tsprof_begin(&stray); /* never ends */
}

static void *end_here(void *unused)
{
	tsprof_end(&outer);
	return unused;
}

static void other_thread(void)
{
	pthread_t thread;

	tsprof_begin(&outer);
	if (pthread_create(&thread, NULL, end_here, NULL) == 0)
		(void)pthread_join(thread, NULL);
	tsprof_end(&outer);
}

static void fork_inside(void)
{
	TSPROF_SCOPE("around the fork");
	pid_t child = fork();

	if (child == 0) {
		TSPROF_SCOPE("in the child");
		TSPROF_MILESTONE("child");
		return;
	}
	(void)waitpid(child, NULL, 0);
	TSPROF_MILESTONE("parent");
}

static void call(struct tsprof_site *site)
{
	tsprof_begin(site);
	tsprof_end(site);
}

static void names(void)
{
	static char huge[10001];
	static struct tsprof_site sites[] = {
		{ .name = NULL, .line = 1, .kind = TSPROF_KIND_SCOPE },
		{ .name = "", .line = 2, .kind = TSPROF_KIND_SCOPE },
		{ .name = huge, .line = 3, .kind = TSPROF_KIND_SCOPE },
		{ .name = "\xff\xfe\x80 not text \x01\n\"<&",
		  .line = 4,
		  .kind = TSPROF_KIND_SCOPE },
	};

	memset(huge, 'h', sizeof(huge) - 1);
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
		if (TSPROF_IS_ON_())
			call(&sites[i]);
}

static void many_sites(void)
{
	static struct tsprof_site sites[N_MANY_SITES];
	static char text[N_MANY_SITES][16];

	for (uint32_t i = 0; i < N_MANY_SITES; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "site %u", i);
		sites[i].name = text[i];
		sites[i].line = i;
		sites[i].kind = TSPROF_KIND_SCOPE;
		call(&sites[i]);
	}
}

static void huge_snapshot(void)
{
	const size_t size = (size_t)1 << 30;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes != MAP_FAILED)
		TSPROF_SNAPSHOT("huge", bytes, size);
}

static void close_all(void)
{
	TSPROF_MILESTONE("before");
	for (int fd = 0; fd < 1024; fd++)
		(void)close(fd);
}

static void close_all_first(void)
{
	for (int fd = 0; fd < 1024; fd++)
		(void)close(fd);
}

/* What is mapped already, and `more` bytes. */
static void limit_memory(uint64_t more)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long n_pages = 0;
	struct rlimit limit;

	if (!file || fscanf(file, "%lu", &n_pages) != 1)
		exit(1);
	(void)fclose(file);
	limit.rlim_cur = limit.rlim_max = n_pages * 4096 + more;
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		exit(1);
}

static void limit_files(uint64_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		exit(1);
}

static void record_many(void)
{
	for (int i = 0; i < N_RECORDED; i++) {
		TSPROF_SCOPE("recorded");
	}
	TSPROF_MILESTONE("last words");
}

/* The recorder is our parent. */
static void stopped_recorder(void)
{
	struct timespec start, end;
	double slowest_ms = 0;

	if (kill(getppid(), SIGSTOP) < 0)
		exit(1);
	for (int i = 0; i < N_STOPPED; i++) {
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		TSPROF_MILESTONE("stopped");
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		const double ms = (double)(end.tv_sec - start.tv_sec) * 1e3 +
				  (double)(end.tv_nsec - start.tv_nsec) / 1e6;

		if (ms > slowest_ms)
			slowest_ms = ms;
	}
	(void)kill(getppid(), SIGCONT);
	printf("%.3f\n", slowest_ms);
}

/* All of them at once: each goes on when the last one has marked. */
static void many_programs(void)
{
	struct rlimit limit;
	int begun[2], go_on[2];
	char byte;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur != N_DESCRIPTORS ||
	    pipe(begun) < 0 || pipe(go_on) < 0)
		exit(1);
	for (int i = 0; i < N_PROGRAMS; i++) {
		const pid_t child = fork();

		if (child < 0)
			exit(1);
		if (child)
			continue;
		(void)close(go_on[1]);
		TSPROF_MILESTONE("one of many");
		(void)!write(begun[1], "", 1);
		(void)!read(go_on[0], &byte, 1);
		TSPROF_MILESTONE("one of many");
		_exit(0);
	}
	for (int i = 0; i < N_PROGRAMS; i++)
		(void)!read(begun[0], &byte, 1);
	(void)usleep(RECORDER_LOOKS_US);
	(void)close(go_on[1]);
	while (wait(NULL) > 0)
		continue;
}

static void errno_kept(void)
{
	errno = EXDEV;
	TSPROF_MILESTONE("errno");
	TSPROF_COUNTER("errno", 1);
	TSPROF_SNAPSHOT_TEXT("errno", "%s", strerror(errno));
	if (errno != EXDEV)
		exit(1);
}

static void exec_again(char *program)
{
	char *const argv[] = { program, NULL };

	TSPROF_MILESTONE("before the exec");
	(void)execv(program, argv);
	exit(1);
}

static void plugin(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*mark)(void);

	if (!library)
		exit(1);
	*(void **)&mark = dlsym(library, "mark_in_plugin");
	mark();
	(void)dlclose(library);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	*(void **)&mark = dlsym(library, "mark_in_plugin");
	mark();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "unbalanced", unbalanced },
		{ "other_thread", other_thread },
		{ "fork", fork_inside },
		{ "names", names },
		{ "many_sites", many_sites },
		{ "huge_snapshot", huge_snapshot },
		{ "close_all", close_all },
		{ "close_all_first", close_all_first },
		{ "many_programs", many_programs },
		{ "stopped_recorder", stopped_recorder },
		{ "errno", errno_kept },
	};
	const char *what = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(cases[i].name, what) == 0)
			cases[i].run();
	if (strcmp(what, "memory") == 0)
		limit_memory(argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
	if (strcmp(what, "file_size") == 0)
		limit_files(argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
	if (strcmp(what, "exec") == 0)
		exec_again(argv[0]);
	if (strcmp(what, "plugin") == 0 && argc > 2)
		plugin(argv[2]);
	if (strcmp(what, "kill") == 0 || strcmp(what, "abort") == 0 || strcmp(what, "exit") == 0)
		record_many();
	if (strcmp(what, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(what, "abort") == 0)
		abort();
	if (strcmp(what, "exit") == 0)
		_exit(3);
	TSPROF_MILESTONE("after");
	return 0;
}
