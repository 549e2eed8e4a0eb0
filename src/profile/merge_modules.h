#ifndef TSPROF_PROFILE_MERGE_MODULES_H
#define TSPROF_PROFILE_MERGE_MODULES_H

#include <stdint.h>

#include "base/hash.h"
#include "model/profile.h"

/*
 * The modules of a profile by path, kind and build-id.  There may be several of
 * the same: what is without a build-id may be other code in another run.
 */
struct merge_modules {
	struct profile *profile; /* borrowed; only this adds modules to it */
	struct hash_index index;
	uint32_t *nexts; /* by module: the next one like it; 0: none */
	size_t nexts_capacity;
	size_t n_indexed;
};

/* All that return an int return 0 or -ENOMEM. */
int merge_modules_init(struct merge_modules *modules, struct profile *profile);
void merge_modules_release(struct merge_modules *modules);

/* The first module like `wanted`, added if there is none. */
int merge_modules_find(struct merge_modules *modules, uint32_t *ret_module,
		       const struct module *wanted);

/* The next module like `*module`, added if there is none. */
int merge_modules_next(struct merge_modules *modules, uint32_t *module);

#endif
