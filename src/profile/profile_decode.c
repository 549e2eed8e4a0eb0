/* The chunks of a profile file, read with suspicion. */
#include "profile/profile_decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buffer.h"

void profile_decoder_release(struct profile_decoder *decoder)
{
	free(decoder->depths);
	free(decoder->entries);
	free(decoder->scope_depths);
	*decoder = (struct profile_decoder){ 0 };
}

int profile_decode_index(struct bytes *payload, uint32_t *ret_index, uint64_t limit,
			 const char *what, struct error *err)
{
	const uint64_t value = bytes_uleb(payload);

	if (value >= limit || value > UINT32_MAX)
		return error_set(err, -EINVAL, "%s %" PRIu64 " of %" PRIu64, what, value, limit);
	*ret_index = (uint32_t)value;
	return 0;
}

int profile_decode_u32(struct bytes *payload, uint32_t *ret_value, const char *what,
		       struct error *err)
{
	return profile_decode_index(payload, ret_value, UINT64_C(1) << 32, what, err);
}

int profile_decode_string_id(struct profile_decoder *decoder, struct bytes *payload,
			     uint32_t *ret_id, struct error *err)
{
	return profile_decode_index(payload, ret_id, decoder->profile->strings.n_strings, "string",
				    err);
}

/* The next string in place of the last one, which it may share its start with. */
static int profile_decode_string(struct bytes *payload, struct buffer *text, struct error *err)
{
	const uint64_t shared = bytes_uleb(payload);
	const uint64_t size = bytes_uleb(payload);
	const uint8_t *rest = bytes_take(payload, size);

	if (!rest)
		return 0;
	if (shared > text->size || size > INTERNER_STRING_MAX_BYTES - shared)
		return error_set(err, -EINVAL, "an impossible string");
	text->size = (size_t)shared;
	buffer_add(text, rest, (size_t)size);
	return text->is_failed ? error_set_no_memory(err) : 0;
}

static int profile_decode_strings(struct profile_decoder *decoder, struct bytes *payload,
				  struct error *err)
{
	struct interner *strings = &decoder->profile->strings;
	struct buffer text = BUFFER_INIT;
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n; n--) {
		const size_t expected_id = strings->n_strings;
		uint32_t id;

		r = profile_decode_string(payload, &text, err);
		if (r < 0 || payload->is_bad)
			break;
		if (interner_add_sized(strings, &id, buffer_string(&text), text.size) < 0)
			r = error_set_no_memory(err);
		else if (id != expected_id)
			r = error_set(err, -EINVAL, "string %zu is there already", expected_id);
	}
	buffer_release(&text);
	return r;
}

static int profile_decode_module(struct profile_decoder *decoder, struct bytes *payload,
				 struct error *err)
{
	struct profile *profile = decoder->profile;
	struct module module = { 0 };
	const uint8_t *build_id;
	uint32_t id = 0;
	int r = profile_decode_index(payload, &id, profile->n_modules + 1, "module", err);

	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &module.path, err);
	if (r < 0)
		return r;
	module.kind = bytes_u8(payload);
	module.build_id_size = bytes_u8(payload);
	build_id = bytes_take(payload, module.build_id_size);
	if (module.build_id_size > BUILD_ID_MAX_BYTES || id == MODULE_PSEUDO)
		return error_set(err, -EINVAL, "an impossible module %" PRIu32, id);
	if (module.kind == MODULE_KIND_PSEUDO || module.kind > MODULE_KIND_NAMES) {
		if (!decoder->is_newer)
			return error_set(err, -EINVAL, "module %" PRIu32 " of kind %u", id,
					 module.kind);
		module.kind = MODULE_KIND_ANONYMOUS;
	}
	if (payload->is_bad || !build_id)
		return 0;
	memcpy(module.build_id, build_id, module.build_id_size);
	if (id < profile->n_modules)
		profile->modules[id] = module;
	else if (profile_add_module(profile, NULL, &module) < 0)
		return error_set_no_memory(err);
	return 0;
}

static int profile_decode_modules(struct profile_decoder *decoder, struct bytes *payload,
				  struct error *err)
{
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = profile_decode_module(decoder, payload, err);
	return r;
}

