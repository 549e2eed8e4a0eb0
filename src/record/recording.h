#ifndef TSPROF_RECORD_RECORDING_H
#define TSPROF_RECORD_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/units.h"
#include "os/sampler.h"
#include "os/scheduling.h"
#include "os/signal_inbox.h"
#include "profile/profile_writer.h"
#include "record/control.h"
#include "record/intake.h"
#include "record/output_marks.h"
#include "record/marks_intake.h"
#include "record/recorder.h"
#include "record/requests.h"
#include "record/resources.h"
#include "record/stolen_time.h"
#include "record/target.h"

/*
 * A recording while it runs: recorder.c prepares it, recording_loop.c runs it,
 * recording_finish.c makes the file whole.  Nobody else sees it.
 */

/* One turn of the loop, as those that take part in it are told. */
struct recording_turn {
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	bool is_ready;	 /* the source's fd is readable */
	bool is_paused;	 /* what happened since the turn before is not wanted */
	bool is_final;	 /* the recording ends here: take all that there is */
	bool is_over; /* nothing is recorded any more: only what the target needs is to be done */
};

/*
 * What the loop attends to besides samples and marks: lines of output, the
 * memory of the target …  It is asked at every turn, before samples are taken, so that what it
 * tells is older than what they ask, and before a pause begins or ends.  Who wants to be
 * asked at times of its own has a timerfd.
 */
struct recording_source {
	int fd; /* polled for reading; -1: none */
	/* Only what makes recording impossible is an error. */
	int (*take)(void *context, const struct recording_turn *turn, struct error *err);
	void *context; /* borrowed until the recording is over */
	bool is_ready; /* the loop's */
};

enum { RECORDING_MAX_SOURCES = 8 };

struct recording {
	const struct recorder_options *options;
	struct recorder_result *result;
	struct profile *profile;
	struct signal_inbox signals;
	struct target target;
	struct control control;
	struct sampler *sampler;
	struct profile_writer *writer; /* NULL after a failure to write */
	struct intake intake;
	struct marks_intake marks;
	struct requests requests;
	struct resources resources;
	struct stolen_time stolen;
	struct scheduling scheduling; /* raised while something is recorded */
	bool has_marks;		      /* … or somebody who says hello */
	bool has_samples;	      /* so many that they should not wait */
	struct output_marks output;   /* when lines that are printed are milestones */
	struct sampler_record record;
	struct recording_source sources[RECORDING_MAX_SOURCES];
	size_t n_sources;
	uint64_t taken_ns; /* when samples were, last */
	uint64_t flushed_ns;
	uint64_t progressed_ns;
	uint64_t own_cpu_ns; /* at the start */
	uint64_t counted_ns; /* CPU time of the target, at the end */
	uint32_t only_pid;   /* of the command or the one process attached to; else 0 */
	bool is_failed;	     /* nothing more can be recorded */
	bool is_stopped;     /* by a signal */
};

static inline uint64_t recording_clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* While preparing: have the loop attend to it. */
void recording_add_source(struct recording *recording, const struct recording_source *source);

/* Take in what comes until the command ends or somebody says so. */
int recording_loop(struct recording *recording, struct error *err);

/* Its profile is written, the command goes on; nothing of ours stays with it. */
void recording_wait_for_command(struct recording *recording);

/* Names and quality: the profile under its own name. */
int recording_finish_file(struct recording *recording, struct error *err);

#endif
