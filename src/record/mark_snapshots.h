#ifndef TSPROF_RECORD_MARK_SNAPSHOTS_H
#define TSPROF_RECORD_MARK_SNAPSHOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/profile.h"

/*
 * The youngest snapshots of each name.  Older ones are dropped and counted, and
 * so are the oldest of all beyond MARK_SNAPSHOTS_MAX_BYTES.  What is left comes
 * into profile->marks at the end, in the order in which it came here.
 */
#define MARK_SNAPSHOTS_MAX_BYTES UINT64_C(0x10000000)

struct mark_snapshots {
	struct profile *profile; /* borrowed */
	uint64_t n_of_a_name;	 /* that are kept */
	struct kept_snapshot *first, *last;
	struct snapshot_name {
		uint32_t name; /* in profile->strings */
		uint64_t n_snapshots;
		struct kept_snapshot *first, *last;
	} * names;
	size_t n_names, names_capacity;
	struct hash_index index; /* of names */
	uint64_t n_bytes;	 /* what they take in memory */
};

void mark_snapshots_init(struct mark_snapshots *snapshots, struct profile *profile,
			 uint64_t n_of_a_name);
void mark_snapshots_release(struct mark_snapshots *snapshots);

/* Copies `snapshot->size_bytes` of `bytes`.  Both return 0 or -ENOMEM. */
int mark_snapshots_add(struct mark_snapshots *snapshots, const struct snapshot *snapshot,
		       const void *bytes);
int mark_snapshots_finish(struct mark_snapshots *snapshots);

#endif
