#ifndef TSPROF_RECORD_MARKS_INTAKE_H
#define TSPROF_RECORD_MARKS_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/marks_socket.h"
#include "record/mark_program.h"
#include "record/mark_reader.h"
#include "record/marks_store.h"
#include "record/process_table.h"
#include "record/requests.h"

/*
 * The marks of the library, from the programs' memory to the profile, and the
 * scope of each sample.
 *
 *	marks_intake_look(…)                  who is there, and what have they written?
 *	marks_intake_scope(…) for samples     in order of time, none older than the look
 *	marks_intake_drain(…)                 all that was written is taken, rings are free again
 *
 * The rings are read twice in a turn so that what is kept of a thread's past is little: the
 * question for a sample first takes the thread's marks up to its time.  What
 * the sampler holds back some milliseconds is answered from the thread's history.
 *
 * Without programs that mark all of this is nearly nothing.
 */
enum { MARKS_INTAKE_RING_BYTES = 16 << 20 }; /* only what is in use takes memory */

struct marks_intake {
	struct marks_store store;
	struct marks_socket socket;
	struct mark_reader reader;
	struct requests *requests; /* borrowed; the loop's to meet; NULL: there are none */
	int epoll_fd;		   /* readable when somebody says hello or ends, or it is time */
	int timer_fd;
	struct mark_program *first;
	size_t n_programs;
	size_t n_refused;	   /* that were not what they should be, or too many */
	size_t n_ended;		   /* … of the programs */
	size_t n_unsettled;	   /* rings whose threads are not known yet */
	struct mark_thread *ended; /* … threads, whose last samples may still come */
	uint64_t sampled_ns;	   /* of the last look */
	uint64_t drained_ns;
	uint64_t most_bytes;  /* that a ring had in it at the last drain … */
	uint64_t ring_bytes;  /* … of so many */
	uint64_t interval_ns; /* until the next drain; 0: whenever there is one */
	int failure;	      /* a negative errno, which the next drain returns */
	bool is_stopped;
};

#define MARKS_INTAKE_INIT                                                                          \
	((struct marks_intake){ .socket = MARKS_SOCKET_INIT, .epoll_fd = -1, .timer_fd = -1 })

/* Both are borrowed until it is released. */
int marks_intake_init(struct marks_intake *marks, struct profile *profile,
		      struct process_table *processes, const struct marks_store_options *options,
		      struct error *err);
void marks_intake_release(struct marks_intake *marks);

/* Have programs find it: "NAME=VALUE" for their environment is socket.environment. */
int marks_intake_listen(struct marks_intake *marks, struct error *err);

/*
 * A program of that process has this memory, which is taken.  Returns 0, -ENOMEM, or
 * -ENOSPC when there are too many.
 */
int marks_intake_add(struct marks_intake *marks, uint32_t pid, uint64_t session, uint64_t time_ns,
		     struct marks_memory *memory);

/*
 * See what is in the rings by now, and, if epoll_fd is readable, who has come or
 * ended.  What is older than `sampled_ns`, less some milliseconds, the sampler has told before.
 */
void marks_intake_look(struct marks_intake *marks, uint64_t sampled_ns, bool is_readable);

/* Take what the thread marked until then, for what somebody else tells of that moment. */
void marks_intake_advance(struct marks_intake *marks, struct live_thread *thread, uint64_t time_ns);

/* The node of profile.marks.scopes that the thread was in at that time; 0: none. */
uint32_t marks_intake_scope(struct marks_intake *marks, struct live_thread *thread,
			    uint64_t time_ns);

/* The process became another program at that time. */
void marks_intake_exec(struct marks_intake *marks, uint32_t pid, uint64_t time_ns);

/*
 * Take all that has been written; `is_final`: the recording is over.  Returns 0 or
 * -ENOMEM.
 */
int marks_intake_drain(struct marks_intake *marks, bool is_final);

/* Have all programs, and those to come, mark no more. */
void marks_intake_stop(struct marks_intake *marks);

#endif
