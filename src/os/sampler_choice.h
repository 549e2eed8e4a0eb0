#ifndef TSPROF_OS_SAMPLER_CHOICE_H
#define TSPROF_OS_SAMPLER_CHOICE_H

#include <stdbool.h>

#include "base/error.h"
#include "os/sampler.h"

/* Which engine takes the samples. */

/* All engines, the best first, ended by NULL. */
extern const struct sampler_engine *const sampler_engines[];

struct sampler_choice {
	const struct sampler_engine *engine;
	const struct perf_event_kind *event; /* the one asked for, or cpu-clock */
	char reason[1000];		     /* why this one; one line */
	bool is_fallback; /* a better one is not permitted or not there, as the reason says */
};

/*
 * By name, or the first that is permitted for "auto".  An event of the processor
 * that cannot be had is replaced by cpu-clock, unless it is required.  The error
 * is the first engine's reason.
 */
int sampler_choose(struct sampler_choice *ret_choice, const char *name,
		   const struct sampler_options *options, struct error *err);

#endif
