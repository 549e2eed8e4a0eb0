#ifndef TSPROF_PROFILE_PROFILE_DECODE_H
#define TSPROF_PROFILE_PROFILE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "model/profile.h"
#include "profile/marks_format.h"
#include "profile/profile_format.h"

/* A function, file and flags that FRAM chunks refer to by number. */
struct profile_frame_entry {
	uint32_t function;
	uint32_t file;
	uint32_t last_line;
	uint8_t flags;
};

enum {
	PROFILE_SCOPE_SUMS = 9,

	/* Histograms are small in a file; 2 GiB of memory is what they may become. */
	PROFILE_BUCKETS_MAX = 1 << 28,
};

/* What is carried from chunk to chunk while a file is read. */
struct profile_decoder {
	struct profile *profile; /* borrowed, being filled */
	bool is_newer;		 /* the file's minor version is newer than ours */
	bool has_end;
	uint64_t sampled_ns; /* so far, as n_ticks; kept below 2^63 */
	uint64_t n_ticks;
	uint64_t n_waits; /* of the profile's samples so far */
	uint16_t *depths; /* by stack node */
	size_t depths_capacity;
	struct profile_frame_entry *entries;
	size_t n_entries, entries_capacity;
	uint32_t last_function;
	size_t n_framed;	/* locations whose frames were read */
	uint16_t *scope_depths; /* by scope node */
	size_t scope_depths_capacity;
	uint64_t scope_sums[PROFILE_SCOPE_SUMS]; /* of all nodes, each kept below 2^63 */
	uint64_t n_buckets;			 /* of all histograms */
};

void profile_decoder_release(struct profile_decoder *decoder);

/*
 * Take one payload in.  Every number is checked against what it refers to, so
 * that nothing in the profile points outside of it.  -EINVAL says in words what
 * is wrong, without the chunk's name; -ENOMEM as usual.  A chunk of a type that
 * is not known is skipped when the file is newer and refused otherwise.
 */
int profile_decode_chunk(struct profile_decoder *decoder, uint32_t type, struct bytes payload,
			 struct error *err);

/* The part of it that is about FRAM, in a file of its own. */
int profile_decode_frames(struct profile_decoder *decoder, struct bytes *payload,
			  struct error *err);

/* The part of it that is about WAIT. */
int profile_decode_waits(struct profile_decoder *decoder, struct bytes *payload, struct error *err);

/*
 * What SAMP, WAIT, MILE, COUN and SNAP may end with: the scopes of their entries.  Where
 * `n_changes` is 0 from the beginning, all are outside of scopes.
 */
struct profile_scope_list {
	struct bytes *payload; /* borrowed */
	struct profile_scope_memory memory;
	uint64_t n_same, n_changes;
};

void profile_scope_list_init(struct profile_scope_list *list, struct bytes *payload);

/* That of the next entry, of so many nodes.  -EINVAL as below. */
int profile_scope_list_next(struct profile_scope_list *list, uint32_t thread, size_t n_nodes,
			    uint32_t *ret_scope, struct error *err);

/* -EINVAL where it is longer than the entries. */
int profile_scope_list_end(const struct profile_scope_list *list, struct error *err);

/* Of the samples from `first` on. */
int profile_decode_sample_scopes(struct profile_decoder *decoder, struct bytes *payload,
				 size_t first, struct error *err);

/* Those about marks, in two files: what was marked, and what is known of scopes. */
int profile_decode_sites(struct profile_decoder *decoder, struct bytes *payload, struct error *err);
int profile_decode_milestones(struct profile_decoder *decoder, struct bytes *payload,
			      struct error *err);
int profile_decode_counters(struct profile_decoder *decoder, struct bytes *payload,
			    struct error *err);
int profile_decode_snapshots(struct profile_decoder *decoder, struct bytes *payload,
			     struct error *err);
int profile_decode_resources(struct profile_decoder *decoder, struct bytes *payload,
			     struct error *err);
int profile_decode_scopes(struct profile_decoder *decoder, struct bytes *payload,
			  struct error *err);
int profile_decode_calls(struct profile_decoder *decoder, struct bytes *payload, struct error *err);
int profile_decode_statistics(struct profile_decoder *decoder, struct bytes *payload,
			      struct error *err);
int profile_decode_marks_quality(struct profile_decoder *decoder, struct bytes *payload,
				 struct error *err);

/* A thread of a mark, which may be MARK_NO_THREAD; a double, which must be finite. */
int profile_decode_mark_thread(struct profile_decoder *decoder, struct bytes *payload,
			       uint32_t *ret_thread, struct error *err);
int profile_decode_f64(struct bytes *payload, double *ret_value, struct error *err);

/* Does the list begin anew?  -EINVAL when it is neither. */
int profile_decode_anew(struct bytes *payload, bool *ret_is_anew, struct error *err);

/* Weight and ticks of one more sample, added to the sums if they stay below 2^63. */
int profile_decode_sums(struct profile_decoder *decoder, uint64_t weight_ns, uint64_t count,
			struct error *err);

/* Those about what ran, in a file of their own too. */
int profile_decode_info(struct profile_decoder *decoder, struct bytes *payload, struct error *err);
int profile_decode_runs(struct profile_decoder *decoder, struct bytes *payload, struct error *err);
int profile_decode_threads(struct profile_decoder *decoder, struct bytes *payload,
			   struct error *err);

/* A uleb of 32 bits; a string's id, which must be known. */
int profile_decode_u32(struct bytes *payload, uint32_t *ret_value, const char *what,
		       struct error *err);
int profile_decode_string_id(struct profile_decoder *decoder, struct bytes *payload,
			     uint32_t *ret_id, struct error *err);

/* A uleb that must be less than `limit`; what it counts is for the message. */
int profile_decode_index(struct bytes *payload, uint32_t *ret_index, uint64_t limit,
			 const char *what, struct error *err);

#endif
