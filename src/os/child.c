/*
 * Two pipes: the child reads one byte from the first before it execs, and
 * writes the errno of a failed exec to the second, which a good exec closes.
 */
#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "os/cpu_clocks.h"

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127, EXIT_SIGNAL = 128 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* In the child, which has one thread: nothing but system calls and the environment. */
static _Noreturn void run_child(const sigset_t *mask, int start_fd, int failure_fd,
				char *const *argv, char *const *environment,
				const int output_fds[2])
{
	ssize_t n_read;
	char byte;
	int code;

	do
		n_read = read(start_fd, &byte, 1);
	while (n_read < 0 && errno == EINTR);
	if (n_read != 1)
		_exit(EXIT_NOT_EXECUTABLE);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	for (int i = 0; output_fds && i < 2; i++)
		if (output_fds[i] >= 0)
			(void)dup2(output_fds[i], STDOUT_FILENO + i);
	for (; environment && *environment; environment++)
		(void)putenv(*environment);
	(void)execvp(argv[0], argv);
	code = errno;
	(void)!write(failure_fd, &code, sizeof(code));
	_exit(EXIT_NOT_EXECUTABLE);
}

int child_prepare(struct child *child, char *const *argv, char *const *environment,
		  const int output_fds[2], const sigset_t *mask, struct error *err)
{
	int start[2] = { -1, -1 };
	int failure[2] = { -1, -1 };
	int r = 0;

	*child = CHILD_INIT;
	if (pipe2(start, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0) {
		r = error_set_errno(err, -errno, "pipe2");
		goto out;
	}
	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		r = error_set_errno(err, -errno, "fork");
		goto out;
	}
	if (child->pid == 0) {
		(void)close(start[1]);
		run_child(mask, start[0], failure[1], argv, environment, output_fds);
	}
	child->start_fd = start[1];
	child->failure_fd = failure[0];
	start[1] = failure[0] = -1;
out:
	for (int i = 0; i < 2; i++) {
		close_fd(&start[i]);
		close_fd(&failure[i]);
	}
	if (r < 0)
		child_release(child);
	return r;
}

int child_exec_status(int code)
{
	return code == -ENOENT || code == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int child_start(struct child *child, struct error *err)
{
	struct child_end end;
	ssize_t n_read;
	int code = 0;

	(void)!write(child->start_fd, "", 1);
	close_fd(&child->start_fd);
	do
		n_read = read(child->failure_fd, &code, sizeof(code));
	while (n_read < 0 && errno == EINTR);
	close_fd(&child->failure_fd);
	if (n_read != (ssize_t)sizeof(code))
		return 0;
	(void)child_reap(child, true, &end);
	if (code == ENOENT)
		return error_set(err, -code, "command not found");
	return error_set(err, -code, "%s", strerror(code));
}

void child_signal(const struct child *child, int number)
{
	if (child->pid)
		(void)kill(child->pid, number);
}

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_usec * NS_PER_US;
}

/* What it used is on its clock until somebody has waited for it. */
static bool child_is_dead(const struct child *child, uint64_t *ret_cpu_ns)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == 0)
		return false;
	(void)cpu_clocks_read_process(ret_cpu_ns, (uint32_t)child->pid);
	return true;
}

bool child_reap(struct child *child, bool is_waiting, struct child_end *ret_end)
{
	uint64_t own_cpu_ns = 0;
	struct rusage usage;
	int status;
	pid_t pid;

	if (!is_waiting && !child_is_dead(child, &own_cpu_ns))
		return false;
	do
		pid = wait4(child->pid, &status, is_waiting ? 0 : WNOHANG, &usage);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return false;
	child->pid = 0;
	*ret_end = (struct child_end){ .exit_status = EXIT_NOT_EXECUTABLE,
				       .own_cpu_ns = own_cpu_ns };
	if (pid < 0)
		return true;
	ret_end->cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
	if (WIFSIGNALED(status)) {
		ret_end->signal = WTERMSIG(status);
		ret_end->exit_status = EXIT_SIGNAL + ret_end->signal;
	} else {
		ret_end->exit_status = WEXITSTATUS(status);
	}
	return true;
}

void child_release(struct child *child)
{
	struct child_end end;

	/* Without its byte the child ends by itself. */
	close_fd(&child->start_fd);
	close_fd(&child->failure_fd);
	if (child->pid)
		(void)child_reap(child, true, &end);
}
