/*
 * The process is made twice by clone, without a signal for its end, in memory that
 * is shared until the exec: fork would run the program's handlers for it, and vfork
 * would leave a child that the program's own wait() might get.
 */
#include "lib/recorder_spawn.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marks_hello_wire.h"

enum {
	STACK_BYTES = 64 << 10, /* of each of the two */
	MAX_VARIABLES = 4096,
	READY_FD = 3,
	KERNEL_SIGSET_BYTES = 8,
	MAX_SIGNAL = 64,
	FIRST_FREE_FD = 10, /* above those that the recorder gets */
};

struct launch {
	int null_fd;
	int ready_fd;
	int message_fd;
	int error; /* a negative errno, of whichever process */
	char *arguments[12];
	char *environment[MAX_VARIABLES + 1];
	char program[PATH_MAX];
	char pid[16];
	_Alignas(16) char stacks[2][STACK_BYTES];
};

extern char **environ;

static bool is_program(char *ret_path, const char *folder, size_t folder_size, const char *name)
{
	const int n = snprintf(ret_path, PATH_MAX, "%.*s%s%s", (int)folder_size, folder,
			       folder_size ? "/" : "", name);

	return n > 0 && n < PATH_MAX && access(ret_path, X_OK) == 0;
}

static bool find_in_path(char *ret_path)
{
	const char *folders = secure_getenv("PATH");

	while (folders && *folders) {
		const size_t size = strcspn(folders, ":");

		if (size && is_program(ret_path, folders, size, "tsprof"))
			return true;
		folders += size + (folders[size] == ':');
	}
	return false;
}

static bool find_program(char *ret_path)
{
	const char *asked = secure_getenv("TSPROF");
	Dl_info here;
	const char *slash;

	if (asked && *asked)
		return is_program(ret_path, "", 0, asked);
	if (dladdr((void *)(uintptr_t)find_program, &here) && here.dli_fname) {
		slash = strrchr(here.dli_fname, '/');
		if (slash && (is_program(ret_path, here.dli_fname, (size_t)(slash - here.dli_fname),
					 "tsprof") ||
			      is_program(ret_path, here.dli_fname, (size_t)(slash - here.dli_fname),
					 "../bin/tsprof")))
			return true;
	}
	return find_in_path(ret_path);
}

/* The recorder is not the program: what is preloaded into that is nothing to it. */
static bool is_passed_on(const char *variable)
{
	return strncmp(variable, "LD_PRELOAD=", strlen("LD_PRELOAD=")) != 0 &&
	       strncmp(variable, MARKS_ENVIRONMENT "=", strlen(MARKS_ENVIRONMENT "=")) != 0;
}

static void prepare(struct launch *launch, const struct recorder_spawn *spawn)
{
	static const char *const words[] = { "tsprof", "record", "-q", "--ready-fd", "3", "-o" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		launch->arguments[n++] = (char *)(uintptr_t)words[i];
	launch->arguments[n++] = (char *)(uintptr_t)spawn->profile_path;
	launch->arguments[n++] = (char *)(uintptr_t) "-p";
	launch->arguments[n++] = launch->pid;
	(void)snprintf(launch->pid, sizeof(launch->pid), "%ld", (long)getpid());
	n = 0;
	for (char **variable = environ; variable && *variable && n < MAX_VARIABLES; variable++)
		if (is_passed_on(*variable))
			launch->environment[n++] = *variable;
}

/* In memory of the program, so that none of its handlers may run here. */
static void forget_signals(void)
{
	const uint64_t none = 0;

	for (int number = 1; number <= MAX_SIGNAL; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
		    action.sa_handler != SIG_DFL) {
			memset(&action, 0, sizeof(action));
			action.sa_handler = SIG_DFL;
			(void)sigaction(number, &action, NULL);
		}
	}
	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &none, NULL,
		      (long)KERNEL_SIGSET_BYTES);
}

static int become_recorder(void *context)
{
	struct launch *launch = context;

	(void)setsid();
	forget_signals();
	if (dup2(launch->null_fd, 0) < 0 || dup2(launch->null_fd, 1) < 0 ||
	    dup2(launch->message_fd, 2) < 0 || dup2(launch->ready_fd, READY_FD) < 0) {
		launch->error = -errno;
		_exit(127);
	}
#if defined(SYS_close_range)
	(void)syscall(SYS_close_range, READY_FD + 1L, (long)INT_MAX, 0L);
#endif
	(void)execve(launch->program, launch->arguments, launch->environment);
	launch->error = -errno;
	_exit(127);
}

/* Ends at once, so that the recorder is nobody's child. */
static int stand_between(void *context)
{
	struct launch *launch = context;

	if (clone(become_recorder, launch->stacks[1] + STACK_BYTES, CLONE_VM | CLONE_VFORK,
		  launch) < 0)
		launch->error = -errno;
	_exit(0);
}

static int run(struct launch *launch)
{
	const uint64_t all = ~UINT64_C(0);
	uint64_t signals;
	pid_t pid;

	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &all, &signals,
		      (long)KERNEL_SIGSET_BYTES);
	pid = clone(stand_between, launch->stacks[0] + STACK_BYTES, CLONE_VM | CLONE_VFORK, launch);
	if (pid < 0)
		launch->error = -errno;
	while (pid > 0 && waitpid(pid, NULL, (int)__WCLONE) < 0 && errno == EINTR)
		continue;
	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &signals, NULL,
		      (long)KERNEL_SIGSET_BYTES);
	return launch->error;
}

/* Out of the way of the numbers that the recorder gets. */
static int above(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static int spawn_with_fds(struct launch *launch, const struct recorder_spawn *spawn)
{
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r;

	launch->null_fd = null_fd < 0 ? -1 : above(null_fd);
	launch->ready_fd = above(spawn->ready_fd);
	launch->message_fd = above(spawn->message_fd);
	r = launch->null_fd < 0 || launch->ready_fd < 0 || launch->message_fd < 0 ? -errno
										  : run(launch);
	close_fd(null_fd);
	close_fd(launch->null_fd);
	close_fd(launch->ready_fd);
	close_fd(launch->message_fd);
	return r;
}

int recorder_spawn(const struct recorder_spawn *spawn)
{
	struct launch *launch = mmap(NULL, sizeof(*launch), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int r = -ENOENT;

	if (launch == MAP_FAILED)
		return -errno;
	if (find_program(launch->program)) {
		prepare(launch, spawn);
		r = spawn_with_fds(launch, spawn);
	}
	(void)munmap(launch, sizeof(*launch));
	return r;
}
