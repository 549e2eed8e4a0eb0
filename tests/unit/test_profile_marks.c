/* Marks in the profile file: what is written is read, and what is damaged is told. */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "profile/profile_encode.h"
#include "profile/profile_reader.h"
#include "profile/profile_writer.h"

#include "profile_bytes.h"
#include "profile_marks.h"

static const struct profile_shape small_shape = { .seed = 3,
						  .n_modules = 2,
						  .n_threads = 3,
						  .n_locations = 6,
						  .n_samples = 20,
						  .n_waits = 6,
						  .depth = 3 };

static void make_small(struct buffer *bytes, bool has_all_calls)
{
	struct profile profile;

	profile_bytes_make(&profile, &small_shape);
	profile_marks_make(&profile, 3, 5);
	profile.marks.has_all_calls = has_all_calls;
	profile_bytes_write(bytes, &profile, 2);
	profile_release(&profile);
}

static int read_buffer(struct profile *profile, const struct buffer *bytes, struct error *err)
{
	return profile_read_bytes(profile, (const uint8_t *)bytes->data, bytes->size, "p", err);
}

static void profile_marks__come_back_as_they_were(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct profile_shape shape = small_shape;
		struct buffer bytes = BUFFER_INIT;
		struct profile written, read;

		shape.seed = seed;
		shape.n_samples = 50 * seed;
		shape.n_waits = 3 * seed;
		profile_bytes_make(&written, &shape);
		profile_marks_make(&written, seed, 1 + 8 * seed);
		profile_bytes_write(&bytes, &written, 1 + seed % 5);
		assert_int_equal(read_buffer(&read, &bytes, NULL), 0);
		assert_false(read.info.is_cut);
		/* A flush writes its waits behind its samples: only one is in order. */
		if (seed % 5 == 0) {
			profile_bytes_assert_equal(&written, &read);
			profile_marks_assert_equal(&written, &read);
		}
		profile_release(&written);
		profile_release(&read);
		buffer_release(&bytes);
	}
}

static size_t size_of(struct profile *profile)
{
	struct buffer bytes = BUFFER_INIT;
	size_t size;

	profile_bytes_write(&bytes, profile, 4);
	size = bytes.size;
	buffer_release(&bytes);
	return size;
}

static void profile_marks__take_no_byte_where_there_are_none(void **state)
{
	struct profile profile;
	size_t size;

	(void)state;
	profile_bytes_make(&profile, &small_shape);
	size = size_of(&profile);
	/* A scope that nobody is in: what its bytes are is known. */
	assert_int_equal(
		marks_add_site(&profile.marks, NULL, &(struct mark_site){ .kind = MARK_SCOPE }), 0);
	/* SITE 16 + 8, MARQ 16 + 13, and seven counts. */
	assert_int_equal(size_of(&profile), size + 24 + 29 + 7);
	profile_release(&profile);
}

/* Few threads, long scopes: what a sample's scope costs on top. */
static void profile_marks__scopes_of_samples_are_small(void **state)
{
	enum { N_SAMPLES = 20000, N_THREADS = 8 };
	struct profile_shape shape = small_shape;
	struct profile profile;
	uint32_t node = 0;
	size_t without, with;

	(void)state;
	shape.n_samples = N_SAMPLES;
	shape.n_waits = 0;
	shape.n_threads = N_THREADS;
	profile_bytes_make(&profile, &shape);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(marks_add_site(&profile.marks, NULL,
						&(struct mark_site){ .kind = MARK_SCOPE }),
				 0);
		assert_int_equal(scope_tree_get(&profile.marks.scopes, &node, 0, (uint32_t)i), 0);
	}
	without = size_of(&profile);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct sample *sample = &profile.samples[i];

		/* Each of the threads stays in a scope for 20 samples or so. */
		sample->scope = 1 + (uint32_t)((i / (20 * N_THREADS) + sample->thread) % 10);
	}
	with = size_of(&profile);
	print_message("%.3f bytes for the scope of a sample\n",
		      (double)(with - without) / N_SAMPLES);
	assert_true(with - without < N_SAMPLES / 5);
	profile_release(&profile);
}

