/* What ran: the chunks INFO, RUNS and THRD, read. */
#include "profile/profile_decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/array.h"

static int profile_decode_info_fields(struct profile_decoder *decoder, struct bytes *payload,
				      struct profile_info *ret_info, struct error *err)
{
	struct profile_info info = { 0 };
	uint32_t *const texts[] = {
		&info.command, &info.host,	    &info.kernel, &info.tool,
		&info.engine,  &info.engine_reason, &info.event,  &info.unwinder
	};
	uint8_t flags;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = profile_decode_string_id(decoder, payload, texts[i], err);
	if (r < 0)
		return r;
	info.arch = bytes_u8(payload);
	flags = bytes_u8(payload);
	info.has_times = flags & PROFILE_INFO_HAS_TIMES;
	info.is_symbolized = flags & PROFILE_INFO_SYMBOLIZED;
	info.is_cut = flags & PROFILE_INFO_CUT;
	r = profile_decode_u32(payload, &info.n_cpus, "number of CPUs", err);
	if (r < 0)
		return r;
	info.period_ns = bytes_uleb(payload);
	info.stack_dump_bytes = bytes_uleb(payload);
	info.start_epoch_ns = bytes_uleb(payload);
	info.start_ns = bytes_uleb(payload);
	info.duration_ns = bytes_uleb(payload);
	info.exit_status = (int32_t)bytes_sleb(payload);
	*ret_info = info;
	return 0;
}

int profile_decode_info(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	return profile_decode_info_fields(decoder, payload, &decoder->profile->info, err);
}

int profile_decode_runs(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	struct profile *profile = decoder->profile;

	for (uint64_t n = bytes_uleb(payload); n && !payload->is_bad; n--) {
		const uint64_t size = bytes_uleb(payload);
		struct bytes fields = bytes_sub(payload, size);
		struct profile_info run = { 0 };
		int r;

		if (payload->is_bad)
			break;
		r = profile_decode_info_fields(decoder, &fields, &run, err);
		if (r < 0)
			return r;
		if (fields.is_bad || (bytes_left(&fields) && !decoder->is_newer))
			return error_set(err, -EINVAL, "run %zu has an impossible size",
					 profile->n_runs);
		if (profile_add_run(profile, NULL, &run) < 0)
			return error_set_no_memory(err);
	}
	return 0;
}

static int profile_decode_thread(struct profile_decoder *decoder, struct bytes *payload,
				 uint32_t *ret_id, struct error *err)
{
	struct profile *profile = decoder->profile;
	struct thread thread = { 0 };
	uint32_t id = 0;
	int r = profile_decode_index(payload, &id, profile->n_threads + 1, "thread", err);

	if (r == 0)
		r = profile_decode_u32(payload, &thread.pid, "pid", err);
	if (r == 0)
		r = profile_decode_u32(payload, &thread.tid, "tid", err);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &thread.name, err);
	if (r == 0)
		r = profile_decode_string_id(decoder, payload, &thread.process_name, err);
	if (r < 0)
		return r;
	thread.start_ns = bytes_uleb(payload);
	thread.end_ns = bytes_uleb(payload);
	if (payload->is_bad)
		return 0;
	if (id < profile->n_threads)
		profile->threads[id] = thread;
	else if (profile_add_thread(profile, NULL, &thread) < 0)
		return error_set_no_memory(err);
	*ret_id = id;
	return 0;
}

/* Where the threads of a chunk came from, from 1.2 on. */
static int profile_decode_origin(struct profile_decoder *decoder, struct bytes *payload,
				 uint32_t id, struct error *err)
{
	struct profile *profile = decoder->profile;
	const uint64_t n_runs = profile->n_runs ? profile->n_runs : 1;
	uint32_t parent_pid = 0, run = 0;
	int r = profile_decode_u32(payload, &parent_pid, "parent pid", err);

	if (r == 0)
		r = profile_decode_index(payload, &run, n_runs, "run", err);
	if (r < 0 || payload->is_bad)
		return r;
	profile->threads[id].parent_pid = parent_pid;
	profile->threads[id].run = run;
	return 0;
}

int profile_decode_threads(struct profile_decoder *decoder, struct bytes *payload,
			   struct error *err)
{
	uint32_t *ids = NULL;
	size_t capacity = 0, n_ids = 0;
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--) {
		uint32_t *grown = array_grown(ids, &capacity, n_ids + 1, sizeof(*grown));

		if (!grown) {
			r = error_set_no_memory(err);
			break;
		}
		ids = grown;
		r = profile_decode_thread(decoder, payload, &ids[n_ids++], err);
	}
	for (size_t i = 0; r == 0 && !payload->is_bad && bytes_left(payload) && i < n_ids; i++)
		r = profile_decode_origin(decoder, payload, ids[i], err);
	free(ids);
	return r;
}
