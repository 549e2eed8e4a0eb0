/*
 * The chunks of a profile file, written.  Deltas against the entry before make
 * most numbers one or two bytes long: stacks are added from the outside in, so
 * a parent is often the node before, and new locations come in the same order.
 */
#include "profile/profile_encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/crc32.h"

/* The signed distance between any two 64-bit numbers; wraps, and the reader wraps back. */
static int64_t profile_distance(uint64_t to, uint64_t from)
{
	return (int64_t)(to - from);
}

void profile_encode_header(struct buffer *out)
{
	const size_t at = out->size;

	buffer_add(out, PROFILE_MAGIC, PROFILE_MAGIC_BYTES);
	buffer_add_u16(out, PROFILE_MAJOR);
	buffer_add_u16(out, PROFILE_MINOR);
	if (!out->is_failed)
		buffer_add_u32(out, crc32_of(0, out->data + at, out->size - at));
}

size_t profile_encode_chunk_begin(struct buffer *out, enum profile_chunk_type type)
{
	const size_t chunk_at = out->size;

	buffer_add_u32(out, type);
	buffer_add_u32(out, 0);
	buffer_add_u32(out, 0);
	buffer_add_u32(out, 0);
	return chunk_at;
}

void profile_encode_chunk_end(struct buffer *out, size_t chunk_at)
{
	const size_t size = out->size - chunk_at - PROFILE_CHUNK_HEADER_BYTES;

	if (out->is_failed)
		return;
	if (size > PROFILE_CHUNK_MAX_BYTES)
		out->is_failed = true;
	else
		profile_encode_chunk_seal(out->data + chunk_at, (uint32_t)size);
}

void profile_encode_chunk_seal(char *chunk, uint32_t payload_bytes)
{
	uint32_t crc = crc32_of(0, chunk + PROFILE_CHUNK_HEADER_BYTES, payload_bytes);

	memcpy(chunk + 4, &payload_bytes, sizeof(payload_bytes));
	memcpy(chunk + 8, &crc, sizeof(crc));
	crc = crc32_of(0, chunk, 12);
	memcpy(chunk + 12, &crc, sizeof(crc));
}

/* How many strings from `first` on make one chunk: one at least. */
static size_t profile_strings_in_chunk(const struct interner *strings, size_t first)
{
	size_t n_bytes = 0;
	size_t n = 0;

	do {
		n_bytes += strings->sizes[first + n] + 1;
		n++;
	} while (first + n < strings->n_strings && n_bytes < PROFILE_CHUNK_USUAL_BYTES);
	return n;
}

static size_t profile_shared_bytes(const struct interner *strings, size_t a, size_t b)
{
	const size_t size = strings->sizes[a] < strings->sizes[b] ? strings->sizes[a]
								  : strings->sizes[b];
	size_t n = 0;

	while (n < size && strings->strings[a][n] == strings->strings[b][n])
		n++;
	return n;
}

void profile_encode_strings(struct buffer *out, const struct interner *strings, size_t first)
{
	while (first < strings->n_strings) {
		const size_t n = profile_strings_in_chunk(strings, first);
		const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_STRINGS);

		buffer_add_uleb(out, n);
		for (size_t i = first; i < first + n; i++) {
			const size_t shared = i == first ? 0
							 : profile_shared_bytes(strings, i - 1, i);

			buffer_add_uleb(out, shared);
			buffer_add_uleb(out, strings->sizes[i] - shared);
			buffer_add(out, strings->strings[i] + shared, strings->sizes[i] - shared);
		}
		profile_encode_chunk_end(out, chunk_at);
		first += n;
	}
}

void profile_encode_locations(struct buffer *out, const struct location_table *locations,
			      size_t n_modules, size_t first)
{
	uint64_t *last_vaddrs;
	size_t chunk_at;

	if (first == locations->n_locations)
		return;
	last_vaddrs = calloc(n_modules ? n_modules : 1, sizeof(*last_vaddrs));
	if (!last_vaddrs) {
		out->is_failed = true;
		return;
	}
	chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_LOCATIONS);
	buffer_add_uleb(out, locations->n_locations - first);
	for (size_t i = first; i < locations->n_locations; i++) {
		const struct location *location = &locations->locations[i];

		buffer_add_uleb(out, location->module);
		buffer_add_sleb(out,
				profile_distance(location->vaddr, last_vaddrs[location->module]));
		last_vaddrs[location->module] = location->vaddr;
	}
	profile_encode_chunk_end(out, chunk_at);
	free(last_vaddrs);
}

