/*
 * The chunks of marks, written.  Lists are cut into chunks of the usual size, so
 * that a file that ends in one of them loses little.
 */
#include <assert.h>
#include <string.h>

#include "profile/marks_format.h"
#include "profile/profile_encode.h"

/* Which entries are in another scope than the last one of their thread: usually few. */
struct scope_changes {
	struct profile_scope_memory memory;
	struct buffer changes;
	uint64_t n_same, n_changes;
};

static void scope_changes_add(struct scope_changes *scopes, uint32_t thread, uint32_t scope)
{
	uint32_t *last = &scopes->memory.scopes[thread % PROFILE_SCOPE_THREADS];

	if (scope == *last) {
		scopes->n_same++;
		return;
	}
	buffer_add_uleb(&scopes->changes, scopes->n_same);
	buffer_add_uleb(&scopes->changes, scope);
	*last = scope;
	scopes->n_same = 0;
	scopes->n_changes++;
}

/* Nothing is told where all are outside. */
static void scope_changes_end(struct scope_changes *scopes, struct buffer *out)
{
	if (scopes->n_changes) {
		buffer_add_uleb(out, scopes->n_changes);
		buffer_add(out, buffer_string(&scopes->changes), scopes->changes.size);
	}
	out->is_failed |= scopes->changes.is_failed;
	buffer_release(&scopes->changes);
}

void profile_encode_sample_scopes(struct buffer *out, const struct sample *samples,
				  const struct sample *end, bool is_wait)
{
	struct scope_changes scopes = { .changes = BUFFER_INIT };

	for (; samples < end; samples++)
		if (sample_is_wait(samples) == is_wait)
			scope_changes_add(&scopes, samples->thread, samples->scope);
	scope_changes_end(&scopes, out);
}

static void encode_f64(struct buffer *out, double value)
{
	uint64_t bits;

	static_assert(sizeof(bits) == sizeof(value), "on-disk layout");
	memcpy(&bits, &value, sizeof(bits));
	buffer_add_u64(out, bits);
}

/* The time of a mark, told as the distance to the one before. */
static void encode_time(struct buffer *out, uint64_t time_ns, uint64_t *last_ns)
{
	buffer_add_sleb(out, (int64_t)(time_ns - *last_ns));
	*last_ns = time_ns;
}

static void encode_thread(struct buffer *out, uint32_t thread)
{
	buffer_add_uleb(out, thread == MARK_NO_THREAD ? 0 : (uint64_t)thread + 1);
}

/* What entries of a chunk remember of those before. */
struct marks_memory {
	uint64_t time_ns;
	struct profile_resource_memory resources;
	struct scope_changes scopes;
};

/* A list, and how one entry of it is put. */
struct marks_list {
	enum profile_chunk_type type;
	const struct marks *marks;
	void (*put)(struct buffer *out, const struct marks *marks, size_t i,
		    struct marks_memory *memory);
	bool has_anew; /* its chunks say whether they begin the list anew */
};

/* One chunk from `first` on; returns where it stopped. */
static size_t encode_list_chunk(struct buffer *out, const struct marks_list *list, size_t first,
				size_t n_all, bool is_anew)
{
	const size_t chunk_at = profile_encode_chunk_begin(out, list->type);
	struct buffer entries = BUFFER_INIT;
	struct marks_memory memory = { .scopes.changes = BUFFER_INIT };
	size_t i = first;

	for (; i < n_all && entries.size < PROFILE_CHUNK_USUAL_BYTES && !entries.is_failed; i++)
		list->put(&entries, list->marks, i, &memory);
	if (list->has_anew)
		buffer_add_u8(out, is_anew);
	buffer_add_uleb(out, i - first);
	buffer_add(out, buffer_string(&entries), entries.size);
	scope_changes_end(&memory.scopes, out);
	out->is_failed |= entries.is_failed;
	profile_encode_chunk_end(out, chunk_at);
	buffer_release(&entries);
	return i;
}

static void encode_list(struct buffer *out, const struct marks_list *list, size_t first,
			size_t n_all, bool is_anew)
{
	while ((first < n_all || is_anew) && !out->is_failed) {
		first = encode_list_chunk(out, list, first, n_all, is_anew);
		is_anew = false;
	}
}

static void put_site(struct buffer *out, const struct marks *marks, size_t i,
		     struct marks_memory *memory)
{
	const struct mark_site *site = &marks->sites[i];

