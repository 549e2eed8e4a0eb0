/* The profile file: what is written is read, and what is damaged is told. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32.h"
#include "profile/profile_encode.h"
#include "profile/profile_reader.h"
#include "profile/profile_writer.h"

#include "profile_bytes.h"

static const struct profile_shape small_shape = { .seed = 1,
						  .n_modules = 2,
						  .n_threads = 2,
						  .n_locations = 6,
						  .n_samples = 12,
						  .n_waits = 4,
						  .depth = 3 };

/* A file of a few hundred bytes. */
static void make_small(struct buffer *bytes)
{
	struct profile profile;

	profile_bytes_make(&profile, &small_shape);
	profile_bytes_write(bytes, &profile, 2);
	profile_release(&profile);
}

static int read_buffer(struct profile *profile, const struct buffer *bytes, struct error *err)
{
	return profile_read_bytes(profile, (const uint8_t *)bytes->data, bytes->size, "p", err);
}

/* After a failed or a good read of damaged bytes: a whole profile or a message. */
static bool is_told(const uint8_t *bytes, size_t size)
{
	struct profile profile;
	struct error err = ERROR_INIT;
	bool is_cut;

	if (profile_read_bytes(&profile, bytes, size, "p", &err) < 0)
		return err.message[0] == 'p' && !strchr(err.message, '\n');
	is_cut = profile.info.is_cut;
	for (size_t i = 0; i < profile.locations.n_locations; i++)
		assert_true(profile.locations.locations[i].n_frames > 0);
	profile_release(&profile);
	return is_cut;
}

static void profile_file__gives_back_what_was_written(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		uint64_t random = seed;
		const struct profile_shape shape = {
			.seed = seed,
			.n_modules = 1 + profile_bytes_random(&random) % 9,
			.n_threads = 1 + profile_bytes_random(&random) % 9,
			.n_locations = 1 + profile_bytes_random(&random) % 200,
			.n_samples = profile_bytes_random(&random) % 400,
			.depth = (unsigned int)(profile_bytes_random(&random) % 20),
		};
		struct buffer bytes = BUFFER_INIT;
		struct profile written, read;
		struct error err = ERROR_INIT;

		profile_bytes_make(&written, &shape);
		profile_bytes_write(&bytes, &written, 1 + seed % 5);
		assert_int_equal(read_buffer(&read, &bytes, &err), 0);
		assert_false(read.info.is_cut);
		profile_bytes_assert_equal(&written, &read);
		profile_release(&written);
		profile_release(&read);
		buffer_release(&bytes);
	}
}

/* Running and waiting in any order: each keeps its own, and all of it. */
static void profile_file__gives_back_waits_among_samples(void **state)
{
	struct profile_shape shape = small_shape;
	struct buffer bytes = BUFFER_INIT;
	struct profile written, read;

	(void)state;
	shape.n_samples = 60;
	shape.n_waits = 25;
	profile_bytes_make(&written, &shape);
	for (size_t i = 0; i < 10; i++) {
		const struct sample sample = written.samples[3 * i];

		written.samples[3 * i] = written.samples[59 - i];
		written.samples[59 - i] = sample;
	}
	profile_bytes_write(&bytes, &written, 1);
	assert_int_equal(read_buffer(&read, &bytes, NULL), 0);
	assert_int_equal(read.n_samples, 60);
	for (size_t i = 0, n[2] = { 0, 35 }; i < 60; i++) {
		const struct sample *sample = &written.samples[i];
		const struct sample *same = &read.samples[n[sample_is_wait(sample)]++];

		assert_int_equal(sample->time_ns, same->time_ns);
		assert_int_equal(sample->state, same->state);
		assert_int_equal(sample->node, same->node);
	}
	profile_release(&written);
	profile_release(&read);
	buffer_release(&bytes);
}

static void profile_file__keeps_the_largest_numbers(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct profile written, read;

	(void)state;
	profile_bytes_make(&written, &small_shape);
	written.samples[0].time_ns = UINT64_MAX;
	written.samples[1].time_ns = 0;
	written.samples[2].weight_ns = INT64_MAX / 2;
	written.samples[3].count = INT64_MAX / 2;
	written.samples[4].cpu = UINT16_MAX;
	written.threads[0].pid = UINT32_MAX;
	profile_bytes_write(&bytes, &written, 1);
	assert_int_equal(read_buffer(&read, &bytes, NULL), 0);
	profile_bytes_assert_equal(&written, &read);
	profile_release(&written);
	profile_release(&read);
	buffer_release(&bytes);
}

