/* The writing end of a sampled thread's ring, with a reader that takes all now and then. */
#include "unit.h"

#include "lib/sigprof_client.h"

enum {
	RING_BYTES = 4 << 20,
	LARGE = 65712, /* a whole stack */
	SMALL = 2048,
	N_TURNS = 200,
};

static struct client_options options = { .stack_bytes = 65528, .ring_bytes = RING_BYTES };
static uint8_t ring[RING_BYTES];
static struct sigprof_slot slot;

_Thread_local struct client_thread client_thread;

const struct client_options *client_options(void)
{
	return &options;
}

enum client_mode client_mode(void)
{
	return CLIENT_RUNS;
}

static int set_up(void **state)
{
	(void)state;
	slot = (struct sigprof_slot){ 0 };
	client_thread =
		(struct client_thread){ .slot = &slot, .ring = ring, .ring_bytes = RING_BYTES };
	return 0;
}

/* How many of `n` find room. */
static size_t write_records(size_t n, uint32_t size_bytes)
{
	size_t n_written = 0;

	for (size_t i = 0; i < n; i++) {
		if (!ring_reserve(&client_thread, size_bytes))
			continue;
		ring_commit(&client_thread, size_bytes);
		n_written++;
	}
	return n_written;
}

static void read_all(void)
{
	atomic_store(&slot.tail, atomic_load(&slot.head));
}

static uint64_t offset_of_head(void)
{
	return client_thread.head % RING_BYTES;
}

static void large_records__find_the_room_that_the_ring_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TURNS; i++) {
		/* All but what a record at the end may leave over. */
		const size_t n = 1 + i % (RING_BYTES / LARGE / 2);

		assert_int_equal(write_records(n, LARGE), n);
		read_all();
	}
}

static void a_ring_that_is_full__loses_and_goes_on(void **state)
{
	const size_t most = RING_BYTES / LARGE;

	(void)state;
	assert_int_equal(write_records(2 * most, LARGE), most);
	read_all();
	assert_in_range(write_records(2 * most, LARGE), most - 1, most);
}

static void small_records__stay_where_the_ring_begins(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TURNS; i++) {
		assert_int_equal(write_records(10, SMALL), 10);
		assert_true(offset_of_head() <= (192 << 10) + 10 * SMALL);
		read_all();
	}
}

static void a_burst__finds_room_behind_what_was_skipped(void **state)
{
	(void)state;
	/* Up to 60 ms come before the recorder: as many records as whole stacks fit. */
	for (size_t i = 0; i < N_TURNS; i++) {
		const uint32_t size_bytes = 16 * (uint32_t)(64 + i * 997 % 4000);

		assert_int_equal(write_records(100, size_bytes) > 0, 1);
		read_all();
		assert_int_equal(write_records(30, size_bytes), 30);
		read_all();
	}
}

/* What deep stacks may take leaves the room that the ring was made for. */
static void half_of_a_ring__is_for_what_is_larger(void **state)
{
	(void)state;
	assert_true(ring_is_half_free(&client_thread, RING_BYTES / 2));
	assert_false(ring_is_half_free(&client_thread, RING_BYTES / 2 + 1));
	assert_int_equal(write_records(1, SMALL), 1);
	assert_false(ring_is_half_free(&client_thread, RING_BYTES / 2));
	assert_true(ring_is_half_free(&client_thread, RING_BYTES / 2 - SMALL));
	read_all();
	assert_true(ring_is_half_free(&client_thread, RING_BYTES / 2));
	/* The recorder is not believed. */
	atomic_store(&slot.tail, client_thread.head + 16);
	assert_false(ring_is_half_free(&client_thread, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(large_records__find_the_room_that_the_ring_has, set_up),
		cmocka_unit_test_setup(a_ring_that_is_full__loses_and_goes_on, set_up),
		cmocka_unit_test_setup(small_records__stay_where_the_ring_begins, set_up),
		cmocka_unit_test_setup(a_burst__finds_room_behind_what_was_skipped, set_up),
		cmocka_unit_test_setup(half_of_a_ring__is_for_what_is_larger, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
