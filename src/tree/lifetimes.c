/* Threads find their row by the text of their label, which is what made the row. */
#include "tree/lifetimes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"

static int index_rows(struct hash_index *index, const struct frame_table *table)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const char *const name = frame_row_name(table, &table->rows[i]);

		if (hash_index_add(index, hash_bytes(name, strlen(name)), (uint32_t)i) < 0)
			return -ENOMEM;
	}
	return 0;
}

static struct lifetime *find_row(const struct lifetimes *lifetimes, const struct hash_index *index,
				 const struct frame_table *table, const struct buffer *name)
{
	struct hash_cursor cursor = hash_index_cursor(index,
						      hash_bytes(buffer_string(name), name->size));
	uint32_t at;

	while ((at = hash_index_next(index, &cursor)) != HASH_INDEX_NONE)
		if (strcmp(frame_row_name(table, &table->rows[at]), buffer_string(name)) == 0)
			return &lifetimes->rows[at];
	return NULL;
}

static uint64_t since_start_ns(const struct profile *profile, uint64_t time_ns)
{
	return time_ns > profile->info.start_ns ? time_ns - profile->info.start_ns : 0;
}

static void lifetime_add(struct lifetime *lifetime, const struct profile *profile,
			 const struct thread *thread)
{
	const uint64_t start_ns = since_start_ns(profile, thread->start_ns);
	const uint64_t end_ns = since_start_ns(profile, thread->end_ns);
	const bool is_first = !lifetime->thread;

	if (is_first)
		*lifetime =
			(struct lifetime){ .has_start = true, .has_end = true, .thread = thread };
	lifetime->has_start &= thread->start_ns != 0;
	lifetime->has_end &= thread->end_ns != 0;
	if (is_first || start_ns < lifetime->start_ns)
		lifetime->start_ns = start_ns;
	if (end_ns > lifetime->end_ns)
		lifetime->end_ns = end_ns;
}

static int add_threads(struct lifetimes *lifetimes, const struct frame_table *table,
		       enum view_by by)
{
	const struct profile *profile = table->tree->profile;
	struct hash_index index = { 0 };
	struct buffer name = BUFFER_INIT;
	int r = index_rows(&index, table);

	for (size_t i = 0; r == 0 && i < profile->n_threads; i++) {
		struct lifetime *lifetime;

		buffer_clear(&name);
		view_add_group(&name, by, profile, (uint32_t)i);
		if (name.is_failed)
			r = -ENOMEM;
		lifetime = r == 0 ? find_row(lifetimes, &index, table, &name) : NULL;
		if (lifetime)
			lifetime_add(lifetime, profile, &profile->threads[i]);
	}
	buffer_release(&name);
	hash_index_release(&index);
	return r;
}

int lifetimes_find(struct lifetimes *lifetimes, const struct frame_table *table, enum view_by by,
		   struct error *err)
{
	*lifetimes = (struct lifetimes){ .n_rows = table->n_rows };
	lifetimes->rows = calloc(table->n_rows + 1, sizeof(*lifetimes->rows));
	if (!lifetimes->rows)
		return error_set_no_memory(err);
	if (table->tree->profile->info.has_times && add_threads(lifetimes, table, by) < 0) {
		lifetimes_release(lifetimes);
		return error_set_no_memory(err);
	}
	return 0;
}

void lifetimes_release(struct lifetimes *lifetimes)
{
	free(lifetimes->rows);
	*lifetimes = (struct lifetimes){ 0 };
}
