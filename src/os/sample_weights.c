/* The last count of each stream, found by its id. */
#include "os/sample_weights.h"

#include <stdlib.h>

#include "base/array.h"

void sample_weights_release(struct sample_weights *weights)
{
	free(weights->streams);
	hash_index_release(&weights->index);
	*weights = (struct sample_weights){ 0 };
}

static struct weight_stream *stream_get(struct sample_weights *weights, uint64_t id)
{
	const uint64_t hash = hash_u64(id);
	struct hash_cursor cursor = hash_index_cursor(&weights->index, hash);
	struct weight_stream *grown;
	uint32_t at;

	while ((at = hash_index_next(&weights->index, &cursor)) != HASH_INDEX_NONE)
		if (weights->streams[at].id == id)
			return &weights->streams[at];
	grown = array_grown(weights->streams, &weights->capacity, weights->n_streams + 1,
			    sizeof(*grown));
	if (!grown)
		return NULL;
	weights->streams = grown;
	if (hash_index_add(&weights->index, hash, (uint32_t)weights->n_streams) < 0)
		return NULL;
	grown[weights->n_streams] = (struct weight_stream){ .id = id };
	return &grown[weights->n_streams++];
}

uint64_t sample_weights_next(struct sample_weights *weights, const struct sampler_record *record)
{
	const uint64_t now = weights->is_time ? record->read_value : record->read_time_ns;
	struct weight_stream *stream;
	uint64_t weight_ns;

	if (!weights->has_counts)
		return weights->period_ns;
	stream = stream_get(weights, record->stream_id);
	if (!stream)
		return weights->period_ns;
	weight_ns = now >= stream->last ? now - stream->last : now;
	stream->last = now;
	if (weights->is_capped && weight_ns > weights->period_ns)
		weight_ns = weights->period_ns;
	return weight_ns;
}
