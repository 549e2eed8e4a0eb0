/* One pass with an index of those that are the first of their sort. */
#include "tree/module_alias.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

static int find_first(struct hash_index *index, const struct profile *profile, uint32_t module,
		      uint32_t *ret_first)
{
	const struct module *wanted = &profile->modules[module];
	const uint64_t hash = hash_pair(wanted->path, wanted->kind);
	struct hash_cursor cursor = hash_index_cursor(index, hash);
	uint32_t at;

	while ((at = hash_index_next(index, &cursor)) != HASH_INDEX_NONE) {
		if (module_is_like(&profile->modules[at], wanted)) {
			*ret_first = at;
			return 0;
		}
	}
	*ret_first = module;
	return hash_index_add(index, hash, module);
}

int module_aliases_find(uint32_t **ret_aliases, const struct profile *profile)
{
	struct hash_index index = { 0 };
	uint32_t *aliases;
	int r = 0;

	*ret_aliases = NULL;
	if (profile->n_runs < 2)
		return 0;
	aliases = calloc(profile->n_modules, sizeof(*aliases));
	if (!aliases)
		return -ENOMEM;
	for (uint32_t i = 1; r == 0 && i < profile->n_modules; i++)
		r = find_first(&index, profile, i, &aliases[i]);
	hash_index_release(&index);
	if (r < 0) {
		free(aliases);
		return r;
	}
	*ret_aliases = aliases;
	return 0;
}
