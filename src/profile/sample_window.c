/* A list of places in the file, oldest first. */
#include "profile/sample_window.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "profile/profile_decode.h"
#include "profile/profile_format.h"

enum { MOVE_AT_ONCE_BYTES = 1 << 20 };

void sample_window_release(struct sample_window *window)
{
	free(window->chunks);
	*window = (struct sample_window){ 0 };
}

static void count(struct sample_window *window, const struct sample_chunk *chunk, bool is_kept)
{
	const uint64_t sign = is_kept ? 1 : UINT64_MAX;

	window->size_bytes += sign * chunk->size_bytes;
	switch ((enum sample_chunk_kind)chunk->kind) {
	case SAMPLE_CHUNK_SAMPLES:
		window->n_samples += sign * chunk->n_entries;
		break;
	case SAMPLE_CHUNK_WAITS:
		window->n_waits += sign * chunk->n_entries;
		break;
	case SAMPLE_CHUNK_CALLS:
		window->n_calls += sign * chunk->n_entries;
		window->n_calls_dropped += is_kept ? 0 : chunk->n_entries;
		break;
	}
}

static int add_chunk(struct sample_window *window, const struct sample_chunk *chunk)
{
	struct sample_chunk *grown = array_grown(window->chunks, &window->capacity,
						 window->n_chunks + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	window->chunks = grown;
	grown[window->n_chunks++] = *chunk;
	count(window, chunk, true);
	return 0;
}

static bool is_of_window(const struct sample_window *window, uint32_t type)
{
	return type == PROFILE_CHUNK_SAMPLES || type == PROFILE_CHUNK_WAITS ||
	       (type == PROFILE_CHUNK_CALLS && window->with_calls);
}

static uint8_t kind_of(uint32_t type)
{
	return type == PROFILE_CHUNK_SAMPLES ? SAMPLE_CHUNK_SAMPLES
	       : type == PROFILE_CHUNK_WAITS ? SAMPLE_CHUNK_WAITS
					     : SAMPLE_CHUNK_CALLS;
}

static uint64_t entries_of(uint32_t type, struct bytes payload)
{
	/* A list of marks says first whether it begins anew. */
	if (type == PROFILE_CHUNK_CALLS)
		(void)bytes_u8(&payload);
	return bytes_uleb(&payload);
}

int sample_window_note(struct sample_window *window, const char *bytes, size_t size_bytes,
		       uint64_t file_offset)
{
	struct bytes rest = bytes_of(bytes, size_bytes);
	int r = 0;

	while (r == 0 && bytes_left(&rest) >= PROFILE_CHUNK_HEADER_BYTES) {
		const uint64_t at = file_offset + size_bytes - bytes_left(&rest);
		const uint32_t type = bytes_u32(&rest);
		const uint32_t payload_bytes = bytes_u32(&rest);
		struct bytes payload;

		(void)bytes_take(&rest, PROFILE_CHUNK_HEADER_BYTES - 2 * sizeof(uint32_t));
		payload = rest;
		(void)bytes_take(&rest, payload_bytes);
		assert(!rest.is_bad);
		if (is_of_window(window, type))
			r = add_chunk(window, &(struct sample_chunk){
						      .file_offset = at,
						      .n_entries = entries_of(type, payload),
						      .size_bytes = payload_bytes +
								    PROFILE_CHUNK_HEADER_BYTES,
						      .kind = kind_of(type),
					      });
	}
	return r;
}

/* Appends it to `out`. */
static int read_chunk(struct buffer *out, const struct sample_chunk *chunk, int fd,
		      struct error *err)
{
	char part[1 << 16];
	uint32_t n_done = 0;

	while (n_done < chunk->size_bytes) {
		const size_t n_left = chunk->size_bytes - n_done;
		const ssize_t n = pread(fd, part, n_left < sizeof(part) ? n_left : sizeof(part),
					(off_t)(chunk->file_offset + n_done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(err, n < 0 ? -errno : -EIO,
					       "cannot read the profile back");
		buffer_add(out, part, (size_t)n);
		n_done += (uint32_t)n;
	}
	return out->is_failed ? error_set_no_memory(err) : 0;
}

/* The samples of one chunk, into the profile. */
static int decode_chunk(const struct buffer *chunk, struct profile *profile, struct error *err)
{
	struct profile_decoder decoder = { .profile = profile };
	struct bytes payload = bytes_of(chunk->data, chunk->size);
	const uint32_t type = bytes_u32(&payload);
	int r;

	(void)bytes_take(&payload, PROFILE_CHUNK_HEADER_BYTES - sizeof(uint32_t));
	r = profile_decode_chunk(&decoder, type, payload, err);
	profile_decoder_release(&decoder);
	return r;
}

static int tell_chunk(struct buffer *bytes, const struct sample_chunk *chunk, int fd,
		      struct profile *profile,
		      void (*dropped)(void *context, const struct sample *sample), void *context,
		      struct error *err)
{
	int r;

	buffer_clear(bytes);
	r = read_chunk(bytes, chunk, fd, err);
	if (r == 0)
		r = decode_chunk(bytes, profile, err);
	for (size_t i = 0; r == 0 && i < profile->n_samples; i++)
		dropped(context, &profile->samples[i]);
	profile->n_samples = 0;
	return r;
}

int sample_window_drop(struct sample_window *window, int fd, struct profile *profile,
		       uint64_t keep_bytes,
		       void (*dropped)(void *context, const struct sample *sample), void *context,
		       struct error *err)
{
	struct buffer bytes = BUFFER_INIT;
	int r = 0;

	assert(profile->n_samples == 0);
	while (r == 0 && window->size_bytes > keep_bytes) {
		const struct sample_chunk *chunk = &window->chunks[window->first];

		if (chunk->kind != SAMPLE_CHUNK_CALLS)
			r = tell_chunk(&bytes, chunk, fd, profile, dropped, context, err);
		if (r < 0)
			break;
		count(window, chunk, false);
		window->first++;
	}
	profile->n_samples = 0;
	buffer_release(&bytes);
	return r;
}

int sample_window_move(struct sample_window *window, int fd, struct output_file *file,
		       struct error *err)
{
	const size_t n_kept = window->n_chunks - window->first;
	struct buffer bytes = BUFFER_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_kept; i++) {
		struct sample_chunk chunk = window->chunks[window->first + i];
		const uint64_t at = file->size_bytes + bytes.size;

		r = read_chunk(&bytes, &chunk, fd, err);
		chunk.file_offset = at;
		window->chunks[i] = chunk;
		if (r == 0 && (bytes.size >= MOVE_AT_ONCE_BYTES || i + 1 == n_kept)) {
			r = output_file_write(file, bytes.data, bytes.size, err);
			buffer_clear(&bytes);
		}
	}
	window->first = 0;
	window->n_chunks = n_kept;
	buffer_release(&bytes);
	return r;
}