static void profile_file__cut_at_any_byte_opens_or_says_so(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	size_t n_opened = 0;

	(void)state;
	make_small(&bytes);
	for (size_t size = 0; size < bytes.size; size++) {
		/* A copy of just that size, so that ASan sees a read past the end. */
		uint8_t *copy = malloc(size ? size : 1);
		struct profile profile;
		struct error err = ERROR_INIT;
		int r;

		assert_non_null(copy);
		memcpy(copy, bytes.data, size);
		r = profile_read_bytes(&profile, copy, size, "p", &err);
		assert_int_equal(r == 0, size >= PROFILE_HEADER_BYTES);
		if (r == 0) {
			assert_true(profile.info.is_cut);
			assert_int_equal(profile.quality.n_samples + profile.quality.n_waits,
					 profile.n_samples);
			n_opened += profile.n_samples > 0;
			profile_release(&profile);
		} else {
			assert_memory_equal(err.message, "p: ", 3);
		}
		free(copy);
	}
	assert_true(n_opened > 100);
	buffer_release(&bytes);
}

static void profile_file__any_changed_byte_is_told(void **state)
{
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	make_small(&bytes);
	for (size_t at = 0; at < bytes.size; at++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			bytes.data[at] ^= (char)(1U << bit);
			assert_true(is_told((const uint8_t *)bytes.data, bytes.size));
			bytes.data[at] ^= (char)(1U << bit);
		}
	}
	buffer_release(&bytes);
}

static uint32_t chunk_size_at(const struct buffer *bytes, size_t at)
{
	uint32_t size;

	memcpy(&size, bytes->data + at + 4, sizeof(size));
	return size;
}

/* As above, with the CRC made good again: what only the decoders can see. */
static void profile_file__impossible_numbers_never_get_through(void **state)
{
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	make_small(&bytes);
	for (size_t chunk = PROFILE_HEADER_BYTES; chunk < bytes.size;) {
		const size_t payload = chunk + PROFILE_CHUNK_HEADER_BYTES;
		const uint32_t size = chunk_size_at(&bytes, chunk);

		for (size_t i = 0; i < size * 256U; i++) {
			const char old = bytes.data[payload + i / 256];
			struct profile profile;

			bytes.data[payload + i / 256] = (char)i;
			profile_encode_chunk_seal(bytes.data + chunk, size);
			if (read_buffer(&profile, &bytes, NULL) == 0)
				profile_release(&profile);
			bytes.data[payload + i / 256] = old;
		}
		profile_encode_chunk_seal(bytes.data + chunk, size);
		chunk = payload + size;
	}
	buffer_release(&bytes);
}

static void profile_file__a_missing_chunk_is_told(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	size_t chunk = PROFILE_HEADER_BYTES;

	(void)state;
	make_small(&bytes);
	while (chunk < bytes.size) {
		const size_t size = PROFILE_CHUNK_HEADER_BYTES + chunk_size_at(&bytes, chunk);
		const bool is_status = memcmp(bytes.data + chunk, "QUAL", 4) == 0 ||
				       memcmp(bytes.data + chunk, "INFO", 4) == 0 ||
				       memcmp(bytes.data + chunk, "FRAM", 4) == 0;
		struct buffer without = BUFFER_INIT;

		buffer_add(&without, bytes.data, chunk);
		buffer_add(&without, bytes.data + chunk + size, bytes.size - chunk - size);
		if (!is_status)
			assert_true(is_told((const uint8_t *)without.data, without.size));
		buffer_release(&without);
		chunk += size;
	}
	buffer_release(&bytes);
}

/* Overwrite the version in the header. */
static void set_version(struct buffer *bytes, uint16_t major, uint16_t minor)
{
	uint32_t crc;

	memcpy(bytes->data + 8, &major, sizeof(major));
	memcpy(bytes->data + 10, &minor, sizeof(minor));
	crc = crc32_of(0, bytes->data, 12);
	memcpy(bytes->data + 12, &crc, sizeof(crc));
}

