#ifndef TSPROF_TREE_MOMENTS_H
#define TSPROF_TREE_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/profile.h"

/* A milestone by its time in its run. */
struct moment {
	uint64_t since_ns; /* since the start of the run; 0 for what came before it */
	uint32_t name;	   /* string id in the profile; never 0 */
	uint32_t run;
	uint32_t arrival; /* settles the order of those of one time */
};

/* The milestones of a profile, run by run and in order of time. */
struct moments {
	const struct profile *profile; /* borrowed */
	struct moment *items;
	size_t n_items;
	size_t *first; /* by run, and one more: where its moments begin */
	size_t n_runs; /* 1 for a profile that was not merged */
};

/* Returns 0 or -ENOMEM. */
int moments_init(struct moments *moments, const struct profile *profile);
void moments_release(struct moments *moments);

/* The name's id, 0 when no milestone has it. */
uint32_t moments_find_name(const struct moments *moments, const char *name);

/*
 * The `nth` one of the name (from 1) of those from `at` on, before `end`; `end` when
 * there is none.
 */
size_t moments_find(const struct moments *moments, size_t at, size_t end, uint32_t name,
		    uint64_t nth);

/*
 * "no milestone is called 'laoded' (did you mean loaded?); there are start,
 * loaded, ready and end", or how to get any; -EINVAL.
 */
int moments_fail_unknown(const struct moments *moments, const char *name, struct error *err);

#endif
