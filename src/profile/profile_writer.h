#ifndef TSPROF_PROFILE_PROFILE_WRITER_H
#define TSPROF_PROFILE_PROFILE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"

/*
 * Writes a profile as it grows.  The file is OUT.part until the end, and
 * readable up to its last whole chunk at any moment.
 */
struct profile_writer;

/* `profile` is borrowed for the writer's life; mode 0600. */
int profile_writer_open(struct profile_writer **ret_writer, const char *path,
			struct profile *profile, struct error *err);

/*
 * Keep the file within `max_bytes`: when it would become larger, it is written
 * anew without its oldest samples, of which `dropped` is told one by one.  Tables
 * of names and stacks are kept whole; a file that they alone fill grows on.
 */
struct profile_limit {
	uint64_t max_bytes;
	void (*dropped)(void *context, const struct sample *sample);
	void *context;
};

/* -EINVAL when the output is not a regular file. */
int profile_writer_limit(struct profile_writer *writer, const struct profile_limit *limit,
			 struct error *err);

/*
 * Flush, and drop what would not fit together with the frames that finishing
 * will add.  Does nothing without a limit.
 */
int profile_writer_fit(struct profile_writer *writer, struct error *err);

/*
 * Append everything that is new in the profile: strings, modules, locations,
 * nodes, threads, samples, marks.  Written samples are removed from profile->samples
 * (they would be the only thing that grows with time), and so are calls from
 * profile->marks.calls where marks.has_all_calls.  Statistics of scopes, the quality of marks
 * and lists that were rearranged are written every 10 s while they change, less
 * often when they are large, and at the end.
 */
int profile_writer_flush(struct profile_writer *writer, struct error *err);

/*
 * Flush, then write frames, quality and info as they are now, and give the file
 * its name.  Closes and frees the writer whatever happens; after a failure what
 * was written stays as OUT.part, which the message names.
 */
int profile_writer_finish(struct profile_writer *writer, struct error *err);

/* Close and free without finishing; OUT.part is removed when `remove_part`. */
void profile_writer_abandon(struct profile_writer *writer, bool remove_part);

/* Bytes in the file so far. */
uint64_t profile_writer_size_bytes(const struct profile_writer *writer);

#endif
