#ifndef TSPROF_OS_RUNNING_PROCESSES_H
#define TSPROF_OS_RUNNING_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Processes that are not tsprof's children, held by descriptors (Linux 5.3), so
 * that a number which the kernel gives away again is not taken for them.
 */
struct running_processes {
	pid_t *pids; /* each once */
	int *fds;    /* -1 once it has ended */
	size_t n_processes;
	size_t n_running;
	int fd; /* readable when one has ended; -1 when there are none */
};

#define RUNNING_PROCESSES_INIT ((struct running_processes){ .fd = -1 })

/*
 * Thread ids are taken for their processes.  -ESRCH: there is no such process,
 * or it is a zombie; the message says which.
 */
int running_processes_open(struct running_processes *processes, const pid_t *pids, size_t n_pids,
			   struct error *err);
void running_processes_close(struct running_processes *processes);

/* How many still run; does not wait. */
size_t running_processes_count(struct running_processes *processes);

#endif