static void profile_marks__cut_at_any_byte_open_or_say_so(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	size_t n_with_milestones = 0, n_with_statistics = 0;

	(void)state;
	make_small(&bytes, true);
	for (size_t size = PROFILE_HEADER_BYTES; size < bytes.size; size++) {
		/* A copy of just that size, so that ASan sees a read past the end. */
		uint8_t *copy = malloc(size);
		struct profile profile;

		assert_non_null(copy);
		memcpy(copy, bytes.data, size);
		assert_int_equal(profile_read_bytes(&profile, copy, size, "p", NULL), 0);
		assert_true(profile.info.is_cut);
		n_with_milestones += profile.marks.n_milestones > 0;
		for (size_t i = 0; i < profile.marks.scopes.n_nodes; i++)
			n_with_statistics += profile.marks.scopes.nodes[i].total_ns > 0;
		profile_release(&profile);
		free(copy);
	}
	assert_true(n_with_milestones > bytes.size / 4);
	assert_true(n_with_statistics > bytes.size / 4);
	buffer_release(&bytes);
}

static uint32_t chunk_size_at(const struct buffer *bytes, size_t at)
{
	uint32_t size;

	memcpy(&size, bytes->data + at + 4, sizeof(size));
	return size;
}

static void assert_makes_sense(const struct profile *profile)
{
	const struct marks *marks = &profile->marks;
	uint64_t total_ns = 0, n_calls = 0;

	for (size_t i = 0; i < profile->n_samples; i++)
		assert_true(profile->samples[i].scope < marks->scopes.n_nodes);
	for (size_t i = 1; i < marks->scopes.n_nodes; i++) {
		const struct scope_node *node = &marks->scopes.nodes[i];

		assert_true(node->parent < i && node->site < marks->n_sites);
		assert_true(isfinite(node->mean_ns) && node->squares_ns2 >= 0);
		assert_true(node->total_ns <= INT64_MAX - total_ns);
		assert_true(node->durations_ns.n_values <= INT64_MAX - n_calls);
		total_ns += node->total_ns;
		n_calls += node->durations_ns.n_values;
	}
	for (size_t i = 0; i < marks->n_calls; i++)
		assert_true(marks->calls[i].node && marks->calls[i].node < marks->scopes.n_nodes);
	for (size_t i = 0; i < marks->n_snapshots; i++)
		assert_true(marks->snapshots[i].bytes_offset + marks->snapshots[i].size_bytes <=
			    marks->n_bytes);
	for (size_t i = 0; i < marks->n_counters; i++)
		assert_true(isfinite(marks->counters[i].value));
}

