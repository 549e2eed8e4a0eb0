#ifndef TSPROF_PROFILE_SAMPLE_WINDOW_H
#define TSPROF_PROFILE_SAMPLE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/output_file.h"
#include "model/profile.h"

/*
 * Where the samples of a growing file are, so that its oldest ones can be left
 * out when it is written anew.  Chunks of samples, waits and calls refer to tables
 * by ids that stay, and to no other chunk, so they are moved as they are.
 */
enum sample_chunk_kind {
	SAMPLE_CHUNK_SAMPLES,
	SAMPLE_CHUNK_WAITS,
	SAMPLE_CHUNK_CALLS,
};

struct sample_window {
	struct sample_chunk {
		uint64_t file_offset; /* of its header */
		uint64_t n_entries;
		uint32_t size_bytes; /* with its header */
		uint8_t kind;	     /* enum sample_chunk_kind */
	} * chunks;
	size_t first; /* the oldest that is kept */
	size_t n_chunks, capacity;
	uint64_t size_bytes; /* of the kept ones */
	uint64_t n_samples, n_waits, n_calls;
	uint64_t n_calls_dropped;
	bool with_calls; /* they are in the file only; else they are written again and again */
};

void sample_window_release(struct sample_window *window);

/* Remember those among the whole chunks at `bytes`, which are at `file_offset`.  0 or -ENOMEM. */
int sample_window_note(struct sample_window *window, const char *bytes, size_t size_bytes,
		       uint64_t file_offset);

/*
 * Forget the oldest until at most `keep_bytes` are left.  `dropped` is told each
 * sample, read back from `fd`.  The profile has no samples in memory then.
 */
int sample_window_drop(struct sample_window *window, int fd, struct profile *profile,
		       uint64_t keep_bytes,
		       void (*dropped)(void *context, const struct sample *sample), void *context,
		       struct error *err);

/* Append the kept ones to another file, where they are from then on. */
int sample_window_move(struct sample_window *window, int fd, struct output_file *file,
		       struct error *err);

#endif
