#ifndef TSPROF_PROFILE_MARKS_WRITER_H
#define TSPROF_PROFILE_MARKS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/marks.h"
#include "profile/profile_encode.h"

/*
 * How much of the marks is in a growing file, and the chunks of what is not.
 *
 * What only grows is appended.  Lists that were rearranged, statistics and
 * quality are a matter of `marks_writer_add_status`, which leaves out what has not
 * changed since it was written; resources come in every few seconds, and wait
 * until a chunk of them is worth its header.
 */
struct marks_writer {
	uint64_t *statistics; /* of each node: a hash of what was written; 0: nothing was */
	size_t statistics_capacity;
	uint64_t quality; /* the same of the quality of marks */
	uint32_t n_calls_rearranged, n_counters_rearranged;
	uint32_t n_snapshots_rearranged, n_resources_rearranged;
	uint64_t status_ns;  /* CLOCK_MONOTONIC, when status was last written */
	size_t status_bytes; /* what that took */
	bool has_lost_calls; /* of those that were written and forgotten here */
};

void marks_writer_release(struct marks_writer *writer);

/* The file is written anew: nothing is in it. */
void marks_writer_restart(struct marks_writer *writer);

/* What samples refer to; then what refers to what else there is.  `written` is kept up to date. */
void marks_writer_add_tables(struct buffer *out, const struct marks *marks,
			     struct profile_counts *written);
void marks_writer_add_lists(struct marks_writer *writer, struct buffer *out, struct marks *marks,
			    struct profile_counts *written);

/* Returns 0 or -ENOMEM. */
int marks_writer_add_status(struct marks_writer *writer, struct buffer *out,
			    const struct marks *marks, struct profile_counts *written);

/* Is it time for that?  Sets the time when asked for the first time. */
bool marks_writer_is_status_due(struct marks_writer *writer, uint64_t now_ns);

#endif