static int profile_decode_locations(struct profile_decoder *decoder, struct bytes *payload,
				    struct error *err)
{
	struct profile *profile = decoder->profile;
	uint64_t *last_vaddrs = calloc(profile->n_modules, sizeof(*last_vaddrs));
	int r = last_vaddrs ? 0 : error_set_no_memory(err);

	for (uint64_t n = bytes_uleb(payload); r == 0 && n; n--) {
		const size_t expected_id = profile->locations.n_locations;
		uint32_t module = 0, id = 0;

		r = profile_decode_index(payload, &module, profile->n_modules, "module", err);
		if (r < 0)
			break;
		last_vaddrs[module] += (uint64_t)bytes_sleb(payload);
		if (payload->is_bad)
			break;
		if (location_table_add(&profile->locations, &id, module, last_vaddrs[module]) < 0)
			r = error_set_no_memory(err);
		else if (id != expected_id)
			r = error_set(err, -EINVAL, "location %zu is there already", expected_id);
	}
	free(last_vaddrs);
	return r;
}

/* The depth of a new node, checked: views may recurse as deep as stacks go. */
static int profile_decode_depth(struct profile_decoder *decoder, size_t id, uint32_t parent,
				struct error *err)
{
	uint16_t *grown = array_grown(decoder->depths, &decoder->depths_capacity, id + 1,
				      sizeof(*grown));

	if (!grown)
		return error_set_no_memory(err);
	decoder->depths = grown;
	grown[0] = 0;
	if (grown[parent] >= PROFILE_STACK_MAX_FRAMES)
		return error_set(err, -EINVAL, "a stack of more than %d frames",
				 PROFILE_STACK_MAX_FRAMES);
	grown[id] = (uint16_t)(grown[parent] + 1);
	return 0;
}

static int profile_decode_nodes(struct profile_decoder *decoder, struct bytes *payload,
				struct error *err)
{
	struct profile *profile = decoder->profile;
	struct stack_trie *stacks = &profile->stacks;
	uint64_t location = 0;

	for (uint64_t n = bytes_uleb(payload); n; n--) {
		const size_t expected_id = stacks->n_nodes;
		const uint64_t up = bytes_uleb(payload);
		uint32_t id = 0;
		int r;

		location += (uint64_t)bytes_sleb(payload);
		if (payload->is_bad)
			break;
		if (up == 0 || up > expected_id || location >= profile->locations.n_locations)
			return error_set(err, -EINVAL, "stack node %zu points nowhere",
					 expected_id);
		r = profile_decode_depth(decoder, expected_id, (uint32_t)(expected_id - up), err);
		if (r < 0)
			return r;
		if (stack_trie_add(stacks, &id, (uint32_t)(expected_id - up), (uint32_t)location) <
		    0)
			return error_set_no_memory(err);
		if (id != expected_id)
			return error_set(err, -EINVAL, "stack node %zu is there already",
					 expected_id);
	}
	return 0;
}

int profile_decode_sums(struct profile_decoder *decoder, uint64_t weight_ns, uint64_t count,
			struct error *err)
{
	if (weight_ns > INT64_MAX - decoder->sampled_ns)
		return error_set(err, -EINVAL, "samples of more than 292 years");
	if (count > INT64_MAX - decoder->n_ticks)
		return error_set(err, -EINVAL, "more ticks than can be counted");
	decoder->sampled_ns += weight_ns;
	decoder->n_ticks += count;
	return 0;
}

/* Reads on from `sample`, which holds the one before. */
static int profile_decode_sample(struct profile_decoder *decoder, struct bytes *payload,
				 struct sample *sample, uint64_t usual_weight_ns, struct error *err)
{
	const uint8_t flags = bytes_u8(payload);
	const uint64_t step_ns = bytes_uleb(payload);
	const bool is_complete = flags & PROFILE_SAMPLE_COMPLETE;
	uint64_t thread = sample->thread, node = sample->node, count, cpu = sample->cpu, end;
	int r;

