/* What is known of scopes: the chunks SCOP, CALL and STAT, and the scopes of samples, read. */
#include <errno.h>
#include <inttypes.h>

#include "base/array.h"
#include "profile/marks_format.h"
#include "profile/profile_decode.h"

/* Mean and squares of 64-bit numbers cannot be larger. */
#define MEAN_MAX_NS 0x1p64
#define SQUARES_MAX_NS2 0x1p192

enum {
	SCOPE_CALL_KNOWN_FLAGS = SCOPE_CALL_ERROR | SCOPE_CALL_OPEN | SCOPE_CALL_CUT |
				 SCOPE_CALL_COSTS,
};

void profile_scope_list_init(struct profile_scope_list *list, struct bytes *payload)
{
	*list = (struct profile_scope_list){ .payload = payload };
	list->n_changes = bytes_left(payload) ? bytes_uleb(payload) : 0;
	list->n_same = list->n_changes ? bytes_uleb(payload) : UINT64_MAX;
}

int profile_scope_list_next(struct profile_scope_list *list, uint32_t thread, size_t n_nodes,
			    uint32_t *ret_scope, struct error *err)
{
	uint32_t *last = &list->memory.scopes[thread % PROFILE_SCOPE_THREADS];

	if (list->n_same-- == 0) {
		const int r = profile_decode_index(list->payload, last, n_nodes, "scope", err);

		if (r < 0)
			return r;
		list->n_same = --list->n_changes ? bytes_uleb(list->payload) : UINT64_MAX;
	}
	*ret_scope = *last;
	return 0;
}

int profile_scope_list_end(const struct profile_scope_list *list, struct error *err)
{
	if (list->n_changes && !list->payload->is_bad)
		return error_set(err, -EINVAL, "scopes of more entries than there are");
	return 0;
}

int profile_decode_sample_scopes(struct profile_decoder *decoder, struct bytes *payload,
				 size_t first, struct error *err)
{
	struct profile *profile = decoder->profile;
	struct profile_scope_list list;
	int r = 0;

	profile_scope_list_init(&list, payload);
	if (!list.n_changes)
		return 0;
	for (size_t i = first; r == 0 && i < profile->n_samples && !payload->is_bad; i++)
		r = profile_scope_list_next(&list, profile->samples[i].thread,
					    profile->marks.scopes.n_nodes,
					    &profile->samples[i].scope, err);
	return r < 0 ? r : profile_scope_list_end(&list, err);
}

/* As deep as scopes nest: views may recurse. */
static int decode_scope_depth(struct profile_decoder *decoder, size_t id, uint32_t parent,
			      struct error *err)
{
	uint16_t *grown = array_grown(decoder->scope_depths, &decoder->scope_depths_capacity,
				      id + 1, sizeof(*grown));

	if (!grown)
		return error_set_no_memory(err);
	decoder->scope_depths = grown;
	grown[0] = 0;
	if (grown[parent] >= SCOPE_STACK_MAX_DEPTH)
		return error_set(err, -EINVAL, "more than %d scopes inside each other",
				 SCOPE_STACK_MAX_DEPTH);
	grown[id] = (uint16_t)(grown[parent] + 1);
	return 0;
}

static int decode_scope(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	const size_t expected_id = marks->scopes.n_nodes;
	const uint64_t up = bytes_uleb(payload);
	uint32_t site = 0, id = 0;
	int r = profile_decode_index(payload, &site, marks->n_sites, "site", err);

	if (r < 0 || payload->is_bad)
		return r;
	if (up == 0 || up > expected_id || expected_id >= MARKS_MAX_SCOPE_NODES)
		return error_set(err, -EINVAL, "scope %zu points nowhere", expected_id);
	r = decode_scope_depth(decoder, expected_id, (uint32_t)(expected_id - up), err);
	if (r < 0)
		return r;
	if (scope_tree_get(&marks->scopes, &id, (uint32_t)(expected_id - up), site) < 0)
		return error_set_no_memory(err);
	if (id != expected_id)
		return error_set(err, -EINVAL, "scope %zu is there already", expected_id);
	return 0;
}

