/*
 * Programs that take away what a profiler in the process may rely on, each by
 * a word, and then work on:
 *
 *	hostile WORD SECONDS
 *
 *	descriptors	closes all of them and opens files under their numbers
 *	user		becomes nobody
 *	chroot		has an empty directory for a root
 *	seccomp		may call little, and is killed for more
 *	memory		unmaps all shared memory that it did not map
 *	signals		blocks all signals, in all threads
 *	limits		may open no file and map no memory any more
 *	environment	clears it, and execs itself
 *
 * What needs root ends with status 77 where it is not permitted.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "torture.h"

enum { WORK_TURNS = 100000, N_FILES = 40, STATUS_SKIPPED = 77, NOBODY = 65534 };

static uint64_t expected;

static void work_on(void)
{
	do
		torture_require(torture_work(5, WORK_TURNS) == expected, "another result");
	while (torture_goes_on());
}

static void *worker_main(void *data)
{
	(void)data;
	work_on();
	return NULL;
}

static void work_in_threads(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		torture_require(pthread_create(&threads[i], NULL, worker_main, NULL) == 0,
				"no thread");
	work_on();
	for (int i = 0; i < 2; i++)
		torture_require(pthread_join(threads[i], NULL) == 0, "no join");
}

/* Whatever anybody else writes to these numbers ends up in the files. */
static void hostile_descriptors(void)
{
	char directory[] = "/tmp/tsprof-torture-XXXXXX";
	int fds[N_FILES];
	char path[64];

	torture_require(close_range(3, ~0U, 0) == 0, "close_range failed");
	torture_require(mkdtemp(directory) != NULL, "no directory");
	(void)snprintf(path, sizeof(path), "%s/file", directory);
	for (int i = 0; i < N_FILES; i++) {
		fds[i] = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		torture_require(fds[i] == 3 + i, "a descriptor is still open");
		(void)unlink(path);
	}
	work_in_threads();
	for (int i = 0; i < N_FILES; i++) {
		struct stat info;

		torture_require(fstat(fds[i], &info) == 0 && S_ISREG(info.st_mode),
				"a descriptor became another");
		torture_require(info.st_size == 0, "somebody wrote to a file of ours");
	}
	(void)rmdir(directory);
}

static void hostile_user(void)
{
	if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		_exit(STATUS_SKIPPED);
	work_in_threads();
}

static void hostile_chroot(void)
{
	char directory[] = "/tmp/tsprof-torture-XXXXXX";

	torture_require(mkdtemp(directory) != NULL, "no directory");
	/* Removed first: from inside it could not be. */
	torture_require(chdir(directory) == 0 && rmdir(directory) == 0, "no way in");
	if (chroot(".") != 0)
		_exit(STATUS_SKIPPED);
	work_in_threads();
}

#define ALLOW(call)                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1),                                         \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void hostile_seccomp(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_read),
		ALLOW(SYS_write),
		ALLOW(SYS_exit),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_rt_sigreturn),
		ALLOW(SYS_clock_gettime),
		ALLOW(SYS_restart_syscall),
		ALLOW(SYS_newfstatat),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]),
					    .filter = filter };

	torture_require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs failed");
	torture_require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
			"seccomp failed");
	work_on();
	static const char text[] = "it worked on\n";
	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
	_exit(TORTURE_STATUS);
}

/* All of it at once: a list that is read while it changes would be wrong. */
static void hostile_memory(void)
{
	static char text[1 << 20];
	const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n;

	torture_require(fd >= 0, "no maps");
	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	(void)close(fd);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long start;
		unsigned long end;
		char access[8];

		if (sscanf(line, "%lx-%lx %7s", &start, &end, access) == 3 && access[3] == 's')
			torture_require(munmap((void *)start, end - start) == 0, "munmap failed");
	}
	work_in_threads();
}

static void hostile_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	torture_require(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0, "cannot block");
	work_in_threads();
}

static void hostile_limits(void)
{
	const struct rlimit none = { 0, 0 };

	torture_require(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit failed");
	torture_require(setrlimit(RLIMIT_MEMLOCK, &none) == 0, "setrlimit failed");
	torture_require(setrlimit(RLIMIT_FSIZE, &none) == 0, "setrlimit failed");
	torture_require(setrlimit(RLIMIT_SIGPENDING, &none) == 0, "setrlimit failed");
	work_in_threads();
	/* Its own output may go to a file, which it has forbidden itself. */
	_exit(TORTURE_STATUS);
}

static void hostile_environment(char **argv)
{
	char plain[] = "plain";
	char *argv_again[] = { argv[0], plain, argv[2], NULL };
	char *environment[] = { NULL };

	(void)clearenv();
	(void)execve("/proc/self/exe", argv_again, environment);
	_exit(TORTURE_FAILED);
}

int main(int argc, char **argv)
{
	const char *word = argc > 2 ? argv[1] : "plain";

	if (argc > 2)
		torture_begin(argc - 1, argv + 1);
	expected = torture_work(5, WORK_TURNS);
	if (strcmp(word, "descriptors") == 0)
		hostile_descriptors();
	else if (strcmp(word, "user") == 0)
		hostile_user();
	else if (strcmp(word, "chroot") == 0)
		hostile_chroot();
	else if (strcmp(word, "seccomp") == 0)
		hostile_seccomp();
	else if (strcmp(word, "memory") == 0)
		hostile_memory();
	else if (strcmp(word, "signals") == 0)
		hostile_signals();
	else if (strcmp(word, "limits") == 0)
		hostile_limits();
	else if (strcmp(word, "environment") == 0)
		hostile_environment(argv);
	else
		work_in_threads();
	printf("%s: it worked on\n", word);
	return TORTURE_STATUS;
}
