#ifndef TSPROF_MODEL_LOCATION_TABLE_H
#define TSPROF_MODEL_LOCATION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * One place in code: a vaddr of a module.  Return addresses are stored stepped
 * back by one, so a location always lies inside the instruction it means.
 * In module MODULE_PSEUDO a vaddr is an enum stack_end, plus the id of the
 * module to blame in its upper half: the visible root of a cut stack.
 */
struct location {
	uint64_t vaddr;
	uint32_t module;
	uint32_t first_frame; /* into profile.frames, innermost first … */
	uint32_t n_frames;    /* … 0 until symbols are resolved */
};

/* Every distinct location once; ids are dense, from 0. */
struct location_table {
	struct location *locations;
	size_t n_locations;
	size_t capacity;
	struct hash_index index;
};

void location_table_release(struct location_table *table);

/* A hint that location_table_add will be asked for this one soon. */
void location_table_prefetch(const struct location_table *table, uint32_t module, uint64_t vaddr);

/* The id of (module, vaddr), added if new.  Returns 0 or -ENOMEM. */
int location_table_add(struct location_table *table, uint32_t *ret_id, uint32_t module,
		       uint64_t vaddr);

#endif