int profile_decode_scopes(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_scope(decoder, payload, err);
	return r;
}

static int decode_call(struct profile_decoder *decoder, struct bytes *payload, uint64_t *start_ns,
		       struct error *err)
{
	struct marks *marks = &decoder->profile->marks;
	struct scope_call call = { .start_ns = *start_ns += (uint64_t)bytes_sleb(payload) };
	uint8_t flags;
	int r;

	call.duration_ns = bytes_uleb(payload);
	r = profile_decode_mark_thread(decoder, payload, &call.thread, err);
	if (r == 0)
		r = profile_decode_index(payload, &call.node, marks->scopes.n_nodes, "scope", err);
	flags = bytes_u8(payload);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &call.arguments, err);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &call.error, err);
	if (r < 0)
		return r;
	if (flags & SCOPE_CALL_COSTS) {
		call.cpu_ns = bytes_uleb(payload);
		call.allocated_bytes = bytes_uleb(payload);
		call.n_faults = bytes_uleb(payload);
	}
	if (payload->is_bad)
		return 0;
	call.flags = flags & SCOPE_CALL_KNOWN_FLAGS;
	if ((flags & ~SCOPE_CALL_KNOWN_FLAGS && !decoder->is_newer) || call.node == 0 ||
	    call.duration_ns > UINT64_MAX - call.start_ns)
		return error_set(err, -EINVAL, "an impossible call");
	return marks_add_call(marks, &call) < 0 ? error_set_no_memory(err) : 0;
}

int profile_decode_calls(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	uint64_t start_ns = 0;
	bool is_anew = false;
	int r = profile_decode_anew(payload, &is_anew, err);

	if (r == 0 && is_anew)
		decoder->profile->marks.n_calls = 0;
	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_call(decoder, payload, &start_ns, err);
	return r;
}

/* The counts; `ret_first` and `ret_last` are the buckets at the ends. */
static int decode_buckets(struct profile_decoder *decoder, struct bytes *payload,
			  struct histogram *histogram, size_t *ret_first, size_t *ret_last,
			  struct error *err)
{
	uint64_t bucket = UINT64_MAX;

	for (uint64_t n = bytes_uleb(payload); n; n--) {
		const uint64_t step = bytes_uleb(payload);
		const uint64_t count = bytes_uleb(payload);

		if (payload->is_bad)
			return 0;
		if (step >= HISTOGRAM_MAX_BUCKETS || bucket + 1 + step >= HISTOGRAM_MAX_BUCKETS ||
		    count == 0 || count > INT64_MAX - histogram->n_values)
			return error_set(err, -EINVAL, "impossible durations");
		if (bucket == UINT64_MAX)
			*ret_first = (size_t)step;
		bucket += 1 + step;
		if (histogram_add(histogram, histogram_bucket_start((size_t)bucket), count) < 0)
			return error_set_no_memory(err);
		if (histogram->n_buckets > PROFILE_BUCKETS_MAX - decoder->n_buckets)
			return error_set(err, -EINVAL, "more durations than fit into memory");
	}
	*ret_last = (size_t)bucket;
	return 0;
}

static int decode_histogram(struct profile_decoder *decoder, struct bytes *payload,
			    struct histogram *histogram, struct error *err)
{
	const uint64_t n_values = bytes_uleb(payload);
	size_t first = 0, last = 0;
	uint64_t min, max;
	int r;

	if (n_values == 0)
		return 0;
	min = bytes_uleb(payload);
	max = bytes_uleb(payload);
	r = decode_buckets(decoder, payload, histogram, &first, &last, err);
	if (r < 0 || payload->is_bad)
		return r;
	if (histogram->n_values != n_values || min > max || histogram_bucket(min) != first ||
	    histogram_bucket(max) != last)
		return error_set(err, -EINVAL, "durations that do not add up");
	histogram->min = min;
	histogram->max = max;
	return 0;
}

