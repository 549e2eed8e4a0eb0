#ifndef TSPROF_PROFILE_PROFILE_READER_H
#define TSPROF_PROFILE_PROFILE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"

/*
 * Read a profile file.  `profile` is initialised here and released here on
 * failure.  A file that was cut is read up to its last whole chunk, with
 * info.is_cut set; damage in the middle (a bad CRC, impossible numbers) is an
 * error that names the chunk and its offset.  After it every location has a
 * frame and every index is in range: views need not check again.
 */
int profile_read(struct profile *profile, const char *path, struct error *err);
int profile_read_bytes(struct profile *profile, const uint8_t *bytes, size_t size_bytes,
		       const char *name, struct error *err);

/* Do the bytes start like a profile file, of whatever version and however short? */
bool profile_is_profile(const uint8_t *bytes, size_t size_bytes);

#endif
