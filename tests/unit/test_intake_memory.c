/*
 * The recorder asks for no memory while nothing new comes, and seldom when
 * everything is new: the same samples of this program's own stack again and
 * again, through intake and into the file.
 */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "allocation_count.h"
#include "own_stack.h"
#include "profile/profile_writer.h"
#include "record/intake.h"

enum {
	N_STACKS = 12,
	DEPTH_STEP = 7, /* frames between one stack and the next */
	N_WARM_UP = 5000,
	N_SAMPLES = 20000,
	SAMPLES_PER_FLUSH = 100, /* as at 1 kHz */
	N_THREADS = 3,
	N_FIRST_NEW = 1000,
	N_NEW = 64 * N_FIRST_NEW,
	/*
	 * Each array or index that grows with the stacks may do so twice while
	 * their number doubles; there are eight.
	 */
	MAX_PER_DOUBLING = 16,
};

#define PERIOD_NS UINT64_C(1000000)

static struct own_stack stacks[N_STACKS];

static char directory[] = "/tmp/tsprof-test-XXXXXX";
static char path[sizeof(directory) + 16];

struct run {
	struct profile profile;
	struct profile_writer *writer;
	struct intake intake;
	uint64_t n_samples;
	uint64_t kernel_ips[3]; /* of the next sample, innermost first; 0: none */
};

__attribute__((noinline)) static int capture_at_depth(struct own_stack *stack, int depth)
{
	volatile char room[64] = { 1 };

	if (depth == 0)
		own_stack_capture(stack);
	else
		room[0] = (char)capture_at_depth(stack, depth - 1);
	return room[0];
}

static int set_up(void **state)
{
	static struct run run;

	for (int i = 0; i < N_STACKS; i++)
		(void)capture_at_depth(&stacks[i], i * DEPTH_STEP);
	memset(&run, 0, sizeof(run));
	(void)snprintf(path, sizeof(path), "%s/profile", directory);
	if (profile_init(&run.profile) < 0 ||
	    intake_init(&run.intake, &run.profile, unwind_backend_find("cfi"), PERIOD_NS, NULL) <
		    0 ||
	    profile_writer_open(&run.writer, path, &run.profile, NULL) < 0)
		return -1;
	*state = &run;
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	profile_writer_abandon(run->writer, true);
	intake_release(&run->intake);
	profile_release(&run->profile);
	return 0;
}

static void take_sample(struct run *run)
{
	const uint64_t n = run->n_samples++;
	struct sampler_record record = { .kind = SAMPLER_RECORD_SAMPLE };

	/* Never the same stack, nor the same thread, twice in a row. */
	record.sample = stacks[n * 5 % N_STACKS].sample;
	record.sample.pid = (uint32_t)getpid();
	record.sample.tid = record.sample.pid + (uint32_t)(n % N_THREADS);
	record.sample.time_ns = n * PERIOD_NS;
	record.sample.weight_ns = PERIOD_NS;
	record.sample.kernel_ips = run->kernel_ips;
	record.sample.n_kernel_ips = run->kernel_ips[0] ? N_ITEMS(run->kernel_ips) : 0;
	assert_int_equal(intake_record(&run->intake, &record, NULL), 0);
	if (run->n_samples % SAMPLES_PER_FLUSH == 0)
		assert_int_equal(profile_writer_flush(run->writer, NULL), 0);
}

static void intake_record__allocates_nothing_in_steady_state(void **state)
{
	struct run *run = *state;
	size_t n_nodes;
	uint64_t before;

	for (size_t i = 0; i < N_WARM_UP; i++)
		take_sample(run);
	n_nodes = run->profile.stacks.n_nodes;
	assert_true(n_nodes > (size_t)(N_STACKS * DEPTH_STEP));
	assert_int_equal(run->profile.quality.n_by_end[STACK_COMPLETE], N_WARM_UP);
	before = allocation_count();
	assert_true(before > 0);
	for (size_t i = 0; i < N_SAMPLES; i++)
		take_sample(run);
	assert_int_equal(allocation_count() - before, 0);
	assert_int_equal(run->profile.stacks.n_nodes, n_nodes);
	assert_int_equal(run->profile.quality.n_samples, N_WARM_UP + N_SAMPLES);
}

static void take_new_stack(struct run *run)
{
	for (size_t i = 0; i < N_ITEMS(run->kernel_ips); i++)
		run->kernel_ips[i] = UINT64_C(0xffffffff81000000) + run->n_samples * 64 + i * 8;
	take_sample(run);
}

static void intake_record__allocates_once_in_a_while_for_new_stacks(void **state)
{
	struct run *run = *state;

	for (size_t n = 0; n < N_FIRST_NEW; n++)
		take_new_stack(run);
	for (size_t n_before = N_FIRST_NEW; n_before < N_NEW; n_before *= 2) {
		const uint64_t before = allocation_count();

		for (size_t n = 0; n < n_before; n++)
			take_new_stack(run);
		/* A flush that has something new to write may ask once. */
		assert_in_range(allocation_count() - before, 0,
				MAX_PER_DOUBLING + n_before / SAMPLES_PER_FLUSH);
	}
	assert_true(run->profile.stacks.n_nodes > 3 * N_NEW);
	assert_true(run->profile.locations.n_locations > 3 * N_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(intake_record__allocates_nothing_in_steady_state,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			intake_record__allocates_once_in_a_while_for_new_stacks, set_up, tear_down),
	};
	int n_failed;

	if (!mkdtemp(directory))
		return 1;
	n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(directory);
	return n_failed;
}
