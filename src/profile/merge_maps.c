/* Where the numbers of one profile are found in another. */
#include "profile/merge_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MERGE_UNKNOWN UINT32_MAX /* a string that was not needed yet */

int merge_string(struct merge_maps *maps, uint32_t *id)
{
	const struct interner *strings = &maps->from->strings;

	if (*id >= strings->n_strings)
		return -EINVAL;
	if (maps->strings[*id] == MERGE_UNKNOWN &&
	    interner_add_sized(&maps->into->strings, &maps->strings[*id], strings->strings[*id],
			       strings->sizes[*id]) < 0)
		return -ENOMEM;
	*id = maps->strings[*id];
	return 0;
}

int merge_maps_init(struct merge_maps *maps)
{
	const struct profile *from = maps->from;

	maps->strings = malloc((from->strings.n_strings + 1) * sizeof(*maps->strings));
	maps->locations = calloc(from->locations.n_locations + 1, sizeof(*maps->locations));
	maps->nodes = calloc(from->stacks.n_nodes + 1, sizeof(*maps->nodes));
	maps->scopes = calloc(from->marks.scopes.n_nodes + 1, sizeof(*maps->scopes));
	if (!maps->strings || !maps->locations || !maps->nodes || !maps->scopes)
		return -ENOMEM;
	memset(maps->strings, 0xff, (from->strings.n_strings + 1) * sizeof(*maps->strings));
	return merge_modules_init(&maps->modules, maps->into);
}

void merge_maps_release(struct merge_maps *maps)
{
	free(maps->strings);
	free(maps->locations);
	free(maps->nodes);
	free(maps->scopes);
	free(maps->frames);
	merge_modules_release(&maps->modules);
}

uint64_t merge_time_ns(const struct merge_maps *maps, uint64_t time_ns)
{
	const uint64_t from_start_ns = maps->from->info.start_ns;
	const uint64_t start_ns = maps->into->info.start_ns;

	if (time_ns >= from_start_ns)
		return time_ns - from_start_ns > UINT64_MAX - start_ns
			       ? UINT64_MAX
			       : start_ns + (time_ns - from_start_ns);
	/* From before its start; 0 would be "not known". */
	return from_start_ns - time_ns < start_ns ? start_ns - (from_start_ns - time_ns) : 1;
}
