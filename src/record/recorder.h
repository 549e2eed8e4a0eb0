#ifndef TSPROF_RECORD_RECORDER_H
#define TSPROF_RECORD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "os/sampler.h"
#include "unwind/unwinder.h"

/*
 * Run a command and write its profile: the live half of tsprof, in one loop.
 *
 * The recording ends when the command itself does.  Children that it left
 * behind run on, unrecorded.  When writing fails (a full disk) the command runs
 * on too; what was written until then stays readable as OUT.part.
 */
struct recorder_progress {
	uint64_t elapsed_ns;
	uint64_t n_samples;
	uint64_t n_lost;
	uint64_t file_bytes;
};

struct recorder_options {
	const char *output_path;
	const struct sampler_engine *engine;
	const struct perf_event_kind *event;
	uint64_t rate_hz;
	uint64_t stack_bytes; /* of each dump; 0: as much as fits */
	const struct unwind_backend *unwinder;
	bool without_symbols;
	char *const *argv; /* the command, ended by NULL */
	/* Called some times a second while recording; may be NULL. */
	void (*progress)(void *context, const struct recorder_progress *progress);
	void *progress_context;
};

struct recorder_result {
	int exit_status;  /* the command's, as a shell tells it; 126, 127: it did not start */
	bool has_started; /* false: nothing was written, the error says why */
	bool has_ended;	  /* the command ran to its end, so exit_status holds */
	uint64_t file_bytes;
	uint32_t n_unreadable_modules;
	char *statement; /* what the unwinder has to say, to be freed; NULL: nothing */
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