static void profile_file__a_newer_major_version_is_refused(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct profile profile;
	struct error err = ERROR_INIT;

	(void)state;
	make_small(&bytes);
	set_version(&bytes, PROFILE_MAJOR + 1, 0);
	assert_int_equal(read_buffer(&profile, &bytes, &err), -ENOTSUP);
	assert_non_null(strstr(err.message, "version 2.0"));
	buffer_release(&bytes);
}

/* The small file with one more chunk, of a type that nobody knows, behind its header. */
static void make_with_unknown_chunk(struct buffer *out)
{
	struct buffer bytes = BUFFER_INIT;
	size_t chunk_at;

	make_small(&bytes);
	buffer_add(out, bytes.data, PROFILE_HEADER_BYTES);
	chunk_at = profile_encode_chunk_begin(out, (enum profile_chunk_type)0x4b52414d);
	buffer_add_string(out, "whatever");
	profile_encode_chunk_end(out, chunk_at);
	buffer_add(out, bytes.data + PROFILE_HEADER_BYTES, bytes.size - PROFILE_HEADER_BYTES);
	buffer_release(&bytes);
}

static void profile_file__unknown_chunks_are_skipped_in_newer_files_only(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct profile profile;
	struct error err = ERROR_INIT;

	(void)state;
	make_with_unknown_chunk(&bytes);
	assert_int_equal(read_buffer(&profile, &bytes, &err), -EINVAL);
	assert_non_null(strstr(err.message, "MARK at byte 16"));
	set_version(&bytes, PROFILE_MAJOR, PROFILE_MINOR + 1);
	assert_int_equal(read_buffer(&profile, &bytes, &err), 0);
	assert_int_equal(profile.n_samples, small_shape.n_samples);
	assert_false(profile.info.is_cut);
	profile_release(&profile);
	buffer_release(&bytes);
}

static void profile_file__says_what_it_is_not(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "", "p: is empty" },
		{ "\177ELF and more of it", "p: is not a profile file" },
		{ "\x89TSP", "p: was cut within its first 16 bytes" },
		{ "\x89TSPROF\n\1\0\0\0", "p: was cut within its first 16 bytes" },
		{ "\x89TSPROF\n\1\1\1\1\1\1\1\1", "p: is damaged: the CRC of its header is wrong" },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct profile profile;
		struct error err = ERROR_INIT;

		assert_int_equal(profile_read_bytes(&profile, (const uint8_t *)cases[i].text,
						    strlen(cases[i].text), "p", &err),
				 -EINVAL);
		assert_string_equal(err.message, cases[i].expected);
	}
}

static void profile_read__refuses_a_directory(void **state)
{
	struct profile profile;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(profile_read(&profile, "/", &err), -EISDIR);
	assert_string_equal(err.message, "/: is a directory");
}

static void profile_file__is_small(void **state)
{
	const struct profile_shape shape = { .seed = 5,
					     .n_modules = 5,
					     .n_threads = 4,
					     .n_locations = 100,
					     .n_samples = 0,
					     .depth = 0 };
	enum { N_SAMPLES = 20000 };
	struct buffer bytes = BUFFER_INIT;
	struct profile profile;
	uint64_t random = 1;
	uint64_t time_ns = UINT64_C(1) << 50;
	size_t without, with;

	(void)state;
	profile_bytes_make(&profile, &shape);
	profile_bytes_write(&bytes, &profile, 1);
	without = bytes.size;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct sample sample = { .weight_ns = 1003009, .count = 1 };

		/* 997 Hz on each of eight CPUs: threads and stacks in any order. */
		sample.time_ns = time_ns += profile_bytes_random(&random) % 250000;
		sample.thread = (uint32_t)(profile_bytes_random(&random) % 4);
		sample.cpu = (uint16_t)(profile_bytes_random(&random) % 8);
		for (int k = 0; k < 8; k++)
			assert_int_equal(stack_trie_add(&profile.stacks, &sample.node, sample.node,
							(uint32_t)(profile_bytes_random(&random) %
								   100)),
					 0);
		assert_int_equal(profile_add_sample(&profile, &sample), 0);
	}
	profile_bytes_write(&bytes, &profile, 20);
	with = bytes.size;
	print_message("%.2f bytes a sample and its %.2f new nodes\n",
		      (double)(with - without) / N_SAMPLES,
		      (double)profile.stacks.n_nodes / N_SAMPLES);
	assert_true(with - without < 12 * N_SAMPLES + 8 * profile.stacks.n_nodes);
	profile_release(&profile);
	buffer_release(&bytes);
}

