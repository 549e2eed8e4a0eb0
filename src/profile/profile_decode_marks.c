/* What was marked: the chunks SITE, MILE, COUN, SNAP, RESO and MARQ, read with suspicion. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "profile/marks_format.h"
#include "profile/profile_decode.h"

int profile_decode_f64(struct bytes *payload, double *ret_value, struct error *err)
{
	const uint64_t bits = bytes_u64(payload);
	double value;

	static_assert(sizeof(bits) == sizeof(value), "on-disk layout");
	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value))
		return error_set(err, -EINVAL, "a number that is none");
	*ret_value = value;
	return 0;
}

int profile_decode_mark_thread(struct profile_decoder *decoder, struct bytes *payload,
			       uint32_t *ret_thread, struct error *err)
{
	uint32_t number = 0;
	const int r = profile_decode_index(payload, &number, decoder->profile->n_threads + 1,
					   "thread", err);

	if (r < 0)
		return r;
	*ret_thread = number ? number - 1 : MARK_NO_THREAD;
	return 0;
}

int profile_decode_anew(struct bytes *payload, bool *ret_is_anew, struct error *err)
{
	const uint8_t is_anew = bytes_u8(payload);

	if (is_anew > 1)
		return error_set(err, -EINVAL, "a list that begins in way %u", is_anew);
	*ret_is_anew = is_anew;
	return 0;
}

static int decode_site_id(struct profile_decoder *decoder, struct bytes *payload, uint32_t *ret_id,
			  struct error *err)
{
	return profile_decode_index(payload, ret_id, decoder->profile->marks.n_sites, "site", err);
}

static int decode_site(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	struct mark_site site = { 0 };
	int r = profile_decode_string_id(decoder, payload, &site.name, err);

	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &site.category, err);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &site.file, err);
	if (r == 0)
		r = profile_decode_u32(payload, &site.line, "line", err);
	if (r == 0)
		r = profile_decode_u32(payload, &site.sample_rate, "sample rate", err);
	if (r < 0)
		return r;
	site.kind = bytes_u8(payload);
	site.source = bytes_u8(payload);
	if (payload->is_bad)
		return 0;
	/* Nothing that is understood refers to a site of a kind that is not. */
	if (decoder->is_newer && (site.kind == 0 || site.kind > MARK_SNAPSHOT))
		site.kind = MARK_MILESTONE;
	if (decoder->is_newer && site.source > MARK_SOURCE_PROBE)
		site.source = MARK_SOURCE_LIBRARY;
	if (site.kind == 0 || site.kind > MARK_SNAPSHOT || site.source > MARK_SOURCE_PROBE)
		return error_set(err, -EINVAL, "an impossible site");
	if (marks->n_sites == MARKS_MAX_SITES_KEPT)
		return error_set(err, -EINVAL, "more than %d sites", MARKS_MAX_SITES_KEPT);
	return marks_add_site(marks, NULL, &site) < 0 ? error_set_no_memory(err) : 0;
}

int profile_decode_sites(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_site(decoder, payload, err);
	return r;
}

/* Where an entry of a list has its scope, and of which thread it is. */
typedef uint32_t *mark_scope(struct marks *marks, size_t i, uint32_t *ret_thread);

static uint32_t *milestone_scope(struct marks *marks, size_t i, uint32_t *ret_thread)
{
	*ret_thread = marks->milestones[i].thread;
	return &marks->milestones[i].scope;
}

static uint32_t *counter_scope(struct marks *marks, size_t i, uint32_t *ret_thread)
{
	*ret_thread = marks->counters[i].thread;
	return &marks->counters[i].scope;
}

static uint32_t *snapshot_scope(struct marks *marks, size_t i, uint32_t *ret_thread)
{
	*ret_thread = marks->snapshots[i].thread;
	return &marks->snapshots[i].scope;
}

