/* An index over the profile's own array. */
#include "record/mark_sites.h"

#include <errno.h>

#define NO_NAME "[no name]"
#define OTHERS "[other sites]"

void mark_sites_init(struct mark_sites *sites, struct profile *profile)
{
	*sites = (struct mark_sites){ .profile = profile };
}

void mark_sites_release(struct mark_sites *sites)
{
	hash_index_release(&sites->index);
	*sites = (struct mark_sites){ 0 };
}

static int intern(struct interner *strings, uint32_t *ret_id, const char *text, size_t size)
{
	*ret_id = 0;
	return size ? interner_add_sized(strings, ret_id, text, size) : 0;
}

static bool is_same(const struct mark_site *a, const struct mark_site *b)
{
	return a->name == b->name && a->category == b->category && a->file == b->file &&
	       a->line == b->line && a->kind == b->kind && a->source == b->source;
}

/* The site in which all places of a kind come together once there are too many. */
static int get_others(struct mark_sites *sites, uint32_t *ret_id, enum mark_kind kind)
{
	struct mark_site site = { .kind = (uint8_t)kind };
	int r = 0;

	sites->profile->marks.quality.n_sites_dropped++;
	if (!sites->others[kind]) {
		r = interner_add(&sites->profile->strings, &site.name, OTHERS);
		if (r == 0)
			r = marks_add_site(&sites->profile->marks, &sites->others[kind], &site);
		if (r < 0)
			return r;
		sites->others[kind]++;
	}
	*ret_id = sites->others[kind] - 1;
	return 0;
}

int mark_sites_get(struct mark_sites *sites, uint32_t *ret_id, const struct mark_site_text *text)
{
	struct marks *marks = &sites->profile->marks;
	struct interner *strings = &sites->profile->strings;
	struct mark_site site = {
		.line = text->line,
		.sample_rate = text->sample_rate,
		.kind = (uint8_t)text->kind,
		.source = (uint8_t)text->source,
	};
	struct hash_cursor cursor;
	uint64_t hash;
	uint32_t at;
	int r = text->name_bytes ? intern(strings, &site.name, text->name, text->name_bytes)
				 : interner_add(strings, &site.name, NO_NAME);

	if (r == 0)
		r = intern(strings, &site.category, text->category, text->category_bytes);
	if (r == 0)
		r = intern(strings, &site.file, text->file, text->file_bytes);
	if (r < 0)
		return r;
	hash = hash_pair(hash_pair(site.name, site.file),
			 hash_pair(site.line, (uint64_t)site.category << 16 |
						      (uint64_t)site.kind << 8 | site.source));
	cursor = hash_index_cursor(&sites->index, hash);
	while ((at = hash_index_next(&sites->index, &cursor)) != HASH_INDEX_NONE) {
		if (is_same(&marks->sites[at], &site)) {
			*ret_id = at;
			return 0;
		}
	}
	if (marks->n_sites + MARK_SNAPSHOT >= MARKS_MAX_SITES_KEPT)
		return get_others(sites, ret_id, text->kind);
	r = marks_add_site(marks, ret_id, &site);
	return r < 0 ? r : hash_index_add(&sites->index, hash, *ret_id);
}