	sample->time_ns += flags & PROFILE_SAMPLE_EARLIER ? -step_ns : step_ns;
	if (!(flags & PROFILE_SAMPLE_SAME_THREAD))
		thread = bytes_uleb(payload);
	if (!(flags & PROFILE_SAMPLE_SAME_NODE))
		node += (uint64_t)bytes_sleb(payload);
	sample->weight_ns = usual_weight_ns;
	if (!(flags & PROFILE_SAMPLE_USUAL_WEIGHT))
		sample->weight_ns += (uint64_t)bytes_sleb(payload);
	count = flags & PROFILE_SAMPLE_ONE ? 1 : bytes_uleb(payload);
	if (!(flags & PROFILE_SAMPLE_SAME_CPU))
		cpu = bytes_uleb(payload);
	end = is_complete ? STACK_COMPLETE : bytes_uleb(payload);
	if (end >= STACK_N_ENDS && decoder->is_newer)
		end = STACK_BAD_MEMORY;
	if (payload->is_bad)
		return 0;
	if (flags & ~PROFILE_SAMPLE_KNOWN_FLAGS || thread >= decoder->profile->n_threads ||
	    node >= decoder->profile->stacks.n_nodes || count == 0 || cpu > UINT16_MAX ||
	    end >= STACK_N_ENDS)
		return error_set(err, -EINVAL, "an impossible sample");
	if (end == STACK_NOT_SAMPLED)
		count = 0;
	r = profile_decode_sums(decoder, sample->weight_ns, count, err);
	if (r < 0)
		return r;
	sample->thread = (uint32_t)thread;
	sample->node = (uint32_t)node;
	sample->count = count;
	sample->cpu = (uint16_t)cpu;
	sample->end = (uint16_t)end;
	return 0;
}

static int profile_decode_samples(struct profile_decoder *decoder, struct bytes *payload,
				  struct error *err)
{
	const uint64_t n = bytes_uleb(payload);
	struct sample sample = { .time_ns = bytes_uleb(payload) };
	const uint64_t usual_weight_ns = bytes_uleb(payload);
	const size_t first = decoder->profile->n_samples;

	for (uint64_t i = 0; i < n; i++) {
		const int r = profile_decode_sample(decoder, payload, &sample, usual_weight_ns,
						    err);

		if (r < 0)
			return r;
		if (payload->is_bad)
			break;
		if (profile_add_sample(decoder->profile, &sample) < 0)
			return error_set_no_memory(err);
	}
	return profile_decode_sample_scopes(decoder, payload, first, err);
}

static int profile_decode_quality(struct profile_decoder *decoder, struct bytes *payload,
				  struct error *err)
{
	struct quality quality = { 0 };
	uint64_t n_ends;

	quality.n_samples = bytes_uleb(payload);
	quality.n_lost = bytes_uleb(payload);
	quality.n_lost_events = bytes_uleb(payload);
	quality.n_throttled = bytes_uleb(payload);
	n_ends = bytes_uleb(payload);
	for (uint64_t i = 0; i < n_ends && !payload->is_bad; i++)
		quality.n_by_end[i < STACK_N_ENDS ? i : STACK_BAD_MEMORY] += bytes_uleb(payload);
	quality.n_unresolved = bytes_uleb(payload);
	quality.sampled_ns = bytes_uleb(payload);
	quality.target_cpu_ns = bytes_uleb(payload);
	quality.recorder_cpu_ns = bytes_uleb(payload);
	quality.needed_stack_bytes_p999 = bytes_uleb(payload);
	if (bytes_left(payload))
		quality.not_sampled_ns = bytes_uleb(payload);
	if (bytes_left(payload)) {
		quality.n_waits = bytes_uleb(payload);
		quality.waited_ns = bytes_uleb(payload);
		quality.n_waits_bare = bytes_uleb(payload);
		quality.waited_bare_ns = bytes_uleb(payload);
		quality.n_lost_switches = bytes_uleb(payload);
	}
	if (bytes_left(payload))
		quality.n_dropped = bytes_uleb(payload);
	if (bytes_left(payload))
		quality.stolen_ns = bytes_uleb(payload);
	if (n_ends > STACK_N_ENDS && !decoder->is_newer)
		return error_set(err, -EINVAL, "%" PRIu64 " ways for a stack to end", n_ends);
	decoder->profile->quality = quality;
	return 0;
}

/* Before 1.3 there were none, and where there are none nothing is said of them. */
static bool profile_has_all_marks(const struct marks *marks, struct bytes *payload)
{
	const uint64_t counts[] = { marks->n_sites,    marks->n_milestones, marks->scopes.n_nodes,
				    marks->n_calls,    marks->n_counters,   marks->n_snapshots,
				    marks->n_resources };
	bool is_whole = true;

	if (!bytes_left(payload))
		return !marks->n_sites && !marks->n_resources;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		is_whole &= bytes_uleb(payload) == counts[i];
	return is_whole;
}

