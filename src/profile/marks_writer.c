/*
 * Marks of a growing file.  Of what is not appended but replaced, at most
 * MARKS_STATUS_BYTES are written in MARKS_STATUS_INTERVAL_NS, on average: less than
 * samples take at the usual rate.
 */
#include "profile/marks_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/units.h"

#define MARKS_STATUS_INTERVAL_NS (10 * NS_PER_S)

enum {
	MARKS_STATUS_BYTES = 64 * 1024,

	/* Worth a chunk before its time. */
	MARKS_RESOURCES_IN_CHUNK = 256,
};

void marks_writer_release(struct marks_writer *writer)
{
	free(writer->statistics);
	*writer = (struct marks_writer){ 0 };
}

void marks_writer_restart(struct marks_writer *writer)
{
	if (writer->statistics)
		memset(writer->statistics, 0,
		       writer->statistics_capacity * sizeof(*writer->statistics));
	writer->quality = 0;
}

void marks_writer_add_tables(struct buffer *out, const struct marks *marks,
			     struct profile_counts *written)
{
	profile_encode_sites(out, marks, written->n_sites);
	written->n_sites = marks->n_sites;
	profile_encode_scopes(out, marks, written->n_scopes);
	written->n_scopes = marks->scopes.n_nodes;
}

static void add_resources(struct buffer *out, const struct marks *marks,
			  struct profile_counts *written)
{
	profile_encode_resources(out, marks, written->n_resources, false);
	written->n_resources = marks->n_resources;
}

void marks_writer_add_lists(struct marks_writer *writer, struct buffer *out, struct marks *marks,
			    struct profile_counts *written)
{
	profile_encode_milestones(out, marks, written->n_milestones);
	written->n_milestones = marks->n_milestones;
	if (marks->has_all_calls) {
		profile_encode_calls(out, marks, 0, false);
		written->n_calls += marks->n_calls;
		marks->n_calls = 0;
	} else if (marks->n_calls_rearranged == writer->n_calls_rearranged) {
		profile_encode_calls(out, marks, written->n_calls, false);
		written->n_calls = marks->n_calls;
	}
	if (marks->n_counters_rearranged == writer->n_counters_rearranged) {
		profile_encode_counters(out, marks, written->n_counters, false);
		written->n_counters = marks->n_counters;
	}
	if (marks->n_snapshots_rearranged == writer->n_snapshots_rearranged) {
		profile_encode_snapshots(out, marks, written->n_snapshots, false);
		written->n_snapshots = marks->n_snapshots;
	}
	if (marks->n_resources_rearranged == writer->n_resources_rearranged &&
	    marks->n_resources - written->n_resources >= MARKS_RESOURCES_IN_CHUNK)
		add_resources(out, marks, written);
}

/* Lists that hold something else than what was appended. */
static void add_rearranged(struct marks_writer *writer, struct buffer *out,
			   const struct marks *marks, struct profile_counts *written)
{
	if (!marks->has_all_calls && marks->n_calls_rearranged != writer->n_calls_rearranged) {
		profile_encode_calls(out, marks, 0, written->n_calls > 0);
		written->n_calls = marks->n_calls;
		writer->n_calls_rearranged = marks->n_calls_rearranged;
	}
	if (marks->n_counters_rearranged != writer->n_counters_rearranged) {
		profile_encode_counters(out, marks, 0, written->n_counters > 0);
		written->n_counters = marks->n_counters;
		writer->n_counters_rearranged = marks->n_counters_rearranged;
	}
	if (marks->n_snapshots_rearranged != writer->n_snapshots_rearranged) {
		profile_encode_snapshots(out, marks, 0, written->n_snapshots > 0);
		written->n_snapshots = marks->n_snapshots;
		writer->n_snapshots_rearranged = marks->n_snapshots_rearranged;
	}
	if (marks->n_resources_rearranged != writer->n_resources_rearranged) {
		profile_encode_resources(out, marks, 0, written->n_resources > 0);
		written->n_resources = marks->n_resources;
		writer->n_resources_rearranged = marks->n_resources_rearranged;
	}
	add_resources(out, marks, written);
}