void profile_encode_nodes(struct buffer *out, const struct stack_trie *stacks, size_t first)
{
	uint32_t last_location = 0;
	size_t chunk_at;

	if (first == stacks->n_nodes)
		return;
	chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_NODES);
	buffer_add_uleb(out, stacks->n_nodes - first);
	for (size_t i = first; i < stacks->n_nodes; i++) {
		const struct stack_node *node = &stacks->nodes[i];

		buffer_add_uleb(out, i - node->parent);
		buffer_add_sleb(out, profile_distance(node->location, last_location));
		last_location = node->location;
	}
	profile_encode_chunk_end(out, chunk_at);
}

static uint8_t profile_sample_flags_of(const struct sample *sample, const struct sample *last,
				       uint64_t usual_weight_ns)
{
	unsigned int flags = 0;

	if (sample->time_ns < last->time_ns)
		flags |= PROFILE_SAMPLE_EARLIER;
	if (sample->thread == last->thread)
		flags |= PROFILE_SAMPLE_SAME_THREAD;
	if (sample->node == last->node)
		flags |= PROFILE_SAMPLE_SAME_NODE;
	if (sample->weight_ns == usual_weight_ns)
		flags |= PROFILE_SAMPLE_USUAL_WEIGHT;
	if (sample->count == 1 || sample->end == STACK_NOT_SAMPLED)
		flags |= PROFILE_SAMPLE_ONE;
	if (sample->cpu == last->cpu)
		flags |= PROFILE_SAMPLE_SAME_CPU;
	if (sample->end == STACK_COMPLETE)
		flags |= PROFILE_SAMPLE_COMPLETE;
	return (uint8_t)flags;
}

static void profile_encode_sample(struct buffer *out, const struct sample *sample,
				  const struct sample *last, uint64_t usual_weight_ns)
{
	const uint8_t flags = profile_sample_flags_of(sample, last, usual_weight_ns);

	buffer_add_u8(out, flags);
	buffer_add_uleb(out, flags & PROFILE_SAMPLE_EARLIER ? last->time_ns - sample->time_ns
							    : sample->time_ns - last->time_ns);
	if (!(flags & PROFILE_SAMPLE_SAME_THREAD))
		buffer_add_uleb(out, sample->thread);
	if (!(flags & PROFILE_SAMPLE_SAME_NODE))
		buffer_add_sleb(out, profile_distance(sample->node, last->node));
	if (!(flags & PROFILE_SAMPLE_USUAL_WEIGHT))
		buffer_add_sleb(out, profile_distance(sample->weight_ns, usual_weight_ns));
	if (!(flags & PROFILE_SAMPLE_ONE))
		buffer_add_uleb(out, sample->count);
	if (!(flags & PROFILE_SAMPLE_SAME_CPU))
		buffer_add_uleb(out, sample->cpu);
	if (!(flags & PROFILE_SAMPLE_COMPLETE))
		buffer_add_uleb(out, sample->end);
}

/* The next sample of the wanted sort, from `at` on; NULL when there is none. */
static const struct sample *profile_next_sample(const struct sample *at, const struct sample *end,
						bool is_wait)
{
	while (at < end && sample_is_wait(at) != is_wait)
		at++;
	return at < end ? at : NULL;
}

static size_t profile_count_samples(const struct sample *samples, const struct sample *end,
				    bool is_wait)
{
	size_t n = 0;

	for (; samples < end; samples++)
		n += sample_is_wait(samples) == is_wait;
	return n;
}

/* The middle one of three weights near the start: good enough to be usual. */
static uint64_t profile_usual_weight_ns(const struct sample *at, const struct sample *end)
{
	uint64_t weights_ns[3];
	uint64_t a, b, c;
	size_t n = 0;

	for (; n < 3 && (at = profile_next_sample(at, end, false)) != NULL; at++)
		weights_ns[n++] = at->weight_ns;
	a = weights_ns[0];
	b = weights_ns[n / 2];
	c = weights_ns[n - 1];
	if ((a <= b && b <= c) || (c <= b && b <= a))
		return b;
	return (b <= a && a <= c) || (c <= a && a <= b) ? a : c;
}

enum { SAMPLES_IN_CHUNK = PROFILE_CHUNK_USUAL_BYTES / 8 };

/* One chunk of at most SAMPLES_IN_CHUNK, of which the first is `at`; returns where it stopped. */
static const struct sample *profile_encode_samples_chunk(struct buffer *out,
							 const struct sample *at,
							 const struct sample *end, size_t n)
{
	const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_SAMPLES);
	const uint64_t usual_weight_ns = profile_usual_weight_ns(at, end);
	const struct sample *const first = at;
	struct sample last = { .time_ns = at->time_ns };

	buffer_add_uleb(out, n);
	buffer_add_uleb(out, last.time_ns);
	buffer_add_uleb(out, usual_weight_ns);
	for (; n; n--, at++) {
		at = profile_next_sample(at, end, false);
		profile_encode_sample(out, at, &last, usual_weight_ns);
		last = *at;
	}
	profile_encode_sample_scopes(out, first, at, false);
	profile_encode_chunk_end(out, chunk_at);
	return at;
}