static void profile_writer__leaves_the_old_file_when_it_is_abandoned(void **state)
{
	char directory[] = "/tmp/tsprof-test-XXXXXX";
	char path[64], part[80];
	struct profile profile, read;
	struct profile_writer *writer;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/p", directory);
	(void)snprintf(part, sizeof(part), "%s.part", path);
	assert_int_equal(symlink("kept", path), 0);
	profile_bytes_make(&profile, &small_shape);
	assert_int_equal(profile_writer_open(&writer, path, &profile, NULL), 0);
	assert_int_equal(stat(part, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, profile_writer_size_bytes(writer));
	/* What is known only after it was opened is there when the recorder is killed. */
	profile.info.period_ns = 12345;
	assert_int_equal(profile_writer_flush(writer, NULL), 0);
	assert_int_equal(profile_read(&read, part, NULL), 0);
	assert_int_equal(read.info.period_ns, 12345);
	profile_release(&read);
	profile_writer_abandon(writer, true);
	assert_int_equal(stat(part, &st), -1);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	profile_release(&profile);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* A full disk, played by RLIMIT_FSIZE: the part is named and opens. */
static void profile_writer__what_fits_on_a_full_disk_is_readable(void **state)
{
	const struct profile_shape shape = { .seed = 5,
					     .n_modules = 5,
					     .n_threads = 4,
					     .n_locations = 100,
					     .n_samples = 4000,
					     .depth = 5 };
	const struct rlimit small = { 80000, RLIM_INFINITY };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char directory[] = "/tmp/tsprof-test-XXXXXX";
	char path[64], part[80];
	struct profile profile, read;
	struct profile_writer *writer;
	struct error err = ERROR_INIT;
	size_t n_samples;
	struct sample *samples;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/p", directory);
	(void)snprintf(part, sizeof(part), "%s.part", path);
	profile_bytes_make(&profile, &shape);
	n_samples = profile.n_samples;
	samples = profile.samples;
	profile.n_samples = 0;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(profile_writer_open(&writer, path, &profile, &err), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (size_t i = 0; i + 100 <= n_samples; i += 100) {
		profile.samples = samples + i;
		profile.n_samples = 100;
		if (profile_writer_flush(writer, &err) < 0)
			break;
	}
	assert_true(profile_writer_finish(writer, &err) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
	profile.samples = samples;
	assert_non_null(strstr(err.message, part));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(profile_read(&read, part, &err), 0);
	assert_true(read.info.is_cut);
	assert_true(read.n_samples > 500 && read.n_samples < n_samples);
	profile_release(&read);
	profile_release(&profile);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_file__gives_back_what_was_written),
		cmocka_unit_test(profile_file__gives_back_waits_among_samples),
		cmocka_unit_test(profile_file__keeps_the_largest_numbers),
		cmocka_unit_test(profile_file__cut_at_any_byte_opens_or_says_so),
		cmocka_unit_test(profile_file__any_changed_byte_is_told),
		cmocka_unit_test(profile_file__impossible_numbers_never_get_through),
		cmocka_unit_test(profile_file__a_missing_chunk_is_told),
		cmocka_unit_test(profile_file__a_newer_major_version_is_refused),
		cmocka_unit_test(profile_file__unknown_chunks_are_skipped_in_newer_files_only),
		cmocka_unit_test(profile_file__says_what_it_is_not),
		cmocka_unit_test(profile_read__refuses_a_directory),
		cmocka_unit_test(profile_file__is_small),
		cmocka_unit_test(profile_writer__leaves_the_old_file_when_it_is_abandoned),
		cmocka_unit_test(profile_writer__what_fits_on_a_full_disk_is_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
