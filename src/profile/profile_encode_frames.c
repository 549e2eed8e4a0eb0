/*
 * The FRAM chunks.  A function, its file and its flags come again at many
 * locations; each such triple is an entry, written out once and referred to by
 * number afterwards, and lines are told as steps within their entry.
 */
#include <stdlib.h>

#include "base/array.h"
#include "profile/profile_encode.h"

struct frame_entry {
	uint32_t function;
	uint32_t file;
	uint32_t last_line;
	uint8_t flags;
};

struct frame_entries {
	struct frame_entry *entries;
	size_t n_entries;
	size_t capacity;
	struct hash_index index;
	uint32_t last_function;
};

static struct frame_entry *frame_entries_find(struct frame_entries *table, uint64_t hash,
					      const struct frame *frame)
{
	struct hash_cursor cursor = hash_index_cursor(&table->index, hash);
	uint32_t at;

	while ((at = hash_index_next(&table->index, &cursor)) != HASH_INDEX_NONE) {
		struct frame_entry *entry = &table->entries[at];

		if (entry->function == frame->function && entry->file == frame->file &&
		    entry->flags == frame->flags)
			return entry;
	}
	return NULL;
}

static struct frame_entry *frame_entries_add(struct frame_entries *table, uint64_t hash,
					     const struct frame *frame)
{
	struct frame_entry *grown = array_grown(table->entries, &table->capacity,
						table->n_entries + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	table->entries = grown;
	if (hash_index_add(&table->index, hash, (uint32_t)table->n_entries) < 0)
		return NULL;
	grown[table->n_entries] = (struct frame_entry){
		.function = frame->function,
		.file = frame->file,
		.flags = frame->flags,
	};
	return &grown[table->n_entries++];
}

static void profile_encode_frame(struct buffer *out, struct frame_entries *table,
				 const struct frame *frame)
{
	const uint64_t hash = hash_pair((uint64_t)frame->function << 8 | frame->flags, frame->file);
	struct frame_entry *entry = frame_entries_find(table, hash, frame);

	if (entry) {
		buffer_add_uleb(out, (uint64_t)(entry - table->entries) + 1);
	} else {
		entry = frame_entries_add(table, hash, frame);
		if (!entry) {
			out->is_failed = true;
			return;
		}
		buffer_add_uleb(out, 0);
		buffer_add_sleb(out, (int64_t)frame->function - (int64_t)table->last_function);
		buffer_add_uleb(out, frame->file);
		buffer_add_u8(out, frame->flags);
		table->last_function = frame->function;
	}
	buffer_add_sleb(out, (int64_t)frame->line - (int64_t)entry->last_line);
	entry->last_line = frame->line;
}

void profile_encode_frames(struct buffer *out, const struct profile *profile)
{
	enum { LOCATIONS_IN_CHUNK = 16 * 1024 };
	const struct location_table *locations = &profile->locations;
	struct frame_entries table = { 0 };
	size_t n_locations = locations->n_locations;

	while (n_locations && !locations->locations[n_locations - 1].n_frames)
		n_locations--;
	for (size_t first = 0; first < n_locations; first += LOCATIONS_IN_CHUNK) {
		const size_t left = n_locations - first;
		const size_t n = left < LOCATIONS_IN_CHUNK ? left : LOCATIONS_IN_CHUNK;
		const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_FRAMES);

		buffer_add_uleb(out, n);
		for (size_t i = first; i < first + n; i++) {
			const struct location *location = &locations->locations[i];

			buffer_add_uleb(out, location->n_frames);
			for (size_t k = 0; k < location->n_frames; k++)
				profile_encode_frame(out, &table,
						     &profile->frames[location->first_frame + k]);
		}
		profile_encode_chunk_end(out, chunk_at);
	}
	free(table.entries);
	hash_index_release(&table.index);
}