/* Views add these up, so that each sum over all nodes has to fit. */
static int replace_in_sums(struct profile_decoder *decoder, const struct scope_node *old,
			   const struct scope_node *node, struct error *err)
{
	const struct {
		uint64_t old, now;
	} sums[PROFILE_SCOPE_SUMS] = {
		{ old->durations_ns.n_values, node->durations_ns.n_values },
		{ old->total_ns, node->total_ns },
		{ old->self_ns, node->self_ns },
		{ old->n_errors, node->n_errors },
		{ old->n_cut, node->n_cut },
		{ old->n_open, node->n_open },
		{ old->cpu_ns, node->cpu_ns },
		{ scope_cost_known(old->allocated_bytes), scope_cost_known(node->allocated_bytes) },
		{ old->n_faults, node->n_faults },
	};

	for (size_t i = 0; i < PROFILE_SCOPE_SUMS; i++) {
		decoder->scope_sums[i] -= sums[i].old;
		if (sums[i].now > INT64_MAX - decoder->scope_sums[i])
			return error_set(err, -EINVAL, "statistics that are too large");
		decoder->scope_sums[i] += sums[i].now;
	}
	return 0;
}

static int decode_numbers(struct bytes *payload, struct scope_node *node, struct error *err)
{
	int r;

	node->n_errors = bytes_uleb(payload);
	node->n_cut = bytes_uleb(payload);
	node->n_open = bytes_uleb(payload);
	node->total_ns = bytes_uleb(payload);
	node->self_ns = bytes_uleb(payload);
	r = profile_decode_f64(payload, &node->mean_ns, err);
	if (r == 0)
		r = profile_decode_f64(payload, &node->squares_ns2, err);
	if (r < 0)
		return r;
	node->n_costs = bytes_uleb(payload);
	if (node->n_costs) {
		node->cpu_ns = bytes_uleb(payload);
		node->allocated_bytes = bytes_uleb(payload);
		node->n_faults = bytes_uleb(payload);
	}
	if (node->mean_ns < 0 || node->mean_ns > MEAN_MAX_NS || node->squares_ns2 < 0 ||
	    node->squares_ns2 > SQUARES_MAX_NS2 || node->n_costs > INT64_MAX)
		return error_set(err, -EINVAL, "impossible statistics");
	return 0;
}

/* In place of what was known of the node before. */
static int decode_statistics(struct profile_decoder *decoder, struct bytes *payload,
			     struct error *err)
{
	struct scope_tree *scopes = &decoder->profile->marks.scopes;
	struct scope_node *node, now;
	uint32_t id = 0;
	int r = profile_decode_index(payload, &id, scopes->n_nodes, "scope", err);

	if (r < 0)
		return r;
	node = &scopes->nodes[id];
	now = *node;
	now.cpu_ns = now.allocated_bytes = now.n_faults = 0;
	now.durations_ns = (struct histogram){ 0 };
	r = decode_numbers(payload, &now, err);
	if (r == 0)
		r = decode_histogram(decoder, payload, &now.durations_ns, err);
	if (r == 0 && !payload->is_bad)
		r = replace_in_sums(decoder, node, &now, err);
	if (r < 0 || payload->is_bad) {
		histogram_release(&now.durations_ns);
		return r;
	}
	decoder->n_buckets += now.durations_ns.n_buckets;
	decoder->n_buckets -= node->durations_ns.n_buckets;
	histogram_release(&node->durations_ns);
	*node = now;
	return 0;
}

int profile_decode_statistics(struct profile_decoder *decoder, struct bytes *payload,
			      struct error *err)
{
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = decode_statistics(decoder, payload, err);
	return r;
}
