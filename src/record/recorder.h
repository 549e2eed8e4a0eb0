#ifndef TSPROF_RECORD_RECORDER_H
#define TSPROF_RECORD_RECORDER_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "os/sampler.h"
#include "record/control.h"
#include "record/marks_store.h"
#include "record/probe_calls.h"
#include "record/probe_plan.h"
#include "record/target.h"
#include "unwind/unwinder.h"

/*
 * Run a command, or attach to what runs, and write its profile: the live half
 * of tsprof, in one loop.
 *
 * The recording ends when the command itself does, or the last of the processes,
 * or its duration is over; the command is waited for then.  Children that were
 * left behind run on, unrecorded.  When writing fails (a full disk) the command
 * runs on too; what was written until then stays readable as OUT.part.
 *
 * SIGINT, SIGQUIT, SIGTERM and SIGHUP are passed on to a command; without one
 * they end the recording.  SIGUSR2 pauses it and lets it go on.
 */
struct recorder_progress {
	uint64_t elapsed_ns;
	bool is_paused;
	uint64_t n_samples;
	uint64_t n_lost;
	uint64_t file_bytes;
};

struct recorder_result;

struct recorder_options {
	const char *output_path;
	const struct sampler_engine *engine;
	const char *engine_reason;
	struct sampler_options sampler;
	struct target_options target;
	struct control_options control;
	const struct unwind_backend *unwinder;
	const struct probe_plan *probes; /* whose points are in `sampler`; NULL: none */
	bool without_symbols;
	/*
	 * Marks are taken from processes attached to as well, and one of them may end the
	 * recording; where they find it is written here once samples are taken.  -1: nobody asks.
	 */
	int ready_fd;
	struct marks_store_options marks;
	uint64_t resources_hz;	    /* readings of the target's memory; 0: none */
	const regex_t *mark_output; /* lines of the command that match are milestones; or NULL */
	uint64_t max_file_bytes;    /* the oldest samples are dropped then; 0: no limit */
	/*
	 * Called once when the profile is complete under its name, while the command
	 * may still run; may be NULL.
	 */
	void (*written)(void *context, const struct profile *profile,
			const struct recorder_result *result);
	void *written_context;
	/* Called some times a second while recording; may be NULL. */
	void (*progress)(void *context, const struct recorder_progress *progress);
	void *progress_context;
};

struct recorder_result {
	int exit_status;  /* the command's, as a shell tells it; 126, 127: it did not start */
	bool has_started; /* false: nothing was written, the error says why */
	bool has_ended;	  /* the command ran to its end, so exit_status holds */
	uint64_t file_bytes;
	uint64_t dropped_until_ns; /* CLOCK_MONOTONIC: nothing is kept from before; 0: all is */
	size_t n_children_left;	   /* of processes attached to: not sampled, as they ran already */
	bool was_never_sampling;   /* paused from the start to the end */
	uint32_t n_unreadable_modules;
	uint32_t unreadable_module;  /* id of the first of them */
	uint32_t n_limited_programs; /* that made more code than is kept; see jit_table.h */
	uint64_t n_cut_in_made_code; /* stacks: it keeps no frame pointers */
	bool has_hidden_kernel;	     /* kernel frames have no names: kernel.kptr_restrict */
	size_t n_other_versions;     /* programs that mark with another version of the library */
	char *remark;		     /* what limits the engine, to be freed; NULL: nothing */
	char *statement;	     /* what the unwinder has to say, to be freed; NULL: nothing */
	struct probe_summary probes; /* borrows from the plan */
	struct sampler_facts sampler;
};

/*
 * `profile` is empty and initialised; it becomes what the file holds, except
 * for the samples, which are in the file only.  `result` is filled as far as
 * things went, also on errors.
 */
int recorder_run(struct profile *profile, struct recorder_result *result,
		 const struct recorder_options *options, struct error *err);

#endif
