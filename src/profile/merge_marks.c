/* Marks renumbered, sites found by what they say of themselves. */
#include "profile/merge_marks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

/* Sites of the profile that is merged into, and new numbers by old ones. */
struct merge_sites {
	struct hash_index index;
	uint32_t *numbers;
};

static uint64_t site_hash(const struct mark_site *site)
{
	return hash_pair(hash_pair(site->name, site->category), hash_pair(site->file, site->line));
}

static bool is_same_site(const struct mark_site *a, const struct mark_site *b)
{
	return a->name == b->name && a->category == b->category && a->file == b->file &&
	       a->line == b->line && a->sample_rate == b->sample_rate && a->kind == b->kind &&
	       a->source == b->source;
}

static int merge_site(struct merge_maps *maps, struct merge_sites *sites, size_t i)
{
	struct marks *marks = &maps->into->marks;
	struct mark_site site = maps->from->marks.sites[i];
	struct hash_cursor cursor;
	uint32_t id;
	int r = merge_string(maps, &site.name);

	if (r == 0)
		r = merge_string(maps, &site.category);
	if (r == 0)
		r = merge_string(maps, &site.file);
	if (r < 0)
		return r;
	cursor = hash_index_cursor(&sites->index, site_hash(&site));
	while ((id = hash_index_next(&sites->index, &cursor)) != HASH_INDEX_NONE)
		if (is_same_site(&marks->sites[id], &site))
			break;
	if (id == HASH_INDEX_NONE) {
		if (marks->n_sites == MARKS_MAX_SITES_KEPT)
			return -EOVERFLOW;
		r = marks_add_site(marks, &id, &site);
		if (r == 0)
			r = hash_index_add(&sites->index, site_hash(&site), id);
	}
	sites->numbers[i] = id;
	return r;
}

static int merge_sites(struct merge_maps *maps, struct merge_sites *sites)
{
	const struct marks *into = &maps->into->marks;
	const struct marks *from = &maps->from->marks;
	int r = 0;

	sites->numbers = calloc(from->n_sites + 1, sizeof(*sites->numbers));
	if (!sites->numbers)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < into->n_sites; i++)
		r = hash_index_add(&sites->index, site_hash(&into->sites[i]), (uint32_t)i);
	for (size_t i = 0; r == 0 && i < from->n_sites; i++)
		r = merge_site(maps, sites, i);
	return r;
}

/* What a reader would refuse must not be written. */
static int check_sums(const struct scope_tree *scopes)
{
	uint64_t sums[9] = { 0 };

	for (size_t i = 0; i < scopes->n_nodes; i++) {
		const struct scope_node *node = &scopes->nodes[i];
		const uint64_t numbers[9] = {
			node->durations_ns.n_values,
			node->total_ns,
			node->self_ns,
			node->n_errors,
			node->n_cut,
			node->n_open,
			node->cpu_ns,
			node->n_faults,
			scope_cost_known(node->allocated_bytes),
		};

		for (size_t k = 0; k < 9; k++) {
			if (numbers[k] > INT64_MAX - sums[k])
				return -EOVERFLOW;
			sums[k] += numbers[k];
		}
	}
	return 0;
}

static int merge_scopes(struct merge_maps *maps, const struct merge_sites *sites)
{
	struct scope_tree *into = &maps->into->marks.scopes;
	const struct scope_tree *from = &maps->from->marks.scopes;

	for (size_t i = 1; i < from->n_nodes; i++) {
		const struct scope_node *node = &from->nodes[i];
		int r = scope_tree_get(into, &maps->scopes[i], maps->scopes[node->parent],
				       sites->numbers[node->site]);

		if (r == 0)
			r = scope_node_merge(&into->nodes[maps->scopes[i]], node);
		if (r < 0)
			return r;
	}
	into->n_unmatched_ends += from->n_unmatched_ends;
	into->n_too_deep += from->n_too_deep;
	return into->n_nodes > MARKS_MAX_SCOPE_NODES ? -EOVERFLOW : check_sums(into);
}

static uint32_t new_thread(const struct merge_maps *maps, uint32_t thread)
{
	return thread == MARK_NO_THREAD ? thread : maps->first_thread + thread;
}

static uint64_t new_time_ns(const struct merge_maps *maps, uint64_t time_ns)
{
	return maps->from->info.has_times ? merge_time_ns(maps, time_ns) : time_ns;
}