	(void)memory;
	buffer_add_uleb(out, site->name);
	buffer_add_uleb(out, site->category);
	buffer_add_uleb(out, site->file);
	buffer_add_uleb(out, site->line);
	buffer_add_uleb(out, site->sample_rate);
	buffer_add_u8(out, site->kind);
	buffer_add_u8(out, site->source);
}

void profile_encode_sites(struct buffer *out, const struct marks *marks, size_t first)
{
	encode_list(out,
		    &(struct marks_list){
			    .type = PROFILE_CHUNK_SITES, .marks = marks, .put = put_site },
		    first, marks->n_sites, false);
}

static void put_scope(struct buffer *out, const struct marks *marks, size_t i,
		      struct marks_memory *memory)
{
	const struct scope_node *node = &marks->scopes.nodes[i];

	(void)memory;
	buffer_add_uleb(out, i - node->parent);
	buffer_add_uleb(out, node->site);
}

void profile_encode_scopes(struct buffer *out, const struct marks *marks, size_t first)
{
	encode_list(out,
		    &(struct marks_list){
			    .type = PROFILE_CHUNK_SCOPES, .marks = marks, .put = put_scope },
		    first, marks->scopes.n_nodes, false);
}

static void put_milestone(struct buffer *out, const struct marks *marks, size_t i,
			  struct marks_memory *memory)
{
	const struct milestone *milestone = &marks->milestones[i];

	encode_time(out, milestone->time_ns, &memory->time_ns);
	encode_thread(out, milestone->thread);
	buffer_add_uleb(out, milestone->site);
	buffer_add_uleb(out, milestone->data);
	buffer_add_uleb(out, milestone->run);
	scope_changes_add(&memory->scopes, milestone->thread, milestone->scope);
}

void profile_encode_milestones(struct buffer *out, const struct marks *marks, size_t first)
{
	encode_list(out,
		    &(struct marks_list){ .type = PROFILE_CHUNK_MILESTONES,
					  .marks = marks,
					  .put = put_milestone },
		    first, marks->n_milestones, false);
}

static void put_call(struct buffer *out, const struct marks *marks, size_t i,
		     struct marks_memory *memory)
{
	const struct scope_call *call = &marks->calls[i];

	encode_time(out, call->start_ns, &memory->time_ns);
	buffer_add_uleb(out, call->duration_ns);
	encode_thread(out, call->thread);
	buffer_add_uleb(out, call->node);
	buffer_add_u8(out, call->flags);
	buffer_add_uleb(out, call->arguments);
	buffer_add_uleb(out, call->error);
	if (call->flags & SCOPE_CALL_COSTS) {
		buffer_add_uleb(out, call->cpu_ns);
		buffer_add_uleb(out, call->allocated_bytes);
		buffer_add_uleb(out, call->n_faults);
	}
}

void profile_encode_calls(struct buffer *out, const struct marks *marks, size_t first, bool is_anew)
{
	encode_list(out,
		    &(struct marks_list){ .type = PROFILE_CHUNK_CALLS,
					  .marks = marks,
					  .put = put_call,
					  .has_anew = true },
		    first, marks->n_calls, is_anew);
}

static void put_counter(struct buffer *out, const struct marks *marks, size_t i,
			struct marks_memory *memory)
{
	const struct counter_value *counter = &marks->counters[i];

	encode_time(out, counter->time_ns, &memory->time_ns);
	encode_f64(out, counter->value);
	encode_thread(out, counter->thread);
	buffer_add_uleb(out, counter->site);
	scope_changes_add(&memory->scopes, counter->thread, counter->scope);
}

void profile_encode_counters(struct buffer *out, const struct marks *marks, size_t first,
			     bool is_anew)
{
	encode_list(out,
		    &(struct marks_list){ .type = PROFILE_CHUNK_COUNTERS,
					  .marks = marks,
					  .put = put_counter,
					  .has_anew = true },
		    first, marks->n_counters, is_anew);
}

static void put_snapshot(struct buffer *out, const struct marks *marks, size_t i,
			 struct marks_memory *memory)
{
	const struct snapshot *snapshot = &marks->snapshots[i];

	encode_time(out, snapshot->time_ns, &memory->time_ns);
	encode_thread(out, snapshot->thread);
	buffer_add_uleb(out, snapshot->site);
	buffer_add_u8(out, (uint8_t)((snapshot->is_text ? PROFILE_SNAPSHOT_TEXT : 0) |
				     (snapshot->is_cut ? PROFILE_SNAPSHOT_CUT : 0)));
	buffer_add_uleb(out, snapshot->size_bytes);
	if (snapshot->size_bytes)
		buffer_add(out, marks->bytes + snapshot->bytes_offset, snapshot->size_bytes);
	scope_changes_add(&memory->scopes, snapshot->thread, snapshot->scope);
}

