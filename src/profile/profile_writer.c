/*
 * A profile file while it grows: remembers how much of each table is in the
 * file and appends the rest.  What one flush adds is written with one write,
 * in an order in which nothing refers to what follows it.
 */
#include "profile/profile_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/output_file.h"
#include "base/units.h"
#include "profile/marks_writer.h"
#include "profile/profile_encode.h"
#include "profile/sample_window.h"

/* Quality and info are repeated after this many bytes, so that they cost little. */
enum { PROFILE_STATUS_EVERY_BYTES = 16 * 1024 };

/*
 * Room for what a rotation adds behind the samples, and for what the figures grow
 * by between fitting and finishing: each has at most some 20 fields.
 */
enum { STATUS_MAX_BYTES = 512 };

/* Id 0 of these is never written. */
#define PROFILE_NOTHING_WRITTEN                                                                    \
	((struct profile_counts){ .n_strings = 1, .n_modules = 1, .n_nodes = 1, .n_scopes = 1 })

struct profile_writer {
	struct profile *profile; /* borrowed */
	struct output_file file;
	struct buffer out;
	struct module *modules; /* as they were written, to see changes */
	size_t modules_capacity;
	struct thread *threads; /* the same */
	size_t threads_capacity;
	struct profile_counts written;
	struct marks_writer marks;
	struct profile_limit limit;
	struct sample_window window; /* when there is a limit */
	uint64_t status_at_bytes;    /* file size when quality and info were last written */
	bool has_failed;
};

static void profile_writer_free(struct profile_writer *writer)
{
	buffer_release(&writer->out);
	sample_window_release(&writer->window);
	marks_writer_release(&writer->marks);
	free(writer->modules);
	free(writer->threads);
	free(writer);
}

static bool thread_equals(const struct thread *a, const struct thread *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->name == b->name &&
	       a->process_name == b->process_name && a->start_ns == b->start_ns &&
	       a->end_ns == b->end_ns && a->parent_pid == b->parent_pid && a->run == b->run;
}

/* A chunk of `n` entries; none when there are none. */
static void profile_writer_add_entries(struct profile_writer *writer, enum profile_chunk_type type,
				       size_t n, const struct buffer *entries)
{
	struct buffer *out = &writer->out;
	size_t chunk_at;

	out->is_failed |= entries->is_failed;
	if (!n)
		return;
	chunk_at = profile_encode_chunk_begin(out, type);
	buffer_add_uleb(out, n);
	buffer_add(out, buffer_string(entries), entries->size);
	profile_encode_chunk_end(out, chunk_at);
}

