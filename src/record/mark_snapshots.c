/* Each is in two lists, of all and of its name, both in order of arrival. */
#include "record/mark_snapshots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct kept_snapshot {
	struct kept_snapshot *next, *previous; /* of all */
	struct kept_snapshot *next_of_name;
	uint32_t name; /* index into names */
	struct snapshot snapshot;
	uint8_t bytes[];
};

void mark_snapshots_init(struct mark_snapshots *snapshots, struct profile *profile,
			 uint64_t n_of_a_name)
{
	*snapshots = (struct mark_snapshots){ .profile = profile, .n_of_a_name = n_of_a_name };
}

void mark_snapshots_release(struct mark_snapshots *snapshots)
{
	struct kept_snapshot *next;

	for (struct kept_snapshot *kept = snapshots->first; kept; kept = next) {
		next = kept->next;
		free(kept);
	}
	free(snapshots->names);
	hash_index_release(&snapshots->index);
	*snapshots = (struct mark_snapshots){ 0 };
}

static int name_get(struct mark_snapshots *snapshots, uint32_t *ret_at, uint32_t site)
{
	const uint32_t name = snapshots->profile->marks.sites[site].name;
	struct hash_cursor cursor = hash_index_cursor(&snapshots->index, hash_u64(name));
	struct snapshot_name *grown;

	while ((*ret_at = hash_index_next(&snapshots->index, &cursor)) != HASH_INDEX_NONE)
		if (snapshots->names[*ret_at].name == name)
			return 0;
	grown = array_grown(snapshots->names, &snapshots->names_capacity, snapshots->n_names + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	snapshots->names = grown;
	*ret_at = (uint32_t)snapshots->n_names;
	grown[snapshots->n_names++] = (struct snapshot_name){ .name = name };
	return hash_index_add(&snapshots->index, hash_u64(name), *ret_at);
}

static uint64_t bytes_of_kept(const struct kept_snapshot *kept)
{
	return sizeof(*kept) + kept->snapshot.size_bytes;
}

/* The oldest of its name, which is also the oldest of that name in the list of all. */
static void drop_first(struct mark_snapshots *snapshots, struct snapshot_name *name)
{
	struct kept_snapshot *kept = name->first;

	name->first = kept->next_of_name;
	if (!name->first)
		name->last = NULL;
	name->n_snapshots--;
	if (kept->previous)
		kept->previous->next = kept->next;
	else
		snapshots->first = kept->next;
	if (kept->next)
		kept->next->previous = kept->previous;
	else
		snapshots->last = kept->previous;
	snapshots->n_bytes -= bytes_of_kept(kept);
	snapshots->profile->marks.quality.n_snapshots_dropped++;
	free(kept);
}

static void append(struct mark_snapshots *snapshots, struct kept_snapshot *kept)
{
	struct snapshot_name *name = &snapshots->names[kept->name];

	kept->previous = snapshots->last;
	if (snapshots->last)
		snapshots->last->next = kept;
	else
		snapshots->first = kept;
	snapshots->last = kept;
	if (name->last)
		name->last->next_of_name = kept;
	else
		name->first = kept;
	name->last = kept;
	name->n_snapshots++;
	snapshots->n_bytes += bytes_of_kept(kept);
}

int mark_snapshots_add(struct mark_snapshots *snapshots, const struct snapshot *snapshot,
		       const void *bytes)
{
	struct kept_snapshot *kept = malloc(sizeof(*kept) + snapshot->size_bytes);
	uint32_t name;

	if (!kept || name_get(snapshots, &name, snapshot->site) < 0) {
		free(kept);
		return -ENOMEM;
	}
	*kept = (struct kept_snapshot){ .name = name, .snapshot = *snapshot };
	if (snapshot->size_bytes)
		memcpy(kept->bytes, bytes, snapshot->size_bytes);
	append(snapshots, kept);
	while (snapshots->names[name].n_snapshots > snapshots->n_of_a_name)
		drop_first(snapshots, &snapshots->names[name]);
	while (snapshots->n_bytes > MARK_SNAPSHOTS_MAX_BYTES)
		drop_first(snapshots, &snapshots->names[snapshots->first->name]);
	return 0;
}

int mark_snapshots_finish(struct mark_snapshots *snapshots)
{
	int r = 0;

	for (const struct kept_snapshot *kept = snapshots->first; r == 0 && kept; kept = kept->next)
		r = marks_add_snapshot(&snapshots->profile->marks, &kept->snapshot, kept->bytes);
	return r;
}
