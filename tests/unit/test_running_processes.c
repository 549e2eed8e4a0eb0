/* Processes by their numbers: those that run, those that have ended, those that never were. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/proc_tasks.h"
#include "os/running_processes.h"

/* A child that lives until it is ended. */
static pid_t start_child(void)
{
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pid == 0)
		(void)pause();
	return pid;
}

/* It is a zombie then, until it is waited for. */
static void end_child(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void reap_child(pid_t pid)
{
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void running_processes__counts_those_that_run(void **state)
{
	const pid_t first = start_child();
	const pid_t second = start_child();
	const pid_t pids[] = { first, second };
	struct running_processes processes;
	struct pollfd fd = { .events = POLLIN };

	(void)state;
	assert_int_equal(running_processes_open(&processes, pids, 2, NULL), 0);
	assert_int_equal(running_processes_count(&processes), 2);
	fd.fd = processes.fd;
	assert_int_equal(poll(&fd, 1, 0), 0);
	end_child(first);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_int_equal(running_processes_count(&processes), 1);
	assert_int_equal(poll(&fd, 1, 0), 0);
	end_child(second);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_int_equal(running_processes_count(&processes), 0);
	running_processes_close(&processes);
	reap_child(first);
	reap_child(second);
}

static void running_processes__takes_each_once(void **state)
{
	const pid_t child = start_child();
	const pid_t pids[] = { child, getpid(), child };
	struct running_processes processes;

	(void)state;
	assert_int_equal(running_processes_open(&processes, pids, 3, NULL), 0);
	assert_int_equal(processes.n_processes, 2);
	assert_int_equal(running_processes_count(&processes), 2);
	running_processes_close(&processes);
	end_child(child);
	reap_child(child);
}

static void running_processes__refuses_zombies_and_the_dead(void **state)
{
	const pid_t child = start_child();
	struct running_processes processes;
	struct error err = ERROR_INIT;

	(void)state;
	end_child(child);
	assert_int_equal(running_processes_open(&processes, &child, 1, &err), -ESRCH);
	assert_non_null(strstr(err.message, "zombie"));
	reap_child(child);
	assert_int_equal(running_processes_open(&processes, &child, 1, &err), -ESRCH);
	assert_non_null(strstr(err.message, "there is no process"));
	running_processes_close(&processes);
}

static void proc_tasks__knows_us(void **state)
{
	struct proc_task task;
	char comm[16];

	(void)state;
	assert_int_equal(proc_tasks_read(&task, (uint32_t)getpid()), 0);
	assert_int_equal(task.pid, getpid());
	assert_int_equal(task.parent_pid, getppid());
	assert_int_equal(task.state, 'R');
	assert_false(task.is_kernel);
	assert_int_equal(proc_tasks_read_comm(comm, (uint32_t)getpid(), (uint32_t)getpid()), 0);
	assert_int_equal(strncmp(comm, "test_running_processes", strlen(comm)), 0);
	assert_int_equal(proc_tasks_read(&task, UINT32_MAX), -ENOENT);
}

static int note_own(void *context, uint32_t number)
{
	*(int *)context += number == (uint32_t)getpid();
	return 0;
}

static int stop_at_once(void *context, uint32_t number)
{
	(void)number;
	++*(int *)context;
	return -ECANCELED;
}

static void proc_tasks__lists_processes_and_threads(void **state)
{
	int n_found = 0;

	(void)state;
	assert_int_equal(proc_tasks_visit_processes(note_own, &n_found), 0);
	assert_int_equal(n_found, 1);
	assert_int_equal(proc_tasks_visit_threads((uint32_t)getpid(), note_own, &n_found), 0);
	assert_int_equal(n_found, 2);
	n_found = 0;
	assert_int_equal(proc_tasks_visit_processes(stop_at_once, &n_found), -ECANCELED);
	assert_int_equal(n_found, 1);
	assert_int_equal(proc_tasks_visit_threads(UINT32_MAX, note_own, &n_found), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_processes__counts_those_that_run),
		cmocka_unit_test(running_processes__takes_each_once),
		cmocka_unit_test(running_processes__refuses_zombies_and_the_dead),
		cmocka_unit_test(proc_tasks__knows_us),
		cmocka_unit_test(proc_tasks__lists_processes_and_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