static int merge_milestones(struct merge_maps *maps, const struct merge_sites *sites)
{
	struct marks *into = &maps->into->marks;
	const struct marks *from = &maps->from->marks;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_milestones; i++) {
		struct milestone milestone = from->milestones[i];

		if (into->n_milestones == MARKS_MAX_MILESTONES) {
			into->quality.n_milestones_dropped += from->n_milestones - i;
			break;
		}
		milestone.time_ns = new_time_ns(maps, milestone.time_ns);
		milestone.thread = new_thread(maps, milestone.thread);
		milestone.site = sites->numbers[milestone.site];
		milestone.run += maps->first_run;
		milestone.scope = maps->scopes[milestone.scope];
		r = merge_string(maps, &milestone.data);
		if (r == 0)
			r = marks_add_milestone(into, &milestone);
	}
	return r;
}

static int merge_calls(struct merge_maps *maps)
{
	const struct marks *from = &maps->from->marks;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_calls; i++) {
		struct scope_call call = from->calls[i];

		call.start_ns = new_time_ns(maps, call.start_ns);
		if (call.duration_ns > UINT64_MAX - call.start_ns)
			return -EOVERFLOW;
		call.thread = new_thread(maps, call.thread);
		call.node = maps->scopes[call.node];
		r = merge_string(maps, &call.arguments);
		if (r == 0)
			r = merge_string(maps, &call.error);
		if (r == 0)
			r = marks_add_call(&maps->into->marks, &call);
	}
	return r;
}

static int merge_values(struct merge_maps *maps, const struct merge_sites *sites)
{
	struct marks *into = &maps->into->marks;
	const struct marks *from = &maps->from->marks;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_counters; i++) {
		struct counter_value value = from->counters[i];

		value.time_ns = new_time_ns(maps, value.time_ns);
		value.thread = new_thread(maps, value.thread);
		value.site = sites->numbers[value.site];
		value.scope = maps->scopes[value.scope];
		r = marks_add_counter(into, &value);
	}
	for (size_t i = 0; r == 0 && i < from->n_snapshots; i++) {
		struct snapshot snapshot = from->snapshots[i];

		snapshot.time_ns = new_time_ns(maps, snapshot.time_ns);
		snapshot.thread = new_thread(maps, snapshot.thread);
		snapshot.site = sites->numbers[snapshot.site];
		snapshot.scope = maps->scopes[snapshot.scope];
		r = marks_add_snapshot(into, &snapshot, from->bytes + snapshot.bytes_offset);
	}
	return r;
}

static int merge_resources(struct merge_maps *maps)
{
	const struct marks *from = &maps->from->marks;
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->n_resources; i++) {
		struct resource_sample resource = from->resources[i];

		resource.time_ns = new_time_ns(maps, resource.time_ns);
		resource.run += maps->first_run;
		r = marks_add_resource(&maps->into->marks, &resource);
	}
	return r;
}

static void merge_marks_quality(struct marks_quality *into, const struct marks_quality *from)
{
	into->n_records += from->n_records;
	into->n_lost += from->n_lost;
	into->n_homeless += from->n_homeless;
	into->n_bad += from->n_bad;
	into->n_sites_dropped += from->n_sites_dropped;
	into->n_milestones_dropped += from->n_milestones_dropped;
	into->n_snapshots_dropped += from->n_snapshots_dropped;
	into->n_counters_dropped += from->n_counters_dropped;
	into->n_calls_dropped += from->n_calls_dropped;
	into->n_late_samples += from->n_late_samples;
}

/* Of a profile without scopes it is as true as it is not. */
static void merge_has_all_calls(struct marks *into, const struct marks *from, bool had_scopes)
{
	if (from->scopes.n_nodes > 1)
		into->has_all_calls = from->has_all_calls && (!had_scopes || into->has_all_calls);
}

int merge_marks(struct merge_maps *maps)
{
	const struct marks *from = &maps->from->marks;
	const bool had_scopes = maps->into->marks.scopes.n_nodes > 1;
	struct merge_sites sites = { 0 };
	int r = merge_sites(maps, &sites);

	merge_has_all_calls(&maps->into->marks, from, had_scopes);
	merge_marks_quality(&maps->into->marks.quality, &from->quality);
	if (r == 0)
		r = merge_scopes(maps, &sites);
	if (r == 0)
		r = merge_milestones(maps, &sites);
	if (r == 0)
		r = merge_calls(maps);
	if (r == 0)
		r = merge_values(maps, &sites);
	if (r == 0)
		r = merge_resources(maps);
	hash_index_release(&sites.index);
	free(sites.numbers);
	return r;
}