/* Changes with every call that the node counts. */
static uint64_t statistics_hash(const struct scope_node *node)
{
	uint64_t hash = hash_pair(node->durations_ns.n_values, node->n_errors);

	hash = hash_pair(hash, node->n_cut);
	hash = hash_pair(hash, node->n_open);
	hash = hash_pair(hash, node->total_ns);
	hash = hash_pair(hash, node->n_costs);
	return hash | 1;
}

static bool has_statistics(const struct scope_node *node)
{
	return node->durations_ns.n_values || node->n_errors || node->n_cut || node->n_open ||
	       node->n_costs;
}

/* One chunk of nodes whose statistics changed, from `first` on; returns where it stopped. */
static size_t add_statistics_chunk(struct marks_writer *writer, struct buffer *out,
				   const struct scope_tree *scopes, size_t first)
{
	struct buffer entries = BUFFER_INIT;
	uint64_t n = 0;
	size_t i = first;

	for (; i < scopes->n_nodes && entries.size < PROFILE_CHUNK_USUAL_BYTES; i++) {
		const struct scope_node *node = &scopes->nodes[i];
		const uint64_t hash = statistics_hash(node);

		if (writer->statistics[i] == hash || !has_statistics(node))
			continue;
		profile_encode_statistics(&entries, (uint32_t)i, node);
		writer->statistics[i] = hash;
		n++;
		if (entries.is_failed)
			break;
	}
	if (n) {
		const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_STATISTICS);

		buffer_add_uleb(out, n);
		buffer_add(out, buffer_string(&entries), entries.size);
		profile_encode_chunk_end(out, chunk_at);
	}
	out->is_failed |= entries.is_failed;
	buffer_release(&entries);
	return i;
}

static int add_statistics(struct marks_writer *writer, struct buffer *out,
			  const struct scope_tree *scopes)
{
	const size_t old_capacity = writer->statistics_capacity;
	uint64_t *grown = array_grown(writer->statistics, &writer->statistics_capacity,
				      scopes->n_nodes, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	writer->statistics = grown;
	memset(grown + old_capacity, 0,
	       (writer->statistics_capacity - old_capacity) * sizeof(*grown));
	for (size_t i = 1; i < scopes->n_nodes && !out->is_failed;)
		i = add_statistics_chunk(writer, out, scopes, i);
	return 0;
}

static void add_quality(struct marks_writer *writer, struct buffer *out, const struct marks *marks)
{
	const bool has_all_calls = marks->has_all_calls && !writer->has_lost_calls;
	uint64_t hash = hash_bytes(&marks->quality, sizeof(marks->quality));

	hash = hash_pair(hash, marks->scopes.n_unmatched_ends);
	hash = hash_pair(hash, marks->scopes.n_too_deep);
	hash = hash_pair(hash, has_all_calls) | 1;
	if (writer->quality == hash)
		return;
	profile_encode_marks_quality(out, marks, has_all_calls);
	writer->quality = hash;
}

int marks_writer_add_status(struct marks_writer *writer, struct buffer *out,
			    const struct marks *marks, struct profile_counts *written)
{
	const size_t old_bytes = out->size;
	int r = 0;

	add_rearranged(writer, out, marks, written);
	if (marks_are_there(marks)) {
		r = add_statistics(writer, out, &marks->scopes);
		add_quality(writer, out, marks);
	}
	writer->status_bytes = out->size - old_bytes;
	return r;
}

bool marks_writer_is_status_due(struct marks_writer *writer, uint64_t now_ns)
{
	const uint64_t wait_ns = MARKS_STATUS_INTERVAL_NS *
				 (1 + writer->status_bytes / MARKS_STATUS_BYTES);

	if (writer->status_ns && now_ns - writer->status_ns < wait_ns)
		return false;
	if (!writer->status_ns) {
		writer->status_ns = now_ns;
		return false;
	}
	writer->status_ns = now_ns;
	return true;
}
