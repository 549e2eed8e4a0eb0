#ifndef TSPROF_TESTS_UNIT_PROFILE_MARKS_H
#define TSPROF_TESTS_UNIT_PROFILE_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

/*
 * Gives a made-up profile marks of each sort, `n` of each list, and its samples
 * scopes, the same for the same seed.
 */
void profile_marks_make(struct profile *profile, uint64_t seed, size_t n);

/* Fail the test unless the marks of both say the same, and their samples' scopes. */
void profile_marks_assert_equal(const struct profile *a, const struct profile *b);

#endif
