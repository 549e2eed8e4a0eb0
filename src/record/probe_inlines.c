/* What symbols say of samples knows inlined calls, whoever inlined them where. */
#include "record/probe_inlines.h"

#include <stdlib.h>
#include <string.h>

static const struct probe *find_probe(const struct probe_plan *plan, const char *module,
				      const char *function)
{
	for (size_t i = 0; i < plan->n_probes; i++)
		if (strcmp(plan->probes[i].module, module) == 0 &&
		    probe_is_of(&plan->probes[i], function))
			return &plan->probes[i];
	return NULL;
}

const struct probe *probe_inlines_find(const struct probe_plan *plan, const struct profile *profile)
{
	const struct location_table *table = &profile->locations;
	/* Of each function the module last asked for, plus one: usually the only one. */
	uint32_t *asked = calloc(profile->strings.n_strings + 1, sizeof(*asked));
	const struct probe *found = NULL;

	for (size_t i = 0; asked && !found && i < table->n_locations; i++) {
		const struct location *location = &table->locations[i];

		for (uint32_t k = 0; !found && k < location->n_frames; k++) {
			const struct frame *frame = &profile->frames[location->first_frame + k];

			if (!(frame->flags & FRAME_INLINED) ||
			    asked[frame->function] == location->module + 1)
				continue;
			asked[frame->function] = location->module + 1;
			found = find_probe(plan, profile_module_name(profile, location->module),
					   interner_get(&profile->strings, frame->function));
		}
	}
	free(asked);
	return found;
}
