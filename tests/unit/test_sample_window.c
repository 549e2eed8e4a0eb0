/* A profile file that is kept small: the newest samples stay, and what goes is told. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profile/profile_reader.h"
#include "profile/profile_writer.h"

#include "profile_bytes.h"

enum { MAX_BYTES = 40000, N_SAMPLES = 12000, N_FLUSHES = 300, IN_FLUSH = N_SAMPLES / N_FLUSHES };

static const struct profile_shape shape = { .seed = 7,
					    .n_modules = 3,
					    .n_threads = 3,
					    .n_locations = 20,
					    .n_samples = N_SAMPLES,
					    .n_waits = N_SAMPLES / 10,
					    .depth = 2 };

struct run {
	struct profile profile; /* as it is while it is written */
	struct sample *all;	/* in order */
	size_t n_dropped;
	bool is_in_order;
	char directory[32];
	char path[48];
	struct profile_writer *writer;
};

static bool is_same_sample(const struct sample *a, const struct sample *b)
{
	return a->time_ns == b->time_ns && a->weight_ns == b->weight_ns && a->thread == b->thread &&
	       a->node == b->node && a->state == b->state && a->end == b->end;
}

static bool is_among(const struct sample *sample, const struct sample *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_same_sample(sample, &all[i]))
			return true;
	return false;
}

/* A flush writes its waits behind its samples: the order is that of the flushes. */
static void note_dropped(void *context, const struct sample *sample)
{
	struct run *run = context;
	const size_t first = run->n_dropped < IN_FLUSH ? 0 : run->n_dropped - IN_FLUSH;

	run->is_in_order &= is_among(sample, run->all + first, 2 * IN_FLUSH);
	run->n_dropped++;
}

static void run_start(struct run *run, uint64_t max_bytes)
{
	const struct profile_limit limit = { .max_bytes = max_bytes,
					     .dropped = note_dropped,
					     .context = run };

	*run = (struct run){ .is_in_order = true, .directory = "/tmp/tsprof-test-XXXXXX" };
	profile_bytes_make(&run->profile, &shape);
	run->all = malloc(N_SAMPLES * sizeof(*run->all));
	assert_non_null(run->all);
	/* Waits are the last of the shape; let every tenth be one. */
	for (size_t i = 0; i < N_SAMPLES; i++)
		run->all[i] =
			run->profile.samples[i % 10 ? i - i / 10 - 1 : N_SAMPLES - 1 - i / 10];
	run->profile.n_samples = 0;
	assert_non_null(mkdtemp(run->directory));
	(void)snprintf(run->path, sizeof(run->path), "%s/p", run->directory);
	assert_int_equal(profile_writer_open(&run->writer, run->path, &run->profile, NULL), 0);
	assert_int_equal(profile_writer_limit(run->writer, &limit, NULL), 0);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		assert_int_equal(profile_add_sample(&run->profile, &run->all[i]), 0);
		if ((i + 1) % IN_FLUSH == 0)
			assert_int_equal(profile_writer_flush(run->writer, NULL), 0);
	}
}

static void run_release(struct run *run)
{
	(void)unlink(run->path);
	assert_int_equal(rmdir(run->directory), 0);
	profile_release(&run->profile);
	free(run->all);
}

static void assert_holds_the_newest(const struct run *run, const struct profile *read)
{
	const size_t n_gone = run->n_dropped < IN_FLUSH ? 0 : run->n_dropped - IN_FLUSH;

	assert_int_equal(read->n_samples + run->n_dropped, N_SAMPLES);
	for (size_t i = 0; i < read->n_samples; i++)
		assert_true(is_among(&read->samples[i], run->all + n_gone, N_SAMPLES - n_gone));
}

static void sample_window__keeps_the_newest_within_the_limit(void **state)
{
	struct profile read;
	struct stat status;
	struct run run;

	(void)state;
	run_start(&run, MAX_BYTES);
	assert_int_equal(profile_writer_fit(run.writer, NULL), 0);
	assert_int_equal(profile_writer_finish(run.writer, NULL), 0);
	assert_int_equal(stat(run.path, &status), 0);

	assert_true(status.st_size <= MAX_BYTES);
	assert_true(status.st_size > MAX_BYTES / 2);
	assert_true(run.n_dropped > N_SAMPLES / 10);
	assert_true(run.is_in_order);
	assert_int_equal(profile_read(&read, run.path, NULL), 0);
	assert_false(read.info.is_cut);
	assert_holds_the_newest(&run, &read);
	profile_release(&read);
	run_release(&run);
}