/* What a list may end with. */
static int decode_scopes(struct marks *marks, struct bytes *payload, size_t first, size_t n_all,
			 mark_scope *scope_of, struct error *err)
{
	struct profile_scope_list list;
	int r = 0;

	profile_scope_list_init(&list, payload);
	if (!list.n_changes)
		return 0;
	for (size_t i = first; r == 0 && i < n_all && !payload->is_bad; i++) {
		uint32_t thread;
		uint32_t *scope = scope_of(marks, i, &thread);

		r = profile_scope_list_next(&list, thread, marks->scopes.n_nodes, scope, err);
	}
	return r < 0 ? r : profile_scope_list_end(&list, err);
}

static int decode_milestone(struct profile_decoder *decoder, struct bytes *payload,
			    uint64_t *time_ns, struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	struct milestone milestone = { .time_ns = *time_ns += (uint64_t)bytes_sleb(payload) };
	int r = profile_decode_mark_thread(decoder, payload, &milestone.thread, err);

	if (r == 0)
		r = decode_site_id(decoder, payload, &milestone.site, err);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &milestone.data, err);
	if (r == 0)
		r = profile_decode_index(payload, &milestone.run,
					 profile_run_count(decoder->profile), "run", err);
	if (r < 0 || payload->is_bad)
		return r;
	if (marks->n_milestones == MARKS_MAX_MILESTONES)
		return error_set(err, -EINVAL, "more than %d milestones", MARKS_MAX_MILESTONES);
	return marks_add_milestone(marks, &milestone) < 0 ? error_set_no_memory(err) : 0;
}

int profile_decode_milestones(struct profile_decoder *decoder, struct bytes *payload,
			      struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	const size_t first = marks->n_milestones;
	uint64_t time_ns = 0;
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_milestone(decoder, payload, &time_ns, err);
	if (r == 0)
		r = decode_scopes(marks, payload, first, marks->n_milestones, milestone_scope, err);
	return r;
}

static int decode_counter(struct profile_decoder *decoder, struct bytes *payload, uint64_t *time_ns,
			  struct error *err)
{
	struct counter_value counter = { .time_ns = *time_ns += (uint64_t)bytes_sleb(payload) };
	int r = profile_decode_f64(payload, &counter.value, err);

	if (r == 0)
		r = profile_decode_mark_thread(decoder, payload, &counter.thread, err);
	if (r == 0)
		r = decode_site_id(decoder, payload, &counter.site, err);
	if (r < 0 || payload->is_bad)
		return r;
	return marks_add_counter(&decoder->profile->marks, &counter) < 0 ? error_set_no_memory(err)
									 : 0;
}

int profile_decode_counters(struct profile_decoder *decoder, struct bytes *payload,
			    struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	uint64_t time_ns = 0;
	bool is_anew = false;
	size_t first;
	int r = profile_decode_anew(payload, &is_anew, err);

	if (r == 0 && is_anew)
		marks->n_counters = 0;
	first = marks->n_counters;
	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_counter(decoder, payload, &time_ns, err);
	if (r == 0)
		r = decode_scopes(marks, payload, first, marks->n_counters, counter_scope, err);
	return r;
}

static int decode_snapshot(struct profile_decoder *decoder, struct bytes *payload,
			   uint64_t *time_ns, struct error *err)
{
	struct snapshot snapshot = { .time_ns = *time_ns += (uint64_t)bytes_sleb(payload) };
	int r = profile_decode_mark_thread(decoder, payload, &snapshot.thread, err);
	const uint8_t *bytes;
	uint8_t flags;

	if (r == 0)
		r = decode_site_id(decoder, payload, &snapshot.site, err);
	if (r < 0)
		return r;
	flags = bytes_u8(payload);
	r = profile_decode_u32(payload, &snapshot.size_bytes, "snapshot size", err);
	if (r < 0)
		return r;
	bytes = bytes_take(payload, snapshot.size_bytes);
	if (flags & ~PROFILE_SNAPSHOT_KNOWN_FLAGS && !decoder->is_newer)
		return error_set(err, -EINVAL, "an impossible snapshot");
	if (payload->is_bad)
		return 0;
	snapshot.is_text = flags & PROFILE_SNAPSHOT_TEXT;
	snapshot.is_cut = flags & PROFILE_SNAPSHOT_CUT;
	return marks_add_snapshot(&decoder->profile->marks, &snapshot, bytes) < 0
		       ? error_set_no_memory(err)
		       : 0;
}

