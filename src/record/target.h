#ifndef TSPROF_RECORD_TARGET_H
#define TSPROF_RECORD_TARGET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/child.h"
#include "os/running_processes.h"
#include "os/sampler.h"
#include "record/intake.h"

/*
 * Whom a recording is about: a command that it starts, processes that run
 * already, or the whole system.
 */
struct target_options {
	char *const *argv; /* the command, ended by NULL; NULL: what follows */
	const pid_t *pids; /* running processes; none: the whole system */
	size_t n_pids;
	const int *output_fds; /* the command's standard output and error; see child_prepare */
};

struct target {
	struct target_options options;
	struct child child;
	struct running_processes processes;
	struct child_end end; /* of the command */
	size_t n_children; /* of running processes, that are not among them, when it was learnt */
	bool has_ended;
};

#define TARGET_INIT ((struct target){ .child = CHILD_INIT, .processes = RUNNING_PROCESSES_INIT })

/* Check that the processes are there, before anything is made for them. */
int target_open(struct target *target, const struct target_options *options, struct error *err);

/* Fork the command, with these variables and this signal mask, and open the events. */
int target_watch(struct target *target, struct sampler *sampler, char *const *environment,
		 const sigset_t *mask, struct error *err);

/*
 * Tell the intake what /proc knows of the running processes: their threads,
 * names and mappings.  After target_watch, so that nothing is missed between;
 * what the events tell besides is the same once more.
 */
int target_learn(struct target *target, struct intake *intake, struct error *err);

/* Let the command exec; the errno as child_start returns it. */
int target_start(struct target *target, struct error *err);

/* Has the command, or the last of the processes, ended?  Does not wait. */
bool target_has_ended(struct target *target);

/* Readable when a process may have ended; -1 when signals tell, or nothing does. */
int target_fd(const struct target *target);

void target_release(struct target *target);

#endif
