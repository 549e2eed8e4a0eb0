#ifndef TSPROF_OS_PROC_TASKS_H
#define TSPROF_OS_PROC_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which processes and threads there are, by /proc. */

struct proc_task {
	uint32_t pid; /* of its process; another than its own for a thread */
	uint32_t parent_pid;
	char state;	/* 'R', 'S', 'Z', … */
	bool is_kernel; /* a kernel thread: no memory of its own */
};

/* -ENOENT when there is none of that number. */
int proc_tasks_read(struct proc_task *ret_task, uint32_t tid);

/*
 * Call `visit` for each thread of a process, or for each process.  It returns 0
 * to go on or a negative errno, which is returned.  What starts or ends
 * meanwhile may be in the list or not.
 */
int proc_tasks_visit_threads(uint32_t pid, int (*visit)(void *context, uint32_t tid),
			     void *context);
int proc_tasks_visit_processes(int (*visit)(void *context, uint32_t pid), void *context);

/* A thread's comm, at most 15 characters.  Returns 0 or a negative errno. */
int proc_tasks_read_comm(char ret_comm[16], uint32_t pid, uint32_t tid);

/*
 * The kernel function that a thread waits in, "" when it runs or that is not
 * told.  Returns 0 or a negative errno.
 */
enum { PROC_TASKS_FUNCTION_BYTES = 128 };
int proc_tasks_read_wait(char ret_function[PROC_TASKS_FUNCTION_BYTES], uint32_t pid, uint32_t tid);

/* A thread's number in the pid namespace that it lives in.  Returns 0 or a negative errno. */
int proc_tasks_read_inner_tid(uint32_t *ret_tid, uint32_t pid, uint32_t tid);

#endif
