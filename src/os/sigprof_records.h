#ifndef TSPROF_OS_SIGPROF_RECORDS_H
#define TSPROF_OS_SIGPROF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/record_queue.h"
#include "os/sampler_record.h"
#include "os/sigprof_sessions.h"

/*
 * What the records of the shared memory mean for the processes that wrote them:
 * threads get their numbers, samples the CPU time since the sample before, and code
 * that nobody told of is looked up in /proc.
 */
struct sigprof_records {
	struct sigprof_sessions *sessions; /* borrowed */
	struct record_queue queue;	   /* what goes before the record that was taken */
	uint8_t *bytes;			   /* of that record: SIGPROF_RECORD_MAX_BYTES */
	uint64_t period_ns;
	uint64_t now_ns;
	uint64_t counted_ns; /* CPU time of all threads, as they told it */
	bool with_waits;
	struct sigprof_session *sampled; /* of the sample that was taken last; NULL: it was none */
	uint64_t sampled_ns;
	uint64_t n_bad;
	uint64_t n_samples;
	uint64_t n_coarse;  /* of them: by a timer that the kernel's tick limits */
	uint64_t coarse_ns; /* the time that those stand for */
};

/* Take the record that source->next is the header of; it borrows from `bytes`. */
void sigprof_records_take(struct sigprof_records *records, struct sigprof_source *source,
			  struct sampler_record *record);

/*
 * The stack of the sample that was taken last could not be walked to its end, as code of its
 * callers may be nowhere.  What is found in /proc is queued, for the samples to come.
 */
void sigprof_records_cut(struct sigprof_records *records);

/*
 * A thread that has waited for long, and of which nothing was told so far: where
 * it does, and in `leave` that it does.  They borrow from `bytes`.  False when there
 * is nothing to tell.
 */
bool sigprof_records_look(struct sigprof_records *records, struct sigprof_source *source,
			  size_t stack_bytes, struct sampler_record *stack,
			  struct sampler_record *leave);

/* Queue a record; the end of all threads of a process, its main one last. */
void sigprof_records_queue(struct sigprof_records *records, const struct sampler_record *record);
void sigprof_records_exit(struct sigprof_records *records, struct sigprof_session *session);

#endif
