#ifndef TSPROF_TESTS_UNIT_UNIT_PROFILE_H
#define TSPROF_TESTS_UNIT_UNIT_PROFILE_H

#include <stdint.h>

#include "model/profile.h"
#include "tree/calltree.h"

/*
 * Profiles written down as folded stacks.  Each frame is a name in a module;
 * "name@module" puts it elsewhere than in "app", and then a flag letter may
 * follow: "name@module!k" (k kernel, i inlined, j JIT, u unresolved, p pseudo).
 * A sample weighs a millisecond.
 */
struct unit_stack {
	const char *frames; /* outermost first, separated by ';' */
	uint32_t n_ticks;
};

/* Aborts the test when memory is short. */
void unit_profile_init(struct profile *profile, const struct unit_stack *stacks, size_t n_stacks);

/* One more stack; NAMES as above. */
void unit_profile_add(struct profile *profile, const char *frames, uint32_t n_ticks);

/* The tree of it all without process names, sorted. */
void unit_profile_tree(struct calltree *tree, const struct profile *profile);

#endif
