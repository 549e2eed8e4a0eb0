#ifndef TSPROF_PROFILE_MERGE_MAPS_H
#define TSPROF_PROFILE_MERGE_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"
#include "profile/merge_modules.h"

/* New numbers by old ones, while one profile is added. */
struct merge_maps {
	struct profile *into;
	const struct profile *from;
	uint32_t *strings; /* those that were needed */
	uint32_t *locations;
	uint32_t *nodes;
	uint32_t *scopes;
	uint32_t first_thread;
	uint32_t first_run;
	struct merge_modules modules;
	struct frame *frames; /* of one location, renumbered */
	size_t frames_capacity;
};

/* Of `maps->into` and `maps->from`, which are set.  Returns 0 or -ENOMEM. */
int merge_maps_init(struct merge_maps *maps);
void merge_maps_release(struct merge_maps *maps);

/* The new number in place of the old one.  0, -ENOMEM, or -EINVAL when there is no such string. */
int merge_string(struct merge_maps *maps, uint32_t *id);

/* Time in the run, since its own start, put behind the start of all. */
uint64_t merge_time_ns(const struct merge_maps *maps, uint64_t time_ns);

#endif