/* Each byte takes telling values, with the CRC made good again: what only the decoders can see. */
static void profile_marks__impossible_numbers_never_get_through(void **state)
{
	static const uint8_t values[] = { 0, 1, 2, 5, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	make_small(&bytes, false);
	for (size_t chunk = PROFILE_HEADER_BYTES; chunk < bytes.size;) {
		const size_t payload = chunk + PROFILE_CHUNK_HEADER_BYTES;
		const uint32_t size = chunk_size_at(&bytes, chunk);
		uint32_t type;

		memcpy(&type, bytes.data + chunk, sizeof(type));
		for (size_t i = 0; i < size * N_ITEMS(values) && type != PROFILE_CHUNK_STRINGS;
		     i++) {
			const char old = bytes.data[payload + i / N_ITEMS(values)];
			struct profile profile;

			bytes.data[payload + i / N_ITEMS(values)] =
				(char)values[i % N_ITEMS(values)];
			profile_encode_chunk_seal(bytes.data + chunk, size);
			if (read_buffer(&profile, &bytes, NULL) == 0) {
				assert_makes_sense(&profile);
				profile_release(&profile);
			}
			bytes.data[payload + i / N_ITEMS(values)] = old;
		}
		profile_encode_chunk_seal(bytes.data + chunk, size);
		chunk = payload + size;
	}
	buffer_release(&bytes);
}

static void profile_marks__a_missing_chunk_is_told(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	size_t chunk = PROFILE_HEADER_BYTES;
	unsigned int n_marks_chunks = 0;

	(void)state;
	make_small(&bytes, false);
	while (chunk < bytes.size) {
		static const char types[][5] = { "SITE", "SCOP", "MILE", "CALL",
						 "COUN", "SNAP", "RESO" };
		const size_t size = PROFILE_CHUNK_HEADER_BYTES + chunk_size_at(&bytes, chunk);
		struct buffer without = BUFFER_INIT;

		for (size_t i = 0; i < N_ITEMS(types); i++) {
			struct profile profile;
			struct error err = ERROR_INIT;

			if (memcmp(bytes.data + chunk, types[i], 4) != 0)
				continue;
			buffer_add(&without, bytes.data, chunk);
			buffer_add(&without, bytes.data + chunk + size, bytes.size - chunk - size);
			assert_int_equal(read_buffer(&profile, &without, &err), -EINVAL);
			n_marks_chunks++;
		}
		buffer_release(&without);
		chunk += size;
	}
	assert_true(n_marks_chunks >= 7);
	buffer_release(&bytes);
}

struct written_part {
	char directory[32];
	char path[48];
	char part[56];
	struct profile_writer *writer;
};

static void part_open(struct written_part *part, struct profile *profile)
{
	*part = (struct written_part){ .directory = "/tmp/tsprof-test-XXXXXX" };
	assert_non_null(mkdtemp(part->directory));
	(void)snprintf(part->path, sizeof(part->path), "%s/p", part->directory);
	(void)snprintf(part->part, sizeof(part->part), "%s/p.part", part->directory);
	profile->n_samples = 0;
	assert_int_equal(profile_writer_open(&part->writer, part->path, profile, NULL), 0);
}

static void part_release(struct written_part *part)
{
	(void)unlink(part->path);
	assert_int_equal(rmdir(part->directory), 0);
}

static void profile_marks__rearranged_lists_replace_what_was_written(void **state)
{
	struct profile written, read;
	struct written_part part;

	(void)state;
	profile_bytes_make(&written, &small_shape);
	part_open(&part, &written);
	profile_marks_make(&written, 8, 30);
	assert_int_equal(profile_writer_flush(part.writer, NULL), 0);
	/* The slowest calls have changed, others are gone, and all values but one. */
	written.marks.calls[3].duration_ns = 77777;
	written.marks.n_calls -= 2;
	written.marks.n_calls_rearranged++;
	written.marks.n_counters = 1;
	written.marks.n_counters_rearranged = 5;
	written.marks.n_snapshots = 0;
	written.marks.n_bytes = 0;
	written.marks.n_snapshots_rearranged++;
	written.marks.resources[0].rss_bytes = 4096;
	written.marks.n_resources_rearranged++;
	assert_int_equal(profile_writer_flush(part.writer, NULL), 0);
	assert_int_equal(scope_tree_add_call(&written.marks.scopes, 1, 5555, 0), 0);
	assert_int_equal(profile_writer_finish(part.writer, NULL), 0);
	assert_int_equal(profile_read(&read, part.path, NULL), 0);
	profile_marks_assert_equal(&written, &read);
	profile_release(&written);
	profile_release(&read);
	part_release(&part);
}

static void profile_marks__all_calls_leave_memory_when_written(void **state)
{
	struct profile written, read;
	struct written_part part;
	const struct scope_call call = { .start_ns = 5, .duration_ns = 7, .node = 1 };

	(void)state;
	profile_bytes_make(&written, &small_shape);
	part_open(&part, &written);
	profile_marks_make(&written, 8, 30);
	written.marks.has_all_calls = true;
	assert_int_equal(profile_writer_flush(part.writer, NULL), 0);
	assert_int_equal(written.marks.n_calls, 0);
	assert_int_equal(marks_add_call(&written.marks, &call), 0);
	assert_int_equal(profile_writer_finish(part.writer, NULL), 0);
	assert_int_equal(profile_read(&read, part.path, NULL), 0);
	assert_true(read.marks.has_all_calls);
	assert_int_equal(read.marks.n_calls, 31);
	assert_int_equal(read.marks.calls[30].duration_ns, 7);
	profile_release(&written);
	profile_release(&read);
	part_release(&part);
}

static void forget(void *context, const struct sample *sample)
{
	*(size_t *)context += sample->scope > 0;
}

/* Samples and calls go, oldest first; all else that the marks say stays. */
static void profile_marks__a_small_file_keeps_them(void **state)
{
	enum { N_SAMPLES = 20000, N_FLUSHES = 200, MAX_BYTES = 60000 };
	struct profile_shape shape = small_shape;
	struct profile written, read;
	struct written_part part;
	struct sample *samples;
	size_t n_scopes_dropped = 0;
	const struct profile_limit limit = { .max_bytes = MAX_BYTES,
					     .dropped = forget,
					     .context = &n_scopes_dropped };

	(void)state;
	shape.n_samples = N_SAMPLES;
	profile_bytes_make(&written, &shape);
	part_open(&part, &written);
	written.n_samples = N_SAMPLES;
	profile_marks_make(&written, 8, 20);
	written.marks.has_all_calls = true;
	samples = written.samples;
	assert_int_equal(profile_writer_limit(part.writer, &limit, NULL), 0);
	for (size_t i = 0; i < N_FLUSHES; i++) {
		const struct scope_call call = { .start_ns = i, .duration_ns = 7, .node = 1 };

		written.samples = samples + i * (N_SAMPLES / N_FLUSHES);
		written.n_samples = N_SAMPLES / N_FLUSHES;
		assert_int_equal(marks_add_call(&written.marks, &call), 0);
		assert_int_equal(profile_writer_flush(part.writer, NULL), 0);
	}
	written.samples = samples;
	assert_int_equal(profile_writer_fit(part.writer, NULL), 0);
	assert_int_equal(profile_writer_finish(part.writer, NULL), 0);
	assert_int_equal(profile_read(&read, part.path, NULL), 0);
	assert_false(read.info.is_cut);
	assert_true(read.n_samples < N_SAMPLES && n_scopes_dropped > 0);
	assert_false(read.marks.has_all_calls);
	assert_true(read.marks.n_calls < N_FLUSHES + 20);
	assert_int_equal(read.marks.calls[read.marks.n_calls - 1].start_ns, N_FLUSHES - 1);
	assert_int_equal(read.marks.n_calls + read.marks.quality.n_calls_dropped - 9,
			 N_FLUSHES + 20);
	assert_int_equal(read.marks.n_milestones, 20);
	assert_int_equal(read.marks.n_snapshots, 20);
	assert_int_equal(read.marks.n_resources, 20);
	for (size_t i = 0; i < read.n_samples; i++)
		assert_true(read.samples[i].scope < read.marks.scopes.n_nodes);
	profile_release(&written);
	profile_release(&read);
	part_release(&part);
}

static void profile_marks__a_value_that_is_none_is_counted_as_bad(void **state)
{
	struct marks marks;

	(void)state;
	assert_int_equal(marks_init(&marks), 0);
	assert_int_equal(marks_add_counter(&marks, &(struct counter_value){ .value = NAN }), 0);
	assert_int_equal(marks_add_counter(&marks, &(struct counter_value){ .value = INFINITY }),
			 0);
	assert_int_equal(marks.n_counters, 0);
	assert_int_equal(marks.quality.n_bad, 2);
	marks_release(&marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_marks__come_back_as_they_were),
		cmocka_unit_test(profile_marks__take_no_byte_where_there_are_none),
		cmocka_unit_test(profile_marks__scopes_of_samples_are_small),
		cmocka_unit_test(profile_marks__cut_at_any_byte_open_or_say_so),
		cmocka_unit_test(profile_marks__impossible_numbers_never_get_through),
		cmocka_unit_test(profile_marks__a_missing_chunk_is_told),
		cmocka_unit_test(profile_marks__rearranged_lists_replace_what_was_written),
		cmocka_unit_test(profile_marks__all_calls_leave_memory_when_written),
		cmocka_unit_test(profile_marks__a_small_file_keeps_them),
		cmocka_unit_test(profile_marks__a_value_that_is_none_is_counted_as_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
