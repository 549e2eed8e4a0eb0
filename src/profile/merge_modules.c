/* The index has the first of each sort; the others hang on it. */
#include "profile/merge_modules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static uint64_t hash_module(const struct module *module)
{
	return hash_pair(module->path,
			 hash_bytes(module->build_id, module->build_id_size) ^ module->kind);
}

static uint32_t find_first(const struct merge_modules *modules, const struct module *wanted)
{
	struct hash_cursor cursor = hash_index_cursor(&modules->index, hash_module(wanted));
	uint32_t at;

	while ((at = hash_index_next(&modules->index, &cursor)) != HASH_INDEX_NONE)
		if (module_is_like(&modules->profile->modules[at], wanted))
			return at;
	return MODULE_PSEUDO;
}

/* Takes in the profile's next module. */
static int add_to_index(struct merge_modules *modules)
{
	const uint32_t id = (uint32_t)modules->n_indexed;
	const struct module *module = &modules->profile->modules[id];
	uint32_t *grown = array_grown(modules->nexts, &modules->nexts_capacity, id + 1,
				      sizeof(*grown));
	uint32_t first;

	if (!grown)
		return -ENOMEM;
	modules->nexts = grown;
	grown[id] = 0;
	modules->n_indexed++;
	if (id == MODULE_PSEUDO)
		return 0;
	first = find_first(modules, module);
	if (first == MODULE_PSEUDO)
		return hash_index_add(&modules->index, hash_module(module), id);
	while (grown[first])
		first = grown[first];
	grown[first] = id;
	return 0;
}

int merge_modules_init(struct merge_modules *modules, struct profile *profile)
{
	int r = 0;

	*modules = (struct merge_modules){ .profile = profile };
	while (r == 0 && modules->n_indexed < profile->n_modules)
		r = add_to_index(modules);
	return r;
}

void merge_modules_release(struct merge_modules *modules)
{
	hash_index_release(&modules->index);
	free(modules->nexts);
	*modules = (struct merge_modules){ 0 };
}

static int add_module(struct merge_modules *modules, uint32_t *ret_module,
		      const struct module *wanted)
{
	const struct module copy = *wanted;

	if (profile_add_module(modules->profile, ret_module, &copy) < 0)
		return -ENOMEM;
	return add_to_index(modules);
}

int merge_modules_find(struct merge_modules *modules, uint32_t *ret_module,
		       const struct module *wanted)
{
	const uint32_t first = find_first(modules, wanted);

	if (first == MODULE_PSEUDO)
		return add_module(modules, ret_module, wanted);
	*ret_module = first;
	return 0;
}

int merge_modules_next(struct merge_modules *modules, uint32_t *module)
{
	const uint32_t next = modules->nexts[*module];

	if (!next)
		return add_module(modules, module, &modules->profile->modules[*module]);
	*module = next;
	return 0;
}
