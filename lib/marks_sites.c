/*
 * What ids mean.  The entry is complete before anybody can use its id; two
 * threads that meet at a new site take two entries, of which one stays unused.
 */
#include <string.h>

#include "lib/marks_client.h"

enum { N_OWN_SITES = MARKS_MAX_SITES - MARKS_OTHER_SITES };

/* Of the program's whole life, for the segments that come later: by fork, or a new start. */
static struct marks_site known[MARKS_MAX_SITES];
static _Atomic uint32_t n_known; /* relaxed; ever claimed */

static void text_copy(char *to, size_t room, const char *from)
{
	const size_t size = from ? strnlen(from, room - 1) : 0;

	if (size)
		memcpy(to, from, size);
	to[size] = '\0';
}

/* The end of a path says more than its beginning. */
static void path_copy(char *to, size_t room, const char *path)
{
	const size_t size = path ? strlen(path) : 0;

	text_copy(to, room, size < room ? path : path + (size - room + 1));
}

static void site_describe(struct marks_site *entry, const struct tsprof_site *site)
{
	entry->line = site->line;
	entry->sample_rate = site->sample_rate;
	text_copy(entry->name, sizeof(entry->name), site->name);
	text_copy(entry->category, sizeof(entry->category), site->category);
	path_copy(entry->file, sizeof(entry->file), site->file);
	/* Pairs with the acquire of site_publish. */
	atomic_store_explicit(&entry->kind, site->kind, memory_order_release);
}

static struct marks_site *segment_sites(struct marks_segment *segment)
{
	return (struct marks_site *)(void *)((unsigned char *)segment + marks_sites_offset());
}

static void site_publish(struct marks_segment *segment, uint32_t index)
{
	struct marks_site *entry = &segment_sites(segment)[index];
	const uint32_t kind = atomic_load_explicit(&known[index].kind, memory_order_acquire);

	if (!kind)
		return;
	entry->line = known[index].line;
	entry->sample_rate = known[index].sample_rate;
	memcpy(entry->name, known[index].name, sizeof(entry->name));
	memcpy(entry->category, known[index].category, sizeof(entry->category));
	memcpy(entry->file, known[index].file, sizeof(entry->file));
	/* Pairs with the recorder's acquire. */
	atomic_store_explicit(&entry->kind, kind, memory_order_release);
	atomic_store_explicit(&segment->n_sites,
			      atomic_load_explicit(&n_known, memory_order_relaxed),
			      memory_order_relaxed);
}

void marks_sites_publish(struct marks_segment *segment)
{
	uint32_t n;

	atomic_thread_fence(memory_order_seq_cst);
	n = atomic_load_explicit(&n_known, memory_order_relaxed);
	for (uint32_t i = 0; i < (n > N_OWN_SITES ? MARKS_MAX_SITES : n); i++)
		site_publish(segment, i);
}

/* One that is known already: its object was loaded again.  MARKS_MAX_SITES when it is not. */
static uint32_t known_find(const struct tsprof_site *site)
{
	const uint32_t n = atomic_load_explicit(&n_known, memory_order_relaxed);
	struct marks_site wanted;

	if (n == 0)
		return MARKS_MAX_SITES;
	memset(&wanted, 0, sizeof(wanted));
	site_describe(&wanted, site);
	for (uint32_t i = 0; i < n && i < N_OWN_SITES; i++)
		if (known[i].line == wanted.line &&
		    atomic_load_explicit(&known[i].kind, memory_order_acquire) == site->kind &&
		    memcmp(&known[i], &wanted, sizeof(wanted)) == 0)
			return i;
	return MARKS_MAX_SITES;
}

static uint32_t known_add(const struct tsprof_site *site)
{
	uint32_t index = atomic_fetch_add_explicit(&n_known, 1, memory_order_relaxed);

	if (index < N_OWN_SITES) {
		site_describe(&known[index], site);
	} else {
		const struct tsprof_site others = { .name = "[other sites]", .kind = site->kind };

		index = N_OWN_SITES + (site->kind - 1) % MARKS_OTHER_SITES;
		site_describe(&known[index], &others);
	}
	return index;
}

uint32_t marks_site_id(struct tsprof_site *site)
{
	uint32_t id = __atomic_load_n(&site->id, __ATOMIC_ACQUIRE);
	uint32_t index;

	if (id)
		return id;
	index = known_find(site);
	if (index == MARKS_MAX_SITES)
		index = known_add(site);
	/* Pairs with the fence of who adds a segment: one of us publishes. */
	atomic_thread_fence(memory_order_seq_cst);
	marks_segments_each(site_publish, index);
	if (__atomic_compare_exchange_n(&site->id, &id, index + 1, false, __ATOMIC_RELEASE,
					__ATOMIC_ACQUIRE))
		return index + 1;
	return id;
}
