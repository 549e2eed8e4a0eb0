#ifndef TSPROF_PROFILE_PROFILE_ENCODE_H
#define TSPROF_PROFILE_PROFILE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "model/profile.h"
#include "profile/profile_format.h"

/*
 * From a profile to the bytes of chunks: no files, no state but what frames
 * need.  Every function appends to `out`; lack of memory stays in its flag.
 */

void profile_encode_header(struct buffer *out);

/* Starts a chunk and returns where; `profile_encode_chunk_end` fills in size and CRCs. */
size_t profile_encode_chunk_begin(struct buffer *out, enum profile_chunk_type type);
void profile_encode_chunk_end(struct buffer *out, size_t chunk_at);

/* Size and CRCs of a chunk in memory whose type and payload are in place. */
void profile_encode_chunk_seal(char *chunk, uint32_t payload_bytes);

/* Whole chunks, as many as it takes, for the entries from `first` on. */
void profile_encode_strings(struct buffer *out, const struct interner *strings, size_t first);
void profile_encode_locations(struct buffer *out, const struct location_table *locations,
			      size_t n_modules, size_t first);
void profile_encode_nodes(struct buffer *out, const struct stack_trie *stacks, size_t first);

/* Of `samples` those that are not waits, and those that are. */
void profile_encode_samples(struct buffer *out, const struct sample *samples, size_t n_samples);
void profile_encode_waits(struct buffer *out, const struct sample *samples, size_t n_samples);

/* One entry of a MODU or THRD chunk. */
void profile_encode_module(struct buffer *out, uint32_t id, const struct module *module);
void profile_encode_thread(struct buffer *out, uint32_t id, const struct thread *thread);

/* What a THRD chunk has of each of its entries behind all of them. */
void profile_encode_thread_origin(struct buffer *out, const struct thread *thread);

/* One chunk; nothing when there are none. */
void profile_encode_runs(struct buffer *out, const struct profile_info *runs, size_t n_runs);

void profile_encode_frames(struct buffer *out, const struct profile *profile);

/* What SAMP and WAIT end with: nothing when no sample is in a scope. */
void profile_encode_sample_scopes(struct buffer *out, const struct sample *samples,
				  const struct sample *end, bool is_wait);

/* In a file of their own: what the marks have from `first` on. */
void profile_encode_sites(struct buffer *out, const struct marks *marks, size_t first);
void profile_encode_scopes(struct buffer *out, const struct marks *marks, size_t first);
void profile_encode_milestones(struct buffer *out, const struct marks *marks, size_t first);

/* … of lists that may be told anew, which takes a chunk even when nothing is left. */
void profile_encode_calls(struct buffer *out, const struct marks *marks, size_t first,
			  bool is_anew);
void profile_encode_counters(struct buffer *out, const struct marks *marks, size_t first,
			     bool is_anew);
void profile_encode_snapshots(struct buffer *out, const struct marks *marks, size_t first,
			      bool is_anew);
void profile_encode_resources(struct buffer *out, const struct marks *marks, size_t first,
			      bool is_anew);

/* The payload of a STAT chunk behind its n: one node. */
void profile_encode_statistics(struct buffer *out, uint32_t id, const struct scope_node *node);
void profile_encode_marks_quality(struct buffer *out, const struct marks *marks,
				  bool has_all_calls);

void profile_encode_quality(struct buffer *out, const struct quality *quality);
void profile_encode_info(struct buffer *out, const struct profile_info *info);

/* The counts are of everything written, module 0 and string 0 included. */
struct profile_counts {
	uint64_t n_strings, n_modules, n_threads, n_locations, n_nodes, n_samples, n_waits, n_runs;
	/* Of marks; told when there are any. */
	uint64_t n_sites, n_milestones, n_scopes, n_calls, n_counters, n_snapshots, n_resources;
};

void profile_encode_end(struct buffer *out, const struct profile_counts *counts);

#endif
