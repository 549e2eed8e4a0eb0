/*
 * New programs in a loop: vfork and exec, posix_spawn with attributes, system,
 * and exec by a thread that is not the first.
 *
 *	spawn_loop [SECONDS]
 */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "torture.h"

enum { CHILD_STATUS = 17, WORK_TURNS = 200000 };

extern char **environ;

static void wait_for(pid_t child, int expected)
{
	int status;

	torture_require(waitpid(child, &status, 0) == child, "no such child");
	torture_require(WIFEXITED(status) && WEXITSTATUS(status) == expected,
			"a child ended with another status");
}

static void run_vfork(char *const *argv)
{
	const pid_t child = vfork();

	torture_require(child >= 0, "no vfork");
	if (child == 0) {
		(void)execv("/proc/self/exe", argv);
		_exit(127);
	}
	wait_for(child, CHILD_STATUS);
}

static void run_spawn(char *const *argv)
{
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t child;

	(void)sigfillset(&defaults);
	torture_require(posix_spawnattr_init(&attributes) == 0 &&
				posix_spawnattr_setsigdefault(&attributes, &defaults) == 0 &&
				posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0,
			"no attributes");
	torture_require(posix_spawn(&child, "/proc/self/exe", NULL, &attributes, argv, environ) ==
				0,
			"no spawn");
	wait_for(child, CHILD_STATUS);
	torture_require(posix_spawnattr_destroy(&attributes) == 0, "attributes stay");
	torture_require(posix_spawn(&child, "/no/such/program", NULL, NULL, argv, environ) != 0,
			"a program that is not there was started");
}

static void *exec_main(void *data)
{
	(void)execv("/proc/self/exe", data);
	_exit(127);
}

static void run_exec_of_thread(char **argv)
{
	const pid_t child = fork();
	pthread_t thread;

	torture_require(child >= 0, "no fork");
	if (child == 0) {
		torture_require(pthread_create(&thread, NULL, exec_main, argv) == 0, "no thread");
		for (;;)
			(void)torture_work(1, WORK_TURNS);
	}
	wait_for(child, CHILD_STATUS);
}

int main(int argc, char **argv)
{
	char name[] = "spawn_loop";
	char child[] = "--child";
	char *child_argv[] = { name, child, NULL };

	if (argc > 1 && strcmp(argv[1], "--child") == 0) {
		(void)torture_work(1, WORK_TURNS);
		return CHILD_STATUS;
	}
	torture_begin(argc, argv);
	do {
		int status;

		run_vfork(child_argv);
		run_spawn(child_argv);
		run_exec_of_thread(child_argv);
		status = system("exit 3");
		torture_require(WIFEXITED(status) && WEXITSTATUS(status) == 3,
				"system() gave another status");
	} while (torture_goes_on());
	printf("every child: %d\n", CHILD_STATUS);
	return TORTURE_STATUS;
}
