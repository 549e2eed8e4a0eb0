/* From the bytes of a file to a profile: the walk over its chunks and what follows it. */
#include "profile/profile_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/mapped_file.h"
#include "model/frame_names.h"
#include "profile/profile_decode.h"
#include "profile/profile_format.h"

bool profile_is_profile(const uint8_t *bytes, size_t size_bytes)
{
	const size_t size = size_bytes < PROFILE_MAGIC_BYTES ? size_bytes : PROFILE_MAGIC_BYTES;

	return size && memcmp(bytes, PROFILE_MAGIC, size) == 0;
}

static int profile_read_header(struct profile_decoder *decoder, struct bytes *file,
			       struct error *err)
{
	const uint8_t *header = file->at;
	uint16_t major, minor;

	if (bytes_left(file) == 0)
		return error_set(err, -EINVAL, "is empty");
	if (!profile_is_profile(header, bytes_left(file)))
		return error_set(err, -EINVAL, "is not a profile file");
	if (bytes_left(file) < PROFILE_HEADER_BYTES)
		return error_set(err, -EINVAL, "was cut within its first %d bytes",
				 PROFILE_HEADER_BYTES);
	(void)bytes_take(file, PROFILE_MAGIC_BYTES);
	major = bytes_u16(file);
	minor = bytes_u16(file);
	if (bytes_u32(file) != crc32_of(0, header, 12))
		return error_set(err, -EINVAL, "is damaged: the CRC of its header is wrong");
	if (major != PROFILE_MAJOR)
		return error_set(err, -ENOTSUP,
				 "has format version %u.%u, this tsprof reads %d.x (use the tsprof "
				 "that wrote it, or a newer one)",
				 major, minor, PROFILE_MAJOR);
	decoder->is_newer = minor > PROFILE_MINOR;
	return 0;
}

/* "SAMP at byte 1234", with a type that may be anything. */
static void profile_chunk_name(char name[48], uint32_t type, size_t offset)
{
	char letters[5] = { 0 };

	for (int i = 0; i < 4; i++) {
		const char c = (char)(type >> (8 * i));

		letters[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	(void)snprintf(name, 48, "%s at byte %zu", letters, offset);
}

/* 1: a whole chunk was read, 0: nothing whole is left. */
static int profile_read_chunk(struct profile_decoder *decoder, struct bytes *file, size_t offset,
			      struct error *err)
{
	const uint8_t *header = file->at;
	const uint32_t type = bytes_u32(file);
	const uint32_t size = bytes_u32(file);
	const uint32_t crc = bytes_u32(file);
	const uint32_t header_crc = bytes_u32(file);
	char name[48];
	struct bytes payload;
	int r;

	if (file->is_bad)
		return 0;
	profile_chunk_name(name, type, offset);
	if (header_crc != crc32_of(0, header, 12) || size > PROFILE_CHUNK_MAX_BYTES)
		return error_set(err, -EINVAL, "is damaged: no valid chunk at byte %zu", offset);
	payload = bytes_sub(file, size);
	if (payload.is_bad)
		return 0;
	if (crc32_of(0, payload.at, size) != crc)
		return error_set(err, -EINVAL, "is damaged: the CRC of chunk %s is wrong", name);
	r = profile_decode_chunk(decoder, type, payload, err);
	if (r == -EINVAL)
		return error_prefix(err, "is damaged: chunk %s", name);
	return r < 0 ? r : 1;
}

static int profile_read_chunks(struct profile_decoder *decoder, const uint8_t *bytes,
			       size_t size_bytes, struct error *err)
{
	struct bytes file = bytes_of(bytes, size_bytes);
	int r = profile_read_header(decoder, &file, err);

	if (r < 0)
		return r;
	do
		r = profile_read_chunk(decoder, &file, (size_t)(file.at - bytes), err);
	while (r > 0 && !decoder->has_end);
	if (r == 0)
		decoder->profile->info.is_cut = true;
	else if (r > 0 && bytes_left(&file))
		r = error_set(err, -EINVAL, "is damaged: %zu bytes after its end",
			      bytes_left(&file));
	return r < 0 ? r : 0;
}

/* Has the sample's innermost frame no name?  The empty stack has no frame at all. */
static bool profile_is_unresolved(const struct profile *profile, const struct sample *sample)
{
	return sample->node &&
	       frame_names_is_unresolved(profile, profile->stacks.nodes[sample->node].location);
}

/* Short waits are one sample together: of a cut file the number is one of samples. */
static void profile_recount_wait(struct quality *quality, const struct sample *wait)
{
	quality->n_waits++;
	quality->waited_ns += wait->weight_ns;
	if (wait->end == STACK_COMPLETE || wait->end == STACK_KERNEL_ONLY)
		return;
	quality->n_waits_bare++;
	quality->waited_bare_ns += wait->weight_ns;
}

/* Quality and info of a cut file are older than its samples: count again. */
static void profile_recount(struct profile *profile)
{
	struct quality *quality = &profile->quality;
	uint64_t last_ns = 0;

	quality->n_samples = 0;
	quality->n_unresolved = 0;
	quality->sampled_ns = quality->not_sampled_ns = 0;
	quality->n_waits = quality->n_waits_bare = 0;
	quality->waited_ns = quality->waited_bare_ns = 0;
	memset(quality->n_by_end, 0, sizeof(quality->n_by_end));
	for (size_t i = 0; i < profile->n_samples; i++) {
		const struct sample *sample = &profile->samples[i];

		if (sample->end == STACK_NOT_SAMPLED) {
			quality->not_sampled_ns += sample->weight_ns;
			continue;
		}
		if (sample->time_ns > last_ns)
			last_ns = sample->time_ns;
		if (sample_is_wait(sample)) {
			profile_recount_wait(quality, sample);
			continue;
		}
		quality->n_samples++;
		quality->n_by_end[sample->end]++;
		quality->sampled_ns += sample->weight_ns;
		quality->n_unresolved += profile_is_unresolved(profile, sample);
	}
	quality->target_cpu_ns = 0;
	if (last_ns > profile->info.start_ns &&
	    last_ns - profile->info.start_ns > profile->info.duration_ns)
		profile->info.duration_ns = last_ns - profile->info.start_ns;
}

int profile_read_bytes(struct profile *profile, const uint8_t *bytes, size_t size_bytes,
		       const char *name, struct error *err)
{
	struct profile_decoder decoder = { .profile = profile };
	bool has_end;
	int r = profile_init(profile);

	if (r < 0)
		return error_set_no_memory(err);
	r = profile_read_chunks(&decoder, bytes, size_bytes, err);
	has_end = decoder.has_end;
	profile_decoder_release(&decoder);
	if (r < 0)
		(void)error_prefix(err, "%s", name);
	else if (frame_names_complete(profile) < 0)
		r = error_set_no_memory(err);
	else if (!has_end)
		profile_recount(profile);
	if (r < 0)
		profile_release(profile);
	return r;
}

int profile_read(struct profile *profile, const char *path, struct error *err)
{
	struct mapped_file file = MAPPED_FILE_INIT;
	int r = mapped_file_open(&file, path, err);

	if (r < 0)
		return r;
	r = profile_read_bytes(profile, file.bytes, file.size_bytes, path, err);
	mapped_file_release(&file);
	return r;
}
