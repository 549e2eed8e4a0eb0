#ifndef TSPROF_RECORD_MARK_SITES_H
#define TSPROF_RECORD_MARK_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/profile.h"

/*
 * The places that mark, each once in profile->marks.sites: the same place in
 * several processes, or a name that comes again, is one.
 */
struct mark_sites {
	struct profile *profile; /* borrowed */
	struct hash_index index;
	uint32_t others[MARK_SNAPSHOT + 1]; /* by kind: stands for what found no room; id + 1 */
};

/* Texts are borrowed for the call, need no end, and may be NULL. */
struct mark_site_text {
	const char *name;
	size_t name_bytes;
	const char *category;
	size_t category_bytes;
	const char *file;
	size_t file_bytes;
	uint32_t line;
	uint32_t sample_rate;
	enum mark_kind kind;
	enum mark_source source;
};

void mark_sites_init(struct mark_sites *sites, struct profile *profile);
void mark_sites_release(struct mark_sites *sites);

/*
 * The id of a place, added if new; beyond MARKS_MAX_SITES_KEPT all of a kind are
 * one.  A place without a name is "[no name]".  Returns 0 or -ENOMEM.
 */
int mark_sites_get(struct mark_sites *sites, uint32_t *ret_id, const struct mark_site_text *text);

#endif