/* What finishing writes once more is larger than when it was measured. */
static void let_figures_grow(struct profile *profile)
{
	const uint64_t most = INT64_MAX / 2;
	struct quality *quality = &profile->quality;

	quality->n_lost = quality->n_lost_events = quality->n_throttled = most;
	quality->n_unresolved = quality->target_cpu_ns = quality->recorder_cpu_ns = most;
	quality->needed_stack_bytes_p999 = quality->n_lost_switches = quality->n_dropped = most;
	quality->stolen_ns = most;
	profile->info.exit_status = 255;
}

static uint64_t size_with_limit(uint64_t max_bytes)
{
	struct stat status;
	struct run run;

	run_start(&run, max_bytes);
	assert_int_equal(profile_writer_fit(run.writer, NULL), 0);
	let_figures_grow(&run.profile);
	assert_int_equal(profile_writer_finish(run.writer, NULL), 0);
	assert_int_equal(stat(run.path, &status), 0);
	run_release(&run);
	return (uint64_t)status.st_size;
}

static void sample_window__leaves_room_for_the_last_figures(void **state)
{
	const uint64_t size_bytes = size_with_limit(10 << 20);

	(void)state;
	for (uint64_t max_bytes = size_bytes - 500; max_bytes < size_bytes + 100; max_bytes += 20)
		assert_in_range(size_with_limit(max_bytes), max_bytes / 2, max_bytes);
}

static void sample_window__leaves_a_readable_part(void **state)
{
	char part[64];
	struct profile read;
	struct run run;

	(void)state;
	run_start(&run, MAX_BYTES);
	profile_writer_abandon(run.writer, false);
	(void)snprintf(part, sizeof(part), "%s.part", run.path);
	assert_int_equal(profile_read(&read, part, NULL), 0);
	assert_true(read.info.is_cut);
	assert_holds_the_newest(&run, &read);
	profile_release(&read);
	assert_int_equal(unlink(part), 0);
	run_release(&run);
}

static void sample_window__drops_nothing_that_fits(void **state)
{
	struct profile read;
	struct run run;

	(void)state;
	run_start(&run, 10 << 20);
	assert_int_equal(profile_writer_fit(run.writer, NULL), 0);
	assert_int_equal(profile_writer_finish(run.writer, NULL), 0);
	assert_int_equal(run.n_dropped, 0);
	assert_int_equal(profile_read(&read, run.path, NULL), 0);
	assert_int_equal(read.n_samples, N_SAMPLES);
	profile_release(&read);
	run_release(&run);
}

static void sample_window__keeps_some_samples_beside_large_tables(void **state)
{
	struct profile read;
	struct run run;

	(void)state;
	run_start(&run, 2000);
	assert_int_equal(profile_writer_fit(run.writer, NULL), 0);
	assert_int_equal(profile_writer_finish(run.writer, NULL), 0);
	assert_int_equal(profile_read(&read, run.path, NULL), 0);
	assert_true(read.n_samples > 0);
	assert_holds_the_newest(&run, &read);
	profile_release(&read);
	run_release(&run);
}

static void sample_window__needs_a_regular_file(void **state)
{
	const struct profile_limit limit = { .max_bytes = MAX_BYTES, .dropped = note_dropped };
	struct profile_writer *writer;
	struct profile profile;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(profile_writer_open(&writer, "/dev/null", &profile, NULL), 0);
	assert_int_equal(profile_writer_limit(writer, &limit, &err), -EINVAL);
	assert_non_null(strstr(err.message, "regular file"));
	profile_writer_abandon(writer, true);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_window__keeps_the_newest_within_the_limit),
		cmocka_unit_test(sample_window__leaves_room_for_the_last_figures),
		cmocka_unit_test(sample_window__leaves_a_readable_part),
		cmocka_unit_test(sample_window__drops_nothing_that_fits),
		cmocka_unit_test(sample_window__keeps_some_samples_beside_large_tables),
		cmocka_unit_test(sample_window__needs_a_regular_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
