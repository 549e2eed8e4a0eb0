#ifndef TSPROF_TESTS_UNIT_UNIT_MARKS_H
#define TSPROF_TESTS_UNIT_UNIT_MARKS_H

#include <stdint.h>

#include "model/profile.h"

/* Marks for the profiles of unit_profile.h; everything aborts the test when memory is short. */

/* A milestone of a run that began at info.start_ns, set by no thread. */
void unit_marks_add_milestone(struct profile *profile, uint32_t run, uint64_t since_ns,
			      const char *name);

/* "loaded@10 ready@20": those of run 0. */
void unit_marks_add_milestones(struct profile *profile, const char *text);

/* The node of "outer/inner", each a name or "name:category". */
uint32_t unit_marks_add_scope(struct profile *profile, const char *path);

#endif