/* The counts tell whether whole chunks went missing. */
static int profile_decode_end(struct profile_decoder *decoder, struct bytes *payload,
			      struct error *err)
{
	const struct profile *profile = decoder->profile;
	const uint64_t counts[] = {
		profile->strings.n_strings, profile->n_modules,
		profile->n_threads,	    profile->locations.n_locations,
		profile->stacks.n_nodes,    profile->n_samples - decoder->n_waits
	};
	bool is_whole = true;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		is_whole &= bytes_uleb(payload) == counts[i];
	/* Before 1.2 there were no waits and no runs. */
	if (bytes_left(payload))
		is_whole &= bytes_uleb(payload) == decoder->n_waits;
	if (bytes_left(payload))
		is_whole &= bytes_uleb(payload) == profile->n_runs;
	is_whole &= profile_has_all_marks(&profile->marks, payload);
	if (!is_whole)
		return error_set(err, -EINVAL, "a chunk before it is missing");
	decoder->has_end = true;
	return 0;
}

static int profile_decode_payload(struct profile_decoder *decoder, uint32_t type,
				  struct bytes *payload, struct error *err)
{
	switch ((enum profile_chunk_type)type) {
	case PROFILE_CHUNK_STRINGS:
		return profile_decode_strings(decoder, payload, err);
	case PROFILE_CHUNK_MODULES:
		return profile_decode_modules(decoder, payload, err);
	case PROFILE_CHUNK_THREADS:
		return profile_decode_threads(decoder, payload, err);
	case PROFILE_CHUNK_RUNS:
		return profile_decode_runs(decoder, payload, err);
	case PROFILE_CHUNK_LOCATIONS:
		return profile_decode_locations(decoder, payload, err);
	case PROFILE_CHUNK_NODES:
		return profile_decode_nodes(decoder, payload, err);
	case PROFILE_CHUNK_SAMPLES:
		return profile_decode_samples(decoder, payload, err);
	case PROFILE_CHUNK_WAITS:
		return profile_decode_waits(decoder, payload, err);
	case PROFILE_CHUNK_FRAMES:
		return profile_decode_frames(decoder, payload, err);
	case PROFILE_CHUNK_SITES:
		return profile_decode_sites(decoder, payload, err);
	case PROFILE_CHUNK_SCOPES:
		return profile_decode_scopes(decoder, payload, err);
	case PROFILE_CHUNK_MILESTONES:
		return profile_decode_milestones(decoder, payload, err);
	case PROFILE_CHUNK_CALLS:
		return profile_decode_calls(decoder, payload, err);
	case PROFILE_CHUNK_COUNTERS:
		return profile_decode_counters(decoder, payload, err);
	case PROFILE_CHUNK_SNAPSHOTS:
		return profile_decode_snapshots(decoder, payload, err);
	case PROFILE_CHUNK_RESOURCES:
		return profile_decode_resources(decoder, payload, err);
	case PROFILE_CHUNK_STATISTICS:
		return profile_decode_statistics(decoder, payload, err);
	case PROFILE_CHUNK_MARKS_QUALITY:
		return profile_decode_marks_quality(decoder, payload, err);
	case PROFILE_CHUNK_QUALITY:
		return profile_decode_quality(decoder, payload, err);
	case PROFILE_CHUNK_INFO:
		return profile_decode_info(decoder, payload, err);
	case PROFILE_CHUNK_END:
		return profile_decode_end(decoder, payload, err);
	}
	if (!decoder->is_newer)
		return error_set(err, -EINVAL, "no such chunk type");
	payload->at = payload->end;
	return 0;
}

int profile_decode_chunk(struct profile_decoder *decoder, uint32_t type, struct bytes payload,
			 struct error *err)
{
	const int r = profile_decode_payload(decoder, type, &payload, err);

	if (r < 0)
		return r;
	if (payload.is_bad)
		return error_set(err, -EINVAL, "it ends too early");
	if (bytes_left(&payload) && !decoder->is_newer)
		return error_set(err, -EINVAL, "%zu bytes too many", bytes_left(&payload));
	return 0;
}
