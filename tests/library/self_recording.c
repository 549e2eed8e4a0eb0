/*
 * A program that has itself recorded, in ways that its first argument names.  Prints
 * what went wrong and fails then.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tsprof.h"
#include "tsprof_library.h"

enum { BURN_MS = 200, CHILD_SECONDS = 60 };

static volatile sig_atomic_t n_children_ended;

static void child_ended(int number)
{
	(void)number;
	n_children_ended++;
}

static void require(bool is_so, const char *what)
{
	if (is_so)
		return;
	(void)printf("not so: %s (%s; %s)\n", what, strerror(errno), tsprof_failure());
	exit(EXIT_FAILURE);
}

static void burn(void)
{
	struct timespec now;
	long end_ms;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	end_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 + BURN_MS;
	do {
		for (volatile int i = 0; i < 10000; i++)
			continue;
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end_ms);
}

__attribute__((noinline)) static void burn_wanted(void)
{
	TSPROF_SCOPE("wanted");

	burn();
	__asm__ volatile(""); /* no tail call: the frame is to be seen */
}

__attribute__((noinline)) static void burn_unwanted(void)
{
	TSPROF_SCOPE("unwanted");

	burn();
	__asm__ volatile("");
}

static void whole(const char *path)
{
	burn_unwanted();
	require(tsprof_start(path) == 0, "start");
	require(tsprof_start(path) == -EALREADY, "a second start is refused");
	require(tsprof_is_on(), "marks are on");
	TSPROF_MILESTONE("begun");
	burn_wanted();
	require(tsprof_pause() == 0, "pause");
	require(tsprof_pause() == 0, "pause again");
	burn_unwanted();
	require(tsprof_resume() == 0, "resume");
	require(tsprof_resume() == 0, "resume again");
	burn_wanted();
	tsprof_mark("over", "by name");
	require(tsprof_stop() == 0, "stop");
	require(access(path, R_OK) == 0, "the profile is there at once");
	require(!tsprof_is_on(), "marks are off");
	require(tsprof_stop() == -ESRCH, "a second stop is refused");
	require(tsprof_pause() == -ESRCH, "nobody can pause");
	burn_unwanted();
}

/* What wait() and SIGCHLD tell is about the program's own children. */
static void with_children(const char *path)
{
	struct sigaction action = { .sa_handler = child_ended };
	pid_t child;
	int status;

	require(sigaction(SIGCHLD, &action, NULL) == 0, "sigaction");
	require(tsprof_start(path) == 0, "start");
	require(n_children_ended == 0, "no SIGCHLD");
	require(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no child");
	child = fork();
	require(child >= 0, "fork");
	if (child == 0) {
		require(tsprof_stop() == -ESRCH, "a child does not stop its parent's");
		burn_wanted();
		_exit(0);
	}
	require(waitpid(child, &status, 0) == child && status == 0, "the child is well");
	require(n_children_ended == 1, "one SIGCHLD");
	burn_wanted();
	require(tsprof_stop() == 0, "stop");
	require(n_children_ended == 1, "no SIGCHLD by the end");
}

static void twice(const char *path)
{
	char second[4096];

	(void)snprintf(second, sizeof(second), "%s.2", path);
	require(tsprof_start(path) == 0, "start");
	burn_wanted();
	require(tsprof_stop() == 0, "stop");
	require(tsprof_start(second) == 0, "start again");
	burn_wanted();
	require(tsprof_stop() == 0, "stop again");
}

/* With the lowest descriptors free, which are those that the recorder gets. */
static void closed(const char *path)
{
	for (int fd = 0; fd < 10; fd++)
		(void)close(fd);
	if (tsprof_start(path) < 0)
		_exit(EXIT_FAILURE);
	burn_wanted();
	if (tsprof_stop() < 0)
		_exit(EXIT_FAILURE);
	require(write(0, "", 1) < 0 && errno == EBADF, "nothing is left open");
}

static void ended(const char *path)
{
	require(tsprof_start(path) == 0, "start");
	burn_wanted();
	TSPROF_MILESTONE("last");
	(void)raise(SIGKILL);
}

static void refused(const char *path)
{
	const int r = tsprof_start(path);

	require(r < 0, "start fails");
	(void)printf("%d %s\n", r, tsprof_failure());
	burn_wanted();
}

static void *start_slowly(void *path)
{
	(void)tsprof_start(path);
	return NULL;
}

/* With a tsprof that takes its time, which is another thread's; the child has no such thread. */
static void forked(const char *path)
{
	const struct timespec moment = { .tv_nsec = 300000000 };
	pthread_t thread;
	pid_t child;
	int status;

	require(pthread_create(&thread, NULL, start_slowly, (void *)(uintptr_t)path) == 0,
		"pthread_create");
	(void)nanosleep(&moment, NULL);
	child = fork();
	require(child >= 0, "fork");
	if (child == 0) {
		(void)alarm(CHILD_SECONDS);
		_exit(tsprof_stop() == -ESRCH ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	require(waitpid(child, &status, 0) == child && status == 0, "the child does not wait");
	require(pthread_join(thread, NULL) == 0, "pthread_join");
}

/* Under `tsprof record --start-paused`. */
static void resumed(const char *path)
{
	burn_unwanted();
	require(tsprof_resume() == 0, "resume");
	burn_wanted();
	require(tsprof_pause() == 0, "pause");
	burn_unwanted();
	require(tsprof_start(path) == -EALREADY, "who is recorded cannot start");
	require(tsprof_stop() == -ESRCH, "nor stop");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *path);
	} ways[] = {
		{ "whole", whole },	{ "with_children", with_children },
		{ "twice", twice },	{ "closed", closed },
		{ "ended", ended },	{ "refused", refused },
		{ "resumed", resumed }, { "forked", forked },
	};

	for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) == 0) {
			ways[i].run(argv[2]);
			return EXIT_SUCCESS;
		}
	}
	return 2;
}