void profile_encode_samples(struct buffer *out, const struct sample *samples, size_t n_samples)
{
	const struct sample *const end = n_samples ? samples + n_samples : samples;
	size_t n_left = profile_count_samples(samples, end, false);

	while (n_left) {
		const size_t n = n_left < SAMPLES_IN_CHUNK ? n_left : SAMPLES_IN_CHUNK;

		samples = profile_next_sample(samples, end, false);
		samples = profile_encode_samples_chunk(out, samples, end, n);
		n_left -= n;
	}
}

static uint8_t profile_wait_flags_of(const struct sample *wait, const struct sample *last)
{
	unsigned int flags = 0;

	if (wait->time_ns < last->time_ns)
		flags |= PROFILE_WAIT_EARLIER;
	if (wait->thread == last->thread)
		flags |= PROFILE_WAIT_SAME_THREAD;
	if (wait->node == last->node)
		flags |= PROFILE_WAIT_SAME_NODE;
	if (wait->state == last->state)
		flags |= PROFILE_WAIT_SAME_STATE;
	if (wait->end == STACK_COMPLETE)
		flags |= PROFILE_WAIT_COMPLETE;
	return (uint8_t)flags;
}

static void profile_encode_wait(struct buffer *out, const struct sample *wait,
				const struct sample *last)
{
	const uint8_t flags = profile_wait_flags_of(wait, last);

	buffer_add_u8(out, flags);
	buffer_add_uleb(out, flags & PROFILE_WAIT_EARLIER ? last->time_ns - wait->time_ns
							  : wait->time_ns - last->time_ns);
	if (!(flags & PROFILE_WAIT_SAME_THREAD))
		buffer_add_uleb(out, wait->thread);
	if (!(flags & PROFILE_WAIT_SAME_NODE))
		buffer_add_sleb(out, profile_distance(wait->node, last->node));
	buffer_add_uleb(out, wait->weight_ns);
	buffer_add_uleb(out, wait->count);
	if (!(flags & PROFILE_WAIT_SAME_STATE))
		buffer_add_uleb(out, wait->state);
	if (!(flags & PROFILE_WAIT_COMPLETE))
		buffer_add_uleb(out, wait->end);
}

void profile_encode_waits(struct buffer *out, const struct sample *samples, size_t n_samples)
{
	const struct sample *const end = n_samples ? samples + n_samples : samples;
	size_t n_left = profile_count_samples(samples, end, true);

	while (n_left) {
		const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_WAITS);
		size_t n = n_left < SAMPLES_IN_CHUNK ? n_left : SAMPLES_IN_CHUNK;
		struct sample last = { .state = SAMPLE_WAITING };
		const struct sample *first;

		samples = profile_next_sample(samples, end, true);
		first = samples;
		last.time_ns = samples->time_ns;
		n_left -= n;
		buffer_add_uleb(out, n);
		buffer_add_uleb(out, last.time_ns);
		for (; n; n--, samples++) {
			samples = profile_next_sample(samples, end, true);
			profile_encode_wait(out, samples, &last);
			last = *samples;
		}
		profile_encode_sample_scopes(out, first, samples, true);
		profile_encode_chunk_end(out, chunk_at);
	}
}

void profile_encode_module(struct buffer *out, uint32_t id, const struct module *module)
{
	buffer_add_uleb(out, id);
	buffer_add_uleb(out, module->path);
	buffer_add_u8(out, module->kind);
	buffer_add_u8(out, module->build_id_size);
	buffer_add(out, module->build_id, module->build_id_size);
}

void profile_encode_thread(struct buffer *out, uint32_t id, const struct thread *thread)
{
	buffer_add_uleb(out, id);
	buffer_add_uleb(out, thread->pid);
	buffer_add_uleb(out, thread->tid);
	buffer_add_uleb(out, thread->name);
	buffer_add_uleb(out, thread->process_name);
	buffer_add_uleb(out, thread->start_ns);
	buffer_add_uleb(out, thread->end_ns);
}

void profile_encode_thread_origin(struct buffer *out, const struct thread *thread)
{
	buffer_add_uleb(out, thread->parent_pid);
	buffer_add_uleb(out, thread->run);
}

