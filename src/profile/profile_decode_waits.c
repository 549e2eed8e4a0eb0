/* WAIT chunks: time in which threads did not run, read with suspicion. */
#include "profile/profile_decode.h"

#include <errno.h>

/* Reads on from `wait`, which holds the one before. */
static int profile_decode_wait(struct profile_decoder *decoder, struct bytes *payload,
			       struct sample *wait, struct error *err)
{
	const uint8_t flags = bytes_u8(payload);
	const uint64_t step_ns = bytes_uleb(payload);
	const bool is_complete = flags & PROFILE_WAIT_COMPLETE;
	uint64_t thread = wait->thread, node = wait->node, state = wait->state, end;
	int r;

	wait->time_ns += flags & PROFILE_WAIT_EARLIER ? -step_ns : step_ns;
	if (!(flags & PROFILE_WAIT_SAME_THREAD))
		thread = bytes_uleb(payload);
	if (!(flags & PROFILE_WAIT_SAME_NODE))
		node += (uint64_t)bytes_sleb(payload);
	wait->weight_ns = bytes_uleb(payload);
	wait->count = bytes_uleb(payload);
	if (!(flags & PROFILE_WAIT_SAME_STATE))
		state = bytes_uleb(payload);
	end = is_complete ? STACK_COMPLETE : bytes_uleb(payload);
	if (payload->is_bad)
		return 0;
	if (end >= STACK_N_ENDS && decoder->is_newer)
		end = STACK_BAD_MEMORY;
	if (state >= SAMPLE_N_STATES && decoder->is_newer)
		state = SAMPLE_WAITING;
	if (flags & ~PROFILE_WAIT_KNOWN_FLAGS || thread >= decoder->profile->n_threads ||
	    node >= decoder->profile->stacks.n_nodes || state == SAMPLE_RUNNING ||
	    state >= SAMPLE_N_STATES || end >= STACK_N_ENDS || end == STACK_NOT_SAMPLED)
		return error_set(err, -EINVAL, "an impossible wait");
	r = profile_decode_sums(decoder, wait->weight_ns, wait->count, err);
	if (r < 0)
		return r;
	wait->thread = (uint32_t)thread;
	wait->node = (uint32_t)node;
	wait->state = (uint8_t)state;
	wait->end = (uint16_t)end;
	return 0;
}

int profile_decode_waits(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	const uint64_t n = bytes_uleb(payload);
	struct sample wait = { .time_ns = bytes_uleb(payload), .state = SAMPLE_WAITING };
	const size_t first = decoder->profile->n_samples;

	for (uint64_t i = 0; i < n; i++) {
		const int r = profile_decode_wait(decoder, payload, &wait, err);

		if (r < 0)
			return r;
		if (payload->is_bad)
			break;
		if (profile_add_sample(decoder->profile, &wait) < 0)
			return error_set_no_memory(err);
		decoder->n_waits++;
	}
	return profile_decode_sample_scopes(decoder, payload, first, err);
}
