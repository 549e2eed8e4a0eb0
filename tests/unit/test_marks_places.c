/* Places for the threads of a program that marks. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fake_recorder.h"
#include "lib/marks_client.h"
#include "tsprof.h"

static void mark(void)
{
	TSPROF_MILESTONE("mark");
}

static void *mark_and_wait(void *barrier)
{
	TSPROF_SCOPE("thread");
	(void)pthread_barrier_wait(barrier);
	return NULL;
}

static void threads__beyond_the_first_segment_get_another(void **state)
{
	enum { N_THREADS = 50 };
	pthread_t threads[N_THREADS];
	pthread_barrier_t barrier;
	size_t n = 0;

	(void)state;
	mark();
	assert_int_equal(pthread_barrier_init(&barrier, NULL, N_THREADS + 1), 0);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mark_and_wait, &barrier), 0);
	(void)pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(fake_recorder_greet());
	assert_true(fake_recorder_greet());
	assert_false(fake_recorder_greet());
	assert_int_equal(recorder.sessions[0], recorder.sessions[1]);
	for (size_t memory = 0; memory < recorder.n_memories; memory++) {
		struct marks_site site;
		bool is_known = false;

		for (uint32_t slot = 0; slot < recorder.memories[memory].n_slots; slot++)
			n += fake_recorder_take(memory, slot, TSPROF_WHAT_END);
		for (uint32_t id = 1; marks_memory_site(&recorder.memories[memory], id, &site);
		     id++)
			is_known |= strcmp(site.name, "thread") == 0;
		assert_true(is_known);
	}
	assert_int_equal(n, N_THREADS);
	(void)pthread_barrier_destroy(&barrier);
}

struct many {
	pthread_barrier_t barrier;
	atomic_size_t n_done;
	int n_scopes;
};

static void *mark_scopes(void *context)
{
	struct many *many = context;

	for (int i = 0; i < many->n_scopes; i++) {
		TSPROF_SCOPE("one of many");
		if (i == 0)
			(void)pthread_barrier_wait(&many->barrier);
	}
	atomic_fetch_add(&many->n_done, 1);
	return NULL;
}

/* What rings of a thousand threads take, and whether each has its records. */
static void threads__of_which_there_are_many_share_little_memory(void **state)
{
	enum { N_THREADS = 1000, N_SCOPES = 5000 };
	static struct many many;
	pthread_attr_t attributes;
	pthread_t *threads = calloc(N_THREADS, sizeof(*threads));
	uint64_t n_bytes = 0;
	size_t n_started = 0;
	size_t n_ends = 0;
	uint64_t n_lost = 0;

	(void)state;
	many.n_scopes = N_SCOPES;
	assert_non_null(threads);
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, 1 << 16), 0);
	assert_int_equal(pthread_barrier_init(&many.barrier, NULL, N_THREADS + 1), 0);
	while (n_started < N_THREADS &&
	       pthread_create(&threads[n_started], &attributes, mark_scopes, &many) == 0)
		n_started++;
	if (n_started < N_THREADS) {
		print_message("only %zu threads are allowed here\n", n_started);
		skip();
	}
	(void)pthread_barrier_wait(&many.barrier);
	while (atomic_load(&many.n_done) < N_THREADS)
		n_ends += fake_recorder_take_everything(TSPROF_WHAT_END);
	n_ends += fake_recorder_take_everything(TSPROF_WHAT_END);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < recorder.n_memories; i++) {
		struct stat status;

		assert_int_equal(fstat(recorder.memory_fds[i], &status), 0);
		n_bytes += (uint64_t)status.st_blocks * 512;
		for (uint32_t slot = 0; slot < recorder.memories[i].n_slots; slot++) {
			struct marks_ring ring = fake_recorder_ring(i, slot);

			n_lost += marks_ring_n_lost(&ring);
		}
		assert_int_equal(marks_memory_status(&recorder.memories[i]).n_homeless, 0);
	}
	print_message("%zu segments, %.1f MiB, %.1f %% lost\n", recorder.n_memories,
		      (double)n_bytes / 1048576, (double)n_lost / N_THREADS / N_SCOPES / 2 * 100);
	assert_true(n_bytes <= 64 << 20);
	/* How much is lost is a matter of how fast we are; but it is counted, each one. */
	assert_true(n_ends + n_lost >= (uint64_t)N_THREADS * N_SCOPES);
	assert_true(n_ends >= (uint64_t)N_THREADS);
	assert_int_equal(pthread_barrier_destroy(&many.barrier), 0);
	(void)pthread_attr_destroy(&attributes);
	free(threads);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_recorder_start, fake_recorder_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(threads__beyond_the_first_segment_get_another),
		CASE(threads__of_which_there_are_many_share_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
