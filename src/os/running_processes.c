/* A pidfd each, and an epoll descriptor over them. */
#include "os/running_processes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/proc_tasks.h"

static int open_pidfd(pid_t pid)
{
	const long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

static int count_thread(void *context, uint32_t tid)
{
	(void)tid;
	++*(size_t *)context;
	return 0;
}

/* The main thread of a process can end before the others. */
static bool is_zombie(const struct proc_task *task)
{
	size_t n_threads = 0;

	if (task->state != 'Z' && task->state != 'X')
		return false;
	(void)proc_tasks_visit_threads(task->pid, count_thread, &n_threads);
	return n_threads <= 1;
}

static bool has_process(const struct running_processes *processes, pid_t pid)
{
	for (size_t i = 0; i < processes->n_processes; i++)
		if (processes->pids[i] == pid)
			return true;
	return false;
}

static int add_process(struct running_processes *processes, pid_t pid, struct error *err)
{
	struct proc_task task;
	struct epoll_event interest = { .events = EPOLLIN, .data.u64 = processes->n_processes };
	int r = proc_tasks_read(&task, (uint32_t)pid);
	int fd;

	if (r < 0)
		return error_set(err, -ESRCH, "there is no process %ld", (long)pid);
	if (has_process(processes, (pid_t)task.pid))
		return 0;
	fd = open_pidfd((pid_t)task.pid);
	if (fd == -ENOSYS)
		return error_set(err, fd, "attaching to a process needs Linux 5.3 (pidfd_open)");
	if (fd < 0 && fd != -ESRCH)
		return error_set_errno(err, fd, "process %ld", (long)pid);
	/* Only now: the number cannot change hands any more. */
	if (fd < 0 || proc_tasks_read(&task, (uint32_t)pid) < 0) {
		r = error_set(err, -ESRCH, "process %ld has ended", (long)pid);
	} else if (is_zombie(&task)) {
		r = error_set(err, -ESRCH,
			      "process %ld has ended already (it is a zombie, waiting for its "
			      "parent)",
			      (long)pid);
	} else if (epoll_ctl(processes->fd, EPOLL_CTL_ADD, fd, &interest) < 0) {
		r = error_set_errno(err, -errno, "epoll_ctl");
	}
	if (r < 0) {
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	processes->pids[processes->n_processes] = (pid_t)task.pid;
	processes->fds[processes->n_processes++] = fd;
	processes->n_running++;
	return 0;
}

int running_processes_open(struct running_processes *processes, const pid_t *pids, size_t n_pids,
			   struct error *err)
{
	int r = 0;

	*processes = RUNNING_PROCESSES_INIT;
	processes->pids = calloc(n_pids ? n_pids : 1, sizeof(*processes->pids));
	processes->fds = calloc(n_pids ? n_pids : 1, sizeof(*processes->fds));
	if (!processes->pids || !processes->fds) {
		r = error_set_no_memory(err);
		goto out;
	}
	processes->fd = epoll_create1(EPOLL_CLOEXEC);
	if (processes->fd < 0)
		r = error_set_errno(err, -errno, "epoll_create1");
	for (size_t i = 0; r == 0 && i < n_pids; i++)
		r = add_process(processes, pids[i], err);
out:
	if (r < 0)
		running_processes_close(processes);
	return r;
}

void running_processes_close(struct running_processes *processes)
{
	for (size_t i = 0; i < processes->n_processes; i++)
		if (processes->fds[i] >= 0)
			(void)close(processes->fds[i]);
	if (processes->fd >= 0)
		(void)close(processes->fd);
	free(processes->pids);
	free(processes->fds);
	*processes = RUNNING_PROCESSES_INIT;
}

size_t running_processes_count(struct running_processes *processes)
{
	struct epoll_event ended;

	while (processes->fd >= 0 && epoll_wait(processes->fd, &ended, 1, 0) == 1) {
		int *const fd = &processes->fds[ended.data.u64];

		(void)close(*fd);
		*fd = -1;
		processes->n_running--;
	}
	return processes->n_running;
}