void profile_encode_snapshots(struct buffer *out, const struct marks *marks, size_t first,
			      bool is_anew)
{
	encode_list(out,
		    &(struct marks_list){ .type = PROFILE_CHUNK_SNAPSHOTS,
					  .marks = marks,
					  .put = put_snapshot,
					  .has_anew = true },
		    first, marks->n_snapshots, is_anew);
}

static void put_resource(struct buffer *out, const struct marks *marks, size_t i,
			 struct marks_memory *memory)
{
	const struct resource_sample *resource = &marks->resources[i];
	uint64_t *const last = memory->resources.fields[resource->pid % PROFILE_RESOURCE_PIDS];
	const uint64_t fields[PROFILE_RESOURCE_FIELDS] = {
		resource->rss_bytes,
		resource->pss_bytes,
		resource->heap_bytes,
		resource->anonymous_bytes,
		resource->n_minor_faults,
		resource->n_major_faults,
		resource->n_voluntary_switches,
		resource->n_involuntary_switches,
	};

	encode_time(out, resource->time_ns, &memory->time_ns);
	buffer_add_uleb(out, resource->pid);
	buffer_add_uleb(out, resource->run);
	for (size_t k = 0; k < PROFILE_RESOURCE_FIELDS; k++) {
		buffer_add_sleb(out, (int64_t)(fields[k] - last[k]));
		last[k] = fields[k];
	}
}

void profile_encode_resources(struct buffer *out, const struct marks *marks, size_t first,
			      bool is_anew)
{
	encode_list(out,
		    &(struct marks_list){ .type = PROFILE_CHUNK_RESOURCES,
					  .marks = marks,
					  .put = put_resource,
					  .has_anew = true },
		    first, marks->n_resources, is_anew);
}

static void encode_histogram(struct buffer *out, const struct histogram *histogram)
{
	size_t n_used = 0, next = 0;

	buffer_add_uleb(out, histogram->n_values);
	if (!histogram->n_values)
		return;
	for (size_t i = 0; i < histogram->n_buckets; i++)
		n_used += histogram->counts[i] != 0;
	buffer_add_uleb(out, histogram->min);
	buffer_add_uleb(out, histogram->max);
	buffer_add_uleb(out, n_used);
	for (size_t i = 0; i < histogram->n_buckets; i++) {
		if (!histogram->counts[i])
			continue;
		buffer_add_uleb(out, histogram->first + i - next);
		buffer_add_uleb(out, histogram->counts[i]);
		next = histogram->first + i + 1;
	}
}

void profile_encode_statistics(struct buffer *out, uint32_t id, const struct scope_node *node)
{
	buffer_add_uleb(out, id);
	buffer_add_uleb(out, node->n_errors);
	buffer_add_uleb(out, node->n_cut);
	buffer_add_uleb(out, node->n_open);
	buffer_add_uleb(out, node->total_ns);
	buffer_add_uleb(out, node->self_ns);
	encode_f64(out, node->mean_ns);
	encode_f64(out, node->squares_ns2);
	buffer_add_uleb(out, node->n_costs);
	if (node->n_costs) {
		buffer_add_uleb(out, node->cpu_ns);
		buffer_add_uleb(out, node->allocated_bytes);
		buffer_add_uleb(out, node->n_faults);
	}
	encode_histogram(out, &node->durations_ns);
}

void profile_encode_marks_quality(struct buffer *out, const struct marks *marks, bool has_all_calls)
{
	const struct marks_quality *quality = &marks->quality;
	const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_MARKS_QUALITY);

	buffer_add_u8(out, has_all_calls ? PROFILE_MARKS_ALL_CALLS : 0);
	buffer_add_uleb(out, quality->n_records);
	buffer_add_uleb(out, quality->n_lost);
	buffer_add_uleb(out, quality->n_homeless);
	buffer_add_uleb(out, quality->n_bad);
	buffer_add_uleb(out, quality->n_sites_dropped);
	buffer_add_uleb(out, quality->n_milestones_dropped);
	buffer_add_uleb(out, quality->n_snapshots_dropped);
	buffer_add_uleb(out, quality->n_counters_dropped);
	buffer_add_uleb(out, quality->n_calls_dropped);
	buffer_add_uleb(out, quality->n_late_samples);
	buffer_add_uleb(out, marks->scopes.n_unmatched_ends);
	buffer_add_uleb(out, marks->scopes.n_too_deep);
	profile_encode_chunk_end(out, chunk_at);
}
