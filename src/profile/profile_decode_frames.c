/* FRAM chunks, read: the mirror of profile_encode_frames.c. */
#include <errno.h>

#include "base/array.h"
#include "profile/profile_decode.h"

enum {
	FRAME_KNOWN_FLAGS = FRAME_INLINED | FRAME_KERNEL | FRAME_UNRESOLVED | FRAME_PSEUDO |
			    FRAME_JIT,
};

static int profile_decode_entry(struct profile_decoder *decoder, struct bytes *payload,
				struct error *err)
{
	const struct interner *strings = &decoder->profile->strings;
	const uint64_t function = decoder->last_function + (uint64_t)bytes_sleb(payload);
	struct profile_frame_entry *grown;
	uint32_t file = 0;
	const int r = profile_decode_index(payload, &file, strings->n_strings, "string", err);
	const uint8_t flags = bytes_u8(payload);

	if (r < 0)
		return r;
	if (function == 0 || function >= strings->n_strings ||
	    (flags & ~FRAME_KNOWN_FLAGS && !decoder->is_newer))
		return error_set(err, -EINVAL, "an impossible frame");
	grown = array_grown(decoder->entries, &decoder->entries_capacity, decoder->n_entries + 1,
			    sizeof(*grown));
	if (!grown)
		return error_set_no_memory(err);
	decoder->entries = grown;
	decoder->last_function = (uint32_t)function;
	grown[decoder->n_entries++] = (struct profile_frame_entry){
		.function = (uint32_t)function,
		.file = file,
		.flags = flags & FRAME_KNOWN_FLAGS,
	};
	return 0;
}

static int profile_decode_frame(struct profile_decoder *decoder, struct bytes *payload,
				struct frame *ret_frame, struct error *err)
{
	struct profile_frame_entry *entry;
	uint64_t line;
	uint32_t number = 0;
	int r = profile_decode_index(payload, &number, decoder->n_entries + 1, "frame entry", err);

	if (r == 0 && number == 0) {
		r = profile_decode_entry(decoder, payload, err);
		number = (uint32_t)decoder->n_entries;
	}
	if (r < 0)
		return r;
	entry = &decoder->entries[number - 1];
	line = entry->last_line + (uint64_t)bytes_sleb(payload);
	if (line > UINT32_MAX)
		return error_set(err, -EINVAL, "an impossible line number");
	entry->last_line = (uint32_t)line;
	*ret_frame = (struct frame){
		.function = entry->function,
		.file = entry->file,
		.line = (uint32_t)line,
		.flags = entry->flags,
	};
	return 0;
}

/* Appends to profile->frames directly: a chain of inlined calls may be long. */
static int profile_decode_location_frames(struct profile_decoder *decoder, struct bytes *payload,
					  struct error *err)
{
	struct profile *profile = decoder->profile;
	const uint64_t n_frames = bytes_uleb(payload);
	struct location *location;

	if (decoder->n_framed >= profile->locations.n_locations)
		return error_set(err, -EINVAL, "frames of a location that is not there");
	location = &profile->locations.locations[decoder->n_framed++];
	location->first_frame = (uint32_t)profile->n_frames;
	for (uint64_t k = 0; k < n_frames; k++) {
		struct frame *grown = array_grown(profile->frames, &profile->frames_capacity,
						  profile->n_frames + 1, sizeof(*grown));
		int r;

		if (!grown || profile->n_frames == UINT32_MAX)
			return error_set_no_memory(err);
		profile->frames = grown;
		r = profile_decode_frame(decoder, payload, &grown[profile->n_frames], err);
		if (r < 0)
			return r;
		if (payload->is_bad)
			break;
		profile->n_frames++;
		location->n_frames++;
	}
	return 0;
}

int profile_decode_frames(struct profile_decoder *decoder, struct bytes *payload, struct error *err)
{
	int r = 0;

	for (uint64_t n = bytes_uleb(payload); r == 0 && n && !payload->is_bad; n--)
		r = profile_decode_location_frames(decoder, payload, err);
	return r;
}
