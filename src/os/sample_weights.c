/* The last count of each stream, found by its id, or by its thread and CPU. */
#include "os/sample_weights.h"

#include <stdlib.h>

#include "base/array.h"

void sample_weights_release(struct sample_weights *weights)
{
	free(weights->streams);
	hash_index_release(&weights->index);
	hash_index_release(&weights->of_threads);
	*weights = (struct sample_weights){ 0 };
}

static uint64_t thread_hash(uint32_t tid, uint32_t cpu)
{
	return hash_u64((uint64_t)tid << 32 | cpu);
}

static struct weight_stream *find_by_id(struct sample_weights *weights, uint64_t id)
{
	struct hash_cursor cursor = hash_index_cursor(&weights->index, hash_u64(id));
	uint32_t at;

	while ((at = hash_index_next(&weights->index, &cursor)) != HASH_INDEX_NONE)
		if (weights->streams[at].id == id)
			return &weights->streams[at];
	return NULL;
}

static struct weight_stream *find_by_thread(struct sample_weights *weights, uint32_t tid,
					    uint32_t cpu)
{
	struct hash_cursor cursor = hash_index_cursor(&weights->of_threads, thread_hash(tid, cpu));
	uint32_t at;

	while ((at = hash_index_next(&weights->of_threads, &cursor)) != HASH_INDEX_NONE)
		if (weights->streams[at].tid == tid && weights->streams[at].cpu == cpu)
			return &weights->streams[at];
	return NULL;
}

/*
 * Numbers of threads come again, and an exec gives a thread that of its process: who has it
 * now takes it from who had it, whichever of them was seen first.
 */
static int note_thread(struct sample_weights *weights, struct weight_stream *stream, uint32_t tid,
		       uint32_t cpu)
{
	struct weight_stream *other;

	if (!weights->is_inherited || (stream->tid == tid && stream->cpu == cpu))
		return 0;
	other = find_by_thread(weights, tid, cpu);
	if (other)
		other->tid = 0;
	stream->tid = tid;
	stream->cpu = cpu;
	return hash_index_add(&weights->of_threads, thread_hash(tid, cpu),
			      (uint32_t)(stream - weights->streams));
}

static int note_id(struct sample_weights *weights, struct weight_stream *stream, uint64_t id)
{
	stream->id = id;
	return hash_index_add(&weights->index, hash_u64(id), (uint32_t)(stream - weights->streams));
}

static struct weight_stream *stream_add(struct sample_weights *weights)
{
	struct weight_stream *grown = array_grown(weights->streams, &weights->capacity,
						  weights->n_streams + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	weights->streams = grown;
	grown[weights->n_streams] = (struct weight_stream){ 0 };
	return &grown[weights->n_streams++];
}

static struct weight_stream *stream_get(struct sample_weights *weights,
					const struct sampler_record *record)
{
	const uint32_t cpu = record->sample.cpu;
	const bool is_id_known = !weights->is_inherited || !record->is_after_loss;
	struct weight_stream *stream = is_id_known ? find_by_id(weights, record->stream_id) : NULL;

	if (!stream && weights->is_inherited) {
		stream = find_by_thread(weights, record->tid, cpu);
		/* One that has told another id is of a thread that had the same number. */
		if (stream && is_id_known && stream->id)
			stream = NULL;
	}
	if (!stream)
		stream = stream_add(weights);
	if (!stream || note_thread(weights, stream, record->tid, cpu) < 0)
		return NULL;
	if (is_id_known && !stream->id && note_id(weights, stream, record->stream_id) < 0)
		return NULL;
	return stream;
}

uint64_t sample_weights_next(struct sample_weights *weights, const struct sampler_record *record)
{
	const uint64_t now = weights->is_time ? record->read_value : record->read_time_ns;
	struct weight_stream *stream;
	uint64_t weight_ns;

	if (!weights->has_counts)
		return weights->period_ns;
	stream = stream_get(weights, record);
	if (!stream)
		return weights->period_ns;
	/* Counts do not fall, but for clocks that do. */
	weight_ns = now >= stream->last ? now - stream->last : weights->period_ns;
	stream->last = now;
	if (weights->is_capped && weight_ns > weights->period_ns)
		weight_ns = weights->period_ns;
	return weight_ns;
}

uint64_t sample_weights_period(struct sample_weights *weights, const struct sampler_record *record)
{
	const uint32_t cpu = record->sample.cpu;
	struct weight_stream *stream = NULL;

	if (weights->has_counts && weights->is_inherited) {
		stream = find_by_thread(weights, record->tid, cpu);
		if (!stream)
			stream = stream_add(weights);
		if (stream && note_thread(weights, stream, record->tid, cpu) < 0)
			stream = NULL;
	}
	if (stream)
		stream->last += weights->period_ns;
	return weights->period_ns;
}