int profile_decode_snapshots(struct profile_decoder *decoder, struct bytes *payload,
			     struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	uint64_t time_ns = 0;
	bool is_anew = false;
	size_t first;
	int r = profile_decode_anew(payload, &is_anew, err);

	if (r == 0 && is_anew)
		marks->n_snapshots = marks->n_bytes = 0;
	first = marks->n_snapshots;
	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_snapshot(decoder, payload, &time_ns, err);
	if (r == 0)
		r = decode_scopes(marks, payload, first, marks->n_snapshots, snapshot_scope, err);
	return r;
}

static int decode_resource(struct profile_decoder *decoder, struct bytes *payload,
			   uint64_t *time_ns, struct profile_resource_memory *memory,
			   struct error *err)
{
	struct resource_sample resource = { .time_ns = *time_ns += (uint64_t)bytes_sleb(payload) };
	const uint64_t n_runs = decoder->profile->n_runs;
	int r = profile_decode_u32(payload, &resource.pid, "pid", err);
	uint64_t *fields;

	if (r == 0)
		r = profile_decode_index(payload, &resource.run, n_runs ? n_runs : 1, "run", err);
	if (r < 0)
		return r;
	fields = memory->fields[resource.pid % PROFILE_RESOURCE_PIDS];
	for (size_t i = 0; i < PROFILE_RESOURCE_FIELDS; i++) {
		fields[i] += (uint64_t)bytes_sleb(payload);
		if (fields[i] > INT64_MAX)
			return error_set(err, -EINVAL, "impossible resources");
	}
	if (payload->is_bad)
		return 0;
	resource.rss_bytes = fields[0];
	resource.pss_bytes = fields[1];
	resource.heap_bytes = fields[2];
	resource.anonymous_bytes = fields[3];
	resource.n_minor_faults = fields[4];
	resource.n_major_faults = fields[5];
	resource.n_voluntary_switches = fields[6];
	resource.n_involuntary_switches = fields[7];
	return marks_add_resource(&decoder->profile->marks, &resource) < 0
		       ? error_set_no_memory(err)
		       : 0;
}

int profile_decode_resources(struct profile_decoder *decoder, struct bytes *payload,
			     struct error *err)
{
	struct profile_resource_memory memory = { 0 };
	uint64_t time_ns = 0;
	bool is_anew = false;
	int r = profile_decode_anew(payload, &is_anew, err);

	if (r == 0 && is_anew)
		decoder->profile->marks.n_resources = 0;
	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_resource(decoder, payload, &time_ns, &memory, err);
	return r;
}

int profile_decode_marks_quality(struct profile_decoder *decoder, struct bytes *payload,
				 struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	struct marks_quality *quality = &marks->quality;
	const uint8_t flags = bytes_u8(payload);

	if (flags & ~PROFILE_MARKS_ALL_CALLS && !decoder->is_newer)
		return error_set(err, -EINVAL, "impossible flags");
	marks->has_all_calls = flags & PROFILE_MARKS_ALL_CALLS;
	quality->n_records = bytes_uleb(payload);
	quality->n_lost = bytes_uleb(payload);
	quality->n_homeless = bytes_uleb(payload);
	quality->n_bad = bytes_uleb(payload);
	quality->n_sites_dropped = bytes_uleb(payload);
	quality->n_milestones_dropped = bytes_uleb(payload);
	quality->n_snapshots_dropped = bytes_uleb(payload);
	quality->n_counters_dropped = bytes_uleb(payload);
	quality->n_calls_dropped = bytes_uleb(payload);
	quality->n_late_samples = bytes_uleb(payload);
	marks->scopes.n_unmatched_ends = bytes_uleb(payload);
	marks->scopes.n_too_deep = bytes_uleb(payload);
	return 0;
}