void profile_encode_quality(struct buffer *out, const struct quality *quality)
{
	const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_QUALITY);

	buffer_add_uleb(out, quality->n_samples);
	buffer_add_uleb(out, quality->n_lost);
	buffer_add_uleb(out, quality->n_lost_events);
	buffer_add_uleb(out, quality->n_throttled);
	buffer_add_uleb(out, STACK_N_ENDS);
	for (size_t i = 0; i < STACK_N_ENDS; i++)
		buffer_add_uleb(out, quality->n_by_end[i]);
	buffer_add_uleb(out, quality->n_unresolved);
	buffer_add_uleb(out, quality->sampled_ns);
	buffer_add_uleb(out, quality->target_cpu_ns);
	buffer_add_uleb(out, quality->recorder_cpu_ns);
	buffer_add_uleb(out, quality->needed_stack_bytes_p999);
	buffer_add_uleb(out, quality->not_sampled_ns);
	buffer_add_uleb(out, quality->n_waits);
	buffer_add_uleb(out, quality->waited_ns);
	buffer_add_uleb(out, quality->n_waits_bare);
	buffer_add_uleb(out, quality->waited_bare_ns);
	buffer_add_uleb(out, quality->n_lost_switches);
	buffer_add_uleb(out, quality->n_dropped);
	buffer_add_uleb(out, quality->stolen_ns);
	profile_encode_chunk_end(out, chunk_at);
}

static void profile_encode_info_fields(struct buffer *out, const struct profile_info *info)
{
	buffer_add_uleb(out, info->command);
	buffer_add_uleb(out, info->host);
	buffer_add_uleb(out, info->kernel);
	buffer_add_uleb(out, info->tool);
	buffer_add_uleb(out, info->engine);
	buffer_add_uleb(out, info->engine_reason);
	buffer_add_uleb(out, info->event);
	buffer_add_uleb(out, info->unwinder);
	buffer_add_u8(out, info->arch);
	buffer_add_u8(out, (uint8_t)((info->has_times ? PROFILE_INFO_HAS_TIMES : 0) |
				     (info->is_symbolized ? PROFILE_INFO_SYMBOLIZED : 0) |
				     (info->is_cut ? PROFILE_INFO_CUT : 0)));
	buffer_add_uleb(out, info->n_cpus);
	buffer_add_uleb(out, info->period_ns);
	buffer_add_uleb(out, info->stack_dump_bytes);
	buffer_add_uleb(out, info->start_epoch_ns);
	buffer_add_uleb(out, info->start_ns);
	buffer_add_uleb(out, info->duration_ns);
	buffer_add_sleb(out, info->exit_status);
}

void profile_encode_info(struct buffer *out, const struct profile_info *info)
{
	const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_INFO);

	profile_encode_info_fields(out, info);
	profile_encode_chunk_end(out, chunk_at);
}

void profile_encode_runs(struct buffer *out, const struct profile_info *runs, size_t n_runs)
{
	struct buffer fields = BUFFER_INIT;
	size_t chunk_at;

	if (!n_runs)
		return;
	chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_RUNS);
	buffer_add_uleb(out, n_runs);
	for (size_t i = 0; i < n_runs; i++) {
		buffer_clear(&fields);
		profile_encode_info_fields(&fields, &runs[i]);
		buffer_add_uleb(out, fields.size);
		buffer_add(out, buffer_string(&fields), fields.size);
	}
	profile_encode_chunk_end(out, chunk_at);
	out->is_failed |= fields.is_failed;
	buffer_release(&fields);
}

static bool profile_counts_have_marks(const struct profile_counts *counts)
{
	return counts->n_sites || counts->n_resources;
}

void profile_encode_end(struct buffer *out, const struct profile_counts *counts)
{
	const size_t chunk_at = profile_encode_chunk_begin(out, PROFILE_CHUNK_END);

	buffer_add_uleb(out, counts->n_strings);
	buffer_add_uleb(out, counts->n_modules);
	buffer_add_uleb(out, counts->n_threads);
	buffer_add_uleb(out, counts->n_locations);
	buffer_add_uleb(out, counts->n_nodes);
	buffer_add_uleb(out, counts->n_samples);
	buffer_add_uleb(out, counts->n_waits);
	buffer_add_uleb(out, counts->n_runs);
	if (profile_counts_have_marks(counts)) {
		buffer_add_uleb(out, counts->n_sites);
		buffer_add_uleb(out, counts->n_milestones);
		buffer_add_uleb(out, counts->n_scopes);
		buffer_add_uleb(out, counts->n_calls);
		buffer_add_uleb(out, counts->n_counters);
		buffer_add_uleb(out, counts->n_snapshots);
		buffer_add_uleb(out, counts->n_resources);
	}
	profile_encode_chunk_end(out, chunk_at);
}
