#ifndef TSPROF_TESTS_UNIT_PROFILE_BYTES_H
#define TSPROF_TESTS_UNIT_PROFILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/profile.h"

/* A made-up profile of any size, the same for the same seed.  Needs profile_release. */
struct profile_shape {
	uint64_t seed;
	size_t n_modules, n_threads, n_locations, n_samples;
	size_t n_waits; /* of the samples, the last */
	unsigned int depth;
};

void profile_bytes_make(struct profile *profile, const struct profile_shape *shape);

/* The next number of a small generator (splitmix64). */
uint64_t profile_bytes_random(uint64_t *state);

/*
 * Write the profile through a profile_writer, in `n_flushes` parts, and hand
 * back the bytes of the file; samples are moved out of the profile and back.
 */
void profile_bytes_write(struct buffer *out, struct profile *profile, size_t n_flushes);

/* Fail the test unless both say the same. */
void profile_bytes_assert_equal(const struct profile *a, const struct profile *b);

#endif
