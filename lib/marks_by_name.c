/*
 * Marks for languages without macros.  A name gets a site of its own in a fixed
 * table, found by its hash.  An entry that somebody is just writing is passed over:
 * the name gets a second one then, which the recorder is told about as the same site.
 */
#include <stdbool.h>
#include <string.h>

#include "lib/marks_client.h"
#include "tsprof_library.h"

#define PUBLIC __attribute__((visibility("default")))

enum { MAX_NAMES = 2048 }; /* a power of two; one stays free */

enum name_state { NAME_FREE, NAME_CLAIMED, NAME_READY };

struct named_site {
	_Atomic uint32_t state; /* READY with release, pairs with the acquire of who looks */
	uint32_t hash;
	struct tsprof_site site;
	char name[TSPROF_NAME_MAX_BYTES + 1];
};

static struct named_site names[MAX_NAMES];
static _Atomic uint32_t n_names; /* relaxed */

static struct tsprof_site others[] = {
	[TSPROF_KIND_MILESTONE] = { .name = "[other names]", .kind = TSPROF_KIND_MILESTONE },
	[TSPROF_KIND_SCOPE] = { .name = "[other names]", .kind = TSPROF_KIND_SCOPE },
	[TSPROF_KIND_COUNTER] = { .name = "[other names]", .kind = TSPROF_KIND_COUNTER },
	[TSPROF_KIND_SNAPSHOT] = { .name = "[other names]", .kind = TSPROF_KIND_SNAPSHOT },
};

/* FNV-1a. */
static uint32_t hash_of(const char *name, size_t size, uint32_t kind)
{
	uint32_t hash = 2166136261U ^ kind;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619U;
	return hash ^ hash >> 15;
}

static bool is_entry_of(const struct named_site *entry, const char *name, size_t size,
			uint32_t kind)
{
	return entry->site.kind == kind && memcmp(entry->name, name, size) == 0 &&
	       entry->name[size] == '\0';
}

/* False when another thread was faster. */
static bool entry_claim(struct named_site *entry, const char *name, size_t size, uint32_t kind,
			uint32_t hash)
{
	uint32_t state = NAME_FREE;

	if (!atomic_compare_exchange_strong_explicit(&entry->state, &state, NAME_CLAIMED,
						     memory_order_relaxed, memory_order_relaxed))
		return false;
	atomic_fetch_add_explicit(&n_names, 1, memory_order_relaxed);
	if (size)
		memcpy(entry->name, name, size);
	entry->hash = hash;
	entry->site = (struct tsprof_site){ .name = entry->name, .kind = kind, .sample_rate = 1 };
	atomic_store_explicit(&entry->state, NAME_READY, memory_order_release);
	return true;
}

static struct tsprof_site *site_get(const char *name, uint32_t kind)
{
	const size_t size = name ? strnlen(name, TSPROF_NAME_MAX_BYTES) : 0;
	const uint32_t hash = hash_of(name, size, kind);
	const char *text = name ? name : "";

	for (uint32_t i = 0; i < MAX_NAMES; i++) {
		struct named_site *entry = &names[(hash + i) % MAX_NAMES];
		const uint32_t state = atomic_load_explicit(&entry->state, memory_order_acquire);

		if (state == NAME_READY) {
			if (entry->hash == hash && is_entry_of(entry, text, size, kind))
				return &entry->site;
		} else if (state == NAME_FREE) {
			/* A few more than the limit, when many threads come at once, still fit. */
			if (atomic_load_explicit(&n_names, memory_order_relaxed) >= MAX_NAMES - 1)
				break;
			if (entry_claim(entry, text, size, kind, hash))
				return &entry->site;
		}
	}
	return &others[kind];
}

static void put_text(struct tsprof_site *site, uint32_t what, const char *text)
{
	size_t size = strnlen(text, TSPROF_TEXT_MAX_BYTES + 1);

	if (size > TSPROF_TEXT_MAX_BYTES) {
		size = TSPROF_TEXT_MAX_BYTES;
		what |= MARKS_WHAT_CUT;
	}
	marks_api.put_bytes(site, what, text, size);
}

PUBLIC int tsprof_is_on(void)
{
	return TSPROF_IS_ON_() != 0;
}

PUBLIC void tsprof_mark(const char *name, const char *data)
{
	struct tsprof_site *site;

	if (!TSPROF_IS_ON_())
		return;
	site = site_get(name, TSPROF_KIND_MILESTONE);
	tsprof_put_(site, TSPROF_WHAT_MILESTONE);
	if (data)
		put_text(site, TSPROF_WHAT_DATA, data);
}

PUBLIC void tsprof_scope_begin(const char *name)
{
	if (TSPROF_IS_ON_())
		tsprof_put_(site_get(name, TSPROF_KIND_SCOPE), TSPROF_WHAT_BEGIN);
}

PUBLIC void tsprof_scope_end(const char *name)
{
	if (TSPROF_IS_ON_())
		tsprof_put_(site_get(name, TSPROF_KIND_SCOPE), TSPROF_WHAT_END);
}

PUBLIC void tsprof_scope_arguments(const char *text)
{
	if (TSPROF_IS_ON_() && text)
		put_text(NULL, TSPROF_WHAT_ARGUMENTS, text);
}

PUBLIC void tsprof_scope_failed(const char *message)
{
	if (TSPROF_IS_ON_())
		put_text(NULL, TSPROF_WHAT_ERROR, message ? message : "");
}

PUBLIC void tsprof_counter(const char *name, double value)
{
	if (TSPROF_IS_ON_())
		marks_api.put_bytes(site_get(name, TSPROF_KIND_COUNTER), TSPROF_WHAT_COUNTER,
				    &value, sizeof(value));
}

PUBLIC void tsprof_snapshot(const char *name, const void *bytes, size_t size)
{
	if (TSPROF_IS_ON_())
		marks_api.put_bytes(site_get(name, TSPROF_KIND_SNAPSHOT), TSPROF_WHAT_SNAPSHOT,
				    bytes, size);
}

PUBLIC void tsprof_snapshot_text(const char *name, const char *text)
{
	const size_t size = text ? strnlen(text, TSPROF_SNAPSHOT_MAX_BYTES + 1) : 0;

	if (TSPROF_IS_ON_())
		marks_api.put_bytes(site_get(name, TSPROF_KIND_SNAPSHOT), TSPROF_WHAT_TEXT_SNAPSHOT,
				    text, size);
}
