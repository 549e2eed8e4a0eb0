/* A ring in plain memory, filled as the kernel would and as it never should. */
#include "unit.h"

#include "os/bpf_ring.h"
#include "ring_fixture.h"

enum { DATA_BYTES = 4096 };

/* Of <linux/bpf.h>, which belongs to src/os alone. */
#define BUSY (UINT32_C(1) << 31)
#define DISCARDED (UINT32_C(1) << 30)

static int set_up(void **state)
{
	struct ring_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	ring_fixture_init(fixture, DATA_BYTES);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct ring_fixture *fixture = *state;

	ring_fixture_release(fixture);
	free(fixture);
	return 0;
}

static uint64_t tail_of(const struct ring_fixture *fixture)
{
	uint64_t tail;

	memcpy(&tail, fixture->pages, sizeof(tail));
	return tail;
}

/* A record at `position`, and as both mappings would show it. */
static void put(struct ring_fixture *fixture, uint64_t position, uint32_t size_and_flags,
		uint8_t fill)
{
	uint8_t *record = fixture->data + position % DATA_BYTES;

	memcpy(record, &size_and_flags, sizeof(size_and_flags));
	memset(record + RING_HEADER_BYTES, fill, size_and_flags & 0xfff);
}

/* Records of 1s and of 2s, of which the first is of that size and in that state. */
static void put_two(struct ring_fixture *fixture, uint32_t size_and_flags)
{
	put(fixture, 0, size_and_flags, 1);
	put(fixture, 24, 16, 2);
	ring_fixture_set_head(fixture, 48);
}

static void bpf_ring__gives_records_in_order(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;
	const uint8_t *record;

	assert_int_equal(bpf_ring_waiting_bytes(&fixture->ring), 0);
	put_two(fixture, 12);
	assert_int_equal(bpf_ring_waiting_bytes(&fixture->ring), 48);
	record = bpf_ring_peek(&fixture->ring, &size_bytes);
	assert_ptr_equal(record, fixture->data + RING_HEADER_BYTES);
	assert_int_equal(size_bytes, 12);
	bpf_ring_skip(&fixture->ring);
	record = bpf_ring_peek(&fixture->ring, &size_bytes);
	assert_int_equal(size_bytes, 16);
	assert_int_equal(record[15], 2);
	bpf_ring_skip(&fixture->ring);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	assert_int_equal(tail_of(fixture), 0);
	assert_int_equal(bpf_ring_waiting_bytes(&fixture->ring), 48);
	bpf_ring_publish(&fixture->ring);
	assert_int_equal(tail_of(fixture), 48);
	assert_int_equal(bpf_ring_waiting_bytes(&fixture->ring), 0);
}

static void bpf_ring__waits_for_a_record_that_is_being_written(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 16 | BUSY);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	assert_true(fixture->ring.is_busy);
	bpf_ring_publish(&fixture->ring);
	assert_int_equal(tail_of(fixture), 0);
	put(fixture, 0, 16, 1);
	assert_non_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	assert_false(fixture->ring.is_busy);
}

static void bpf_ring__gives_up_a_record_when_told(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 16 | BUSY);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	bpf_ring_skip(&fixture->ring);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
}

static void bpf_ring__passes_discarded_records_by(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 16 | DISCARDED);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
}

static void bpf_ring__reads_across_the_end(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	for (uint64_t at = 0; at < DATA_BYTES - 32; at += 32)
		put(fixture, at, 24, 1);
	ring_fixture_set_head(fixture, DATA_BYTES - 32);
	for (int i = 0; i < DATA_BYTES / 32 - 1; i++) {
		assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 1);
		bpf_ring_skip(&fixture->ring);
	}
	put(fixture, DATA_BYTES - 32, 56, 3);
	ring_fixture_set_head(fixture, DATA_BYTES + 32);
	assert_int_equal(bpf_ring_peek(&fixture->ring, &size_bytes)[55], 3);
	assert_int_equal(size_bytes, 56);
}

static void bpf_ring__drops_what_cannot_be(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	put(fixture, 0, 0x3fffffff & ~0xfffU, 1);
	ring_fixture_set_head(fixture, 48);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	put(fixture, 48, 16, 2);
	ring_fixture_set_head(fixture, 72);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
	bpf_ring_skip(&fixture->ring);
	ring_fixture_set_head(fixture, UINT64_MAX - 7);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
}

static void bpf_ring__shows_what_is_behind(void **state)
{
	struct ring_fixture *fixture = *state;
	struct bpf_ring *ring = &fixture->ring;
	size_t size_bytes;

	put_two(fixture, 12);
	put(fixture, 48, 8, 3);
	ring_fixture_set_head(fixture, 64);
	assert_int_equal(*bpf_ring_peek(ring, &size_bytes), 1);
	assert_int_equal(*bpf_ring_peek_behind(ring, ring->head, &size_bytes), 2);
	assert_int_equal(size_bytes, 16);
	/* It stays there to be peeked, and may be younger than the refresh before. */
	assert_int_equal(*bpf_ring_peek_behind(ring, ring->last_head, &size_bytes), 2);
	assert_null(bpf_ring_peek_behind(ring, 24, &size_bytes));
	assert_null(bpf_ring_peek_behind(ring, 0, &size_bytes));
	bpf_ring_skip(ring);
	assert_int_equal(*bpf_ring_peek(ring, &size_bytes), 2);
	assert_null(bpf_ring_peek_behind(ring, ring->last_head, &size_bytes));
	assert_int_equal(*bpf_ring_peek_behind(ring, ring->head, &size_bytes), 3);
}

static void bpf_ring__shows_nothing_behind_that_is_no_record(void **state)
{
	static const struct {
		uint32_t size_and_flags; /* of the second */
		uint8_t fill;		 /* of what is shown; 0: nothing */
	} seconds[] = {
		{ 16 | DISCARDED, 3 },
		{ 16 | BUSY, 0 },
		{ 0x3fffffff, 0 },
		{ 40, 0 }, /* ends behind the head */
	};
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	for (size_t i = 0; i < N_ITEMS(seconds); i++) {
		const uint8_t *behind;

		put_two(fixture, 16);
		put(fixture, 48, 8, 3);
		memcpy(fixture->data + 24, &seconds[i].size_and_flags, sizeof(uint32_t));
		ring_fixture_set_head(fixture, 64);
		assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 1);
		behind = bpf_ring_peek_behind(&fixture->ring, fixture->ring.head, &size_bytes);
		assert_int_equal(behind ? *behind : 0, seconds[i].fill);
	}
	/* A head that is further away than the ring is long. */
	assert_null(bpf_ring_peek_behind(&fixture->ring, 2 * DATA_BYTES, &size_bytes));
}

static void bpf_ring__shows_what_comes(void **state)
{
	struct ring_fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 12);
	assert_non_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	bpf_ring_skip(&fixture->ring);
	assert_ptr_equal(bpf_ring_next(&fixture->ring, 16), fixture->data + 24 + RING_HEADER_BYTES);
	assert_null(bpf_ring_next(&fixture->ring, 17));
	assert_non_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	bpf_ring_skip(&fixture->ring);
	assert_null(bpf_ring_next(&fixture->ring, 0));
	ring_fixture_set_head(fixture, 10 * DATA_BYTES);
	assert_null(bpf_ring_next(&fixture->ring, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bpf_ring__gives_records_in_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__waits_for_a_record_that_is_being_written,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__gives_up_a_record_when_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__passes_discarded_records_by, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__reads_across_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__drops_what_cannot_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__shows_what_is_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__shows_nothing_behind_that_is_no_record,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(bpf_ring__shows_what_comes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
