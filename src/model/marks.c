/* The marks of a run: growing arrays, as in profile.c. */
#include "model/marks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int marks_init(struct marks *marks)
{
	*marks = (struct marks){ 0 };
	return scope_tree_init(&marks->scopes);
}

void marks_release(struct marks *marks)
{
	scope_tree_release(&marks->scopes);
	free(marks->sites);
	free(marks->milestones);
	free(marks->calls);
	free(marks->counters);
	free(marks->snapshots);
	free(marks->bytes);
	free(marks->resources);
	*marks = (struct marks){ 0 };
}

bool marks_are_there(const struct marks *marks)
{
	return marks->n_sites > 0;
}

int marks_add_site(struct marks *marks, uint32_t *ret_id, const struct mark_site *site)
{
	struct mark_site *grown = array_grown(marks->sites, &marks->sites_capacity,
					      marks->n_sites + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	marks->sites = grown;
	grown[marks->n_sites] = *site;
	if (ret_id)
		*ret_id = (uint32_t)marks->n_sites;
	marks->n_sites++;
	return 0;
}

int marks_add_milestone(struct marks *marks, const struct milestone *milestone)
{
	struct milestone *grown = array_grown(marks->milestones, &marks->milestones_capacity,
					      marks->n_milestones + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	marks->milestones = grown;
	grown[marks->n_milestones++] = *milestone;
	return 0;
}

int marks_add_call(struct marks *marks, const struct scope_call *call)
{
	struct scope_call *grown = array_grown(marks->calls, &marks->calls_capacity,
					       marks->n_calls + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	marks->calls = grown;
	grown[marks->n_calls++] = *call;
	return 0;
}

int marks_add_counter(struct marks *marks, const struct counter_value *value)
{
	struct counter_value *grown;

	if (!isfinite(value->value)) {
		marks->quality.n_bad++;
		return 0;
	}
	grown = array_grown(marks->counters, &marks->counters_capacity, marks->n_counters + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	marks->counters = grown;
	grown[marks->n_counters++] = *value;
	return 0;
}

int marks_add_resource(struct marks *marks, const struct resource_sample *resource)
{
	struct resource_sample *grown = array_grown(marks->resources, &marks->resources_capacity,
						    marks->n_resources + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	marks->resources = grown;
	grown[marks->n_resources++] = *resource;
	return 0;
}

int marks_add_snapshot(struct marks *marks, const struct snapshot *snapshot, const void *bytes)
{
	struct snapshot *grown = array_grown(marks->snapshots, &marks->snapshots_capacity,
					     marks->n_snapshots + 1, sizeof(*grown));
	uint8_t *room;

	if (!grown)
		return -ENOMEM;
	marks->snapshots = grown;
	room = array_grown(marks->bytes, &marks->bytes_capacity,
			   marks->n_bytes + snapshot->size_bytes, 1);
	if (!room)
		return -ENOMEM;
	marks->bytes = room;
	if (snapshot->size_bytes)
		memcpy(room + marks->n_bytes, bytes, snapshot->size_bytes);
	grown[marks->n_snapshots] = *snapshot;
	grown[marks->n_snapshots++].bytes_offset = marks->n_bytes;
	marks->n_bytes += snapshot->size_bytes;
	return 0;
}