/* Modules that are new or, like those whose build-id was found late, changed. */
static int profile_writer_add_modules(struct profile_writer *writer)
{
	const struct profile *profile = writer->profile;
	struct buffer entries = BUFFER_INIT;
	size_t n = 0;
	struct module *grown = array_grown(writer->modules, &writer->modules_capacity,
					   profile->n_modules, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	writer->modules = grown;
	for (size_t i = 1; i < profile->n_modules; i++) {
		if (i < writer->written.n_modules &&
		    module_is_like(&grown[i], &profile->modules[i]))
			continue;
		profile_encode_module(&entries, (uint32_t)i, &profile->modules[i]);
		grown[i] = profile->modules[i];
		n++;
	}
	profile_writer_add_entries(writer, PROFILE_CHUNK_MODULES, n, &entries);
	writer->written.n_modules = profile->n_modules;
	buffer_release(&entries);
	return 0;
}

/* Threads that are new or changed, as those that ended have. */
static int profile_writer_add_threads(struct profile_writer *writer)
{
	const struct profile *profile = writer->profile;
	struct buffer entries = BUFFER_INIT;
	struct buffer origins = BUFFER_INIT;
	size_t n = 0;
	struct thread *grown = array_grown(writer->threads, &writer->threads_capacity,
					   profile->n_threads, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	writer->threads = grown;
	for (size_t i = 0; i < profile->n_threads; i++) {
		if (i < writer->written.n_threads && thread_equals(&grown[i], &profile->threads[i]))
			continue;
		profile_encode_thread(&entries, (uint32_t)i, &profile->threads[i]);
		profile_encode_thread_origin(&origins, &profile->threads[i]);
		grown[i] = profile->threads[i];
		n++;
	}
	/* An empty buffer would allocate, and this is done at each flush. */
	if (n)
		buffer_add(&entries, buffer_string(&origins), origins.size);
	entries.is_failed |= origins.is_failed;
	profile_writer_add_entries(writer, PROFILE_CHUNK_THREADS, n, &entries);
	writer->written.n_threads = profile->n_threads;
	buffer_release(&entries);
	buffer_release(&origins);
	return 0;
}

/* Encode all that is new, in an order in which nothing refers forwards. */
static int profile_writer_add_new(struct profile_writer *writer)
{
	struct profile *profile = writer->profile;
	struct profile_counts *written = &writer->written;
	int r;

	profile_encode_strings(&writer->out, &profile->strings, written->n_strings);
	written->n_strings = profile->strings.n_strings;
	if (written->n_runs < profile->n_runs)
		profile_encode_runs(&writer->out, profile->runs + written->n_runs,
				    profile->n_runs - written->n_runs);
	written->n_runs = profile->n_runs;
	r = profile_writer_add_modules(writer);
	if (r == 0)
		r = profile_writer_add_threads(writer);
	if (r < 0)
		return r;
	profile_encode_locations(&writer->out, &profile->locations, profile->n_modules,
				 written->n_locations);
	written->n_locations = profile->locations.n_locations;
	profile_encode_nodes(&writer->out, &profile->stacks, written->n_nodes);
	written->n_nodes = profile->stacks.n_nodes;
	marks_writer_add_tables(&writer->out, &profile->marks, written);
	profile_encode_samples(&writer->out, profile->samples, profile->n_samples);
	profile_encode_waits(&writer->out, profile->samples, profile->n_samples);
	for (size_t i = 0; i < profile->n_samples; i++) {
		const bool is_wait = sample_is_wait(&profile->samples[i]);

		written->n_waits += is_wait;
		written->n_samples += !is_wait;
	}
	profile->n_samples = 0;
	marks_writer_add_lists(&writer->marks, &writer->out, &profile->marks, written);
	return 0;
}

static void profile_writer_add_status(struct profile_writer *writer)
{
	profile_encode_quality(&writer->out, &writer->profile->quality);
	profile_encode_info(&writer->out, &writer->profile->info);
	writer->status_at_bytes = writer->file.size_bytes + writer->out.size;
}

static int profile_writer_add_marks_status(struct profile_writer *writer)
{
	return marks_writer_add_status(&writer->marks, &writer->out, &writer->profile->marks,
				       &writer->written);
}

/* Statistics of scopes and the like, every few seconds. */
static int profile_writer_add_marks_status_if_due(struct profile_writer *writer)
{
	const struct marks *marks = &writer->profile->marks;
	struct timespec now;

	if (!marks_are_there(marks) && !marks->n_resources)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (!marks_writer_is_status_due(&writer->marks,
					(uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec))
		return 0;
	return profile_writer_add_marks_status(writer);
}

static int profile_writer_put(struct profile_writer *writer, struct error *err)
{
	const uint64_t at = writer->file.size_bytes;
	int r;

	if (writer->out.is_failed)
		r = error_set_no_memory(err);
	else
		r = output_file_write(&writer->file, buffer_string(&writer->out), writer->out.size,
				      err);
	writer->window.with_calls = writer->profile->marks.has_all_calls;
	if (r == 0 && writer->limit.max_bytes &&
	    sample_window_note(&writer->window, buffer_string(&writer->out), writer->out.size, at) <
		    0)
		r = error_set_no_memory(err);
	buffer_clear(&writer->out);
	writer->has_failed |= r < 0;
	return r;
}

int profile_writer_open(struct profile_writer **ret_writer, const char *path,
			struct profile *profile, struct error *err)
{
	struct profile_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return error_set_no_memory(err);
	writer->profile = profile;
	writer->written = PROFILE_NOTHING_WRITTEN;
	r = output_file_open(&writer->file, path, 0600, err);
	if (r < 0) {
		profile_writer_free(writer);
		return r;
	}
	profile_encode_header(&writer->out);
	r = profile_writer_put(writer, err);
	if (r == 0)
		r = profile_writer_flush(writer, err);
	if (r < 0) {
		profile_writer_abandon(writer, true);
		return r;
	}
	/* What the run is like is known after this: the next flush tells it again. */
	writer->status_at_bytes = 0;
	*ret_writer = writer;
	return 0;
}

/* What a file ends with. */
static void profile_writer_add_rest(struct profile_writer *writer)
{
	profile_encode_frames(&writer->out, writer->profile);
	profile_writer_add_status(writer);
	profile_encode_end(&writer->out, &writer->written);
}

/* A file without samples helps nobody: an eighth is theirs, whatever the rest takes. */
static uint64_t room_for_samples(const struct profile_writer *writer, uint64_t other_bytes)
{
	const uint64_t max_bytes = writer->limit.max_bytes;

	return other_bytes < max_bytes / 8 * 7 ? max_bytes - other_bytes : max_bytes / 8;
}

/* Those that only the file has: which of them are left. */
static void profile_writer_count_calls(struct profile_writer *writer)
{
	struct sample_window *window = &writer->window;

	if (!writer->profile->marks.has_all_calls)
		return;
	writer->written.n_calls = window->n_calls;
	writer->marks.has_lost_calls |= window->n_calls_dropped > 0;
	writer->profile->marks.quality.n_calls_dropped += window->n_calls_dropped;
	window->n_calls_dropped = 0;
}

/*
 * All tables, into `next`, then the samples that fit beside them and `rest_bytes`
 * more.  A rotation in the middle leaves a quarter free, so that what is
 * copied again and again stays a small multiple of what is recorded.
 */
static int profile_writer_write_anew(struct profile_writer *writer, struct output_file *next,
				     int old_fd, uint64_t rest_bytes, struct error *err)
{
	struct sample_window *window = &writer->window;
	uint64_t room_bytes;
	int r;

	writer->written = PROFILE_NOTHING_WRITTEN;
	marks_writer_restart(&writer->marks);
	profile_encode_header(&writer->out);
	r = profile_writer_add_new(writer);
	if (r == 0)
		r = profile_writer_add_marks_status(writer);
	if (r < 0 || writer->out.is_failed)
		return error_set_no_memory(err);
	room_bytes = room_for_samples(writer, writer->out.size + rest_bytes + STATUS_MAX_BYTES);
	r = sample_window_drop(window, old_fd, writer->profile,
			       rest_bytes ? room_bytes : room_bytes / 4 * 3, writer->limit.dropped,
			       writer->limit.context, err);
	if (r == 0)
		r = output_file_write(next, buffer_string(&writer->out), writer->out.size, err);
	buffer_clear(&writer->out);
	if (r == 0)
		r = sample_window_move(window, old_fd, next, err);
	if (r < 0)
		return r;
	writer->written.n_samples = window->n_samples;
	writer->written.n_waits = window->n_waits;
	profile_writer_count_calls(writer);
	profile_writer_add_status(writer);
	writer->status_at_bytes = next->size_bytes + writer->out.size;
	r = output_file_write(next, buffer_string(&writer->out), writer->out.size, err);
	buffer_clear(&writer->out);
	return r;
}

/* The file as it would be had its oldest samples never been taken. */
static int profile_writer_rotate(struct profile_writer *writer, uint64_t rest_bytes,
				 struct error *err)
{
	struct output_file next = OUTPUT_FILE_INIT;
	const int old_fd = open(writer->file.part_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (old_fd < 0) {
		r = error_set_errno(err, -errno, "%s", writer->file.part_path);
		goto out;
	}
	r = output_file_open(&next, writer->file.part_path, 0600, err);
	if (r < 0)
		goto out;
	r = profile_writer_write_anew(writer, &next, old_fd, rest_bytes, err);
	if (r == 0)
		r = output_file_replace(&writer->file, &next, err);
	else
		output_file_discard(&next);
out:
	if (old_fd >= 0)
		(void)close(old_fd);
	writer->has_failed |= r < 0;
	return r;
}

/* Where tables fill nearly all of it, dropping samples would not help for long. */
static bool is_rotation_due(const struct profile_writer *writer)
{
	const uint64_t max_bytes = writer->limit.max_bytes;

	return max_bytes && writer->file.size_bytes > max_bytes &&
	       writer->window.size_bytes > max_bytes / 8;
}

int profile_writer_flush(struct profile_writer *writer, struct error *err)
{
	const bool is_first = writer->status_at_bytes == 0;
	int r;

	if (writer->has_failed)
		return error_set(err, -EIO, "%s: an earlier write failed", writer->file.part_path);
	r = profile_writer_add_new(writer);
	if (r == 0)
		r = profile_writer_add_marks_status_if_due(writer);
	if (r < 0) {
		writer->has_failed = true;
		return error_set_no_memory(err);
	}
	if (is_first || writer->file.size_bytes + writer->out.size - writer->status_at_bytes >=
				PROFILE_STATUS_EVERY_BYTES)
		profile_writer_add_status(writer);
	if (writer->out.size || writer->out.is_failed)
		r = profile_writer_put(writer, err);
	return r == 0 && is_rotation_due(writer) ? profile_writer_rotate(writer, 0, err) : r;
}

int profile_writer_limit(struct profile_writer *writer, const struct profile_limit *limit,
			 struct error *err)
{
	if (strcmp(writer->file.path, writer->file.part_path) == 0)
		return error_set(err, -EINVAL, "%s: only a regular file can be kept small",
				 writer->file.path);
	writer->limit = *limit;
	return 0;
}

/* Also what is else written now and then only. */
static int profile_writer_flush_all(struct profile_writer *writer, struct error *err)
{
	int r = profile_writer_flush(writer, err);

	if (r < 0)
		return r;
	if (profile_writer_add_marks_status(writer) < 0)
		return error_set_no_memory(err);
	return writer->out.size || writer->out.is_failed ? profile_writer_put(writer, err) : 0;
}

int profile_writer_fit(struct profile_writer *writer, struct error *err)
{
	uint64_t rest_bytes;
	int r;

	if (!writer->limit.max_bytes)
		return 0;
	r = profile_writer_flush_all(writer, err);
	if (r < 0)
		return r;
	profile_writer_add_rest(writer);
	rest_bytes = writer->out.size;
	buffer_clear(&writer->out);
	if (writer->file.size_bytes + rest_bytes + STATUS_MAX_BYTES <= writer->limit.max_bytes)
		return 0;
	return profile_writer_rotate(writer, rest_bytes, err);
}

static int profile_writer_write_rest(struct profile_writer *writer, struct error *err)
{
	int r = profile_writer_flush_all(writer, err);

	if (r < 0)
		return r;
	profile_writer_add_rest(writer);
	return profile_writer_put(writer, err);
}

int profile_writer_finish(struct profile_writer *writer, struct error *err)
{
	struct error cause = ERROR_INIT;
	int r = profile_writer_write_rest(writer, &cause);

	if (r < 0) {
		(void)error_set(err, r, "%s; what was written until then is readable in %s",
				cause.message, writer->file.part_path);
		output_file_abandon(&writer->file);
	} else {
		r = output_file_commit(&writer->file, err);
	}
	profile_writer_free(writer);
	return r;
}

void profile_writer_abandon(struct profile_writer *writer, bool remove_part)
{
	if (!writer)
		return;
	if (remove_part)
		output_file_discard(&writer->file);
	else
		output_file_abandon(&writer->file);
	profile_writer_free(writer);
}

uint64_t profile_writer_size_bytes(const struct profile_writer *writer)
{
	return writer->file.size_bytes;
}
