/* A ring in plain memory, filled as the kernel would and as it never should. */
#include "unit.h"

#include <unistd.h>

#include "os/bpf_ring.h"

enum { DATA_BYTES = 4096, HEADER_BYTES = 8 };

/* Of <linux/bpf.h>, which belongs to src/os alone. */
#define BUSY (UINT32_C(1) << 31)
#define DISCARDED (UINT32_C(1) << 30)

struct fixture {
	uint8_t *pages;
	uint8_t *data;
	struct bpf_ring ring;
};

static int set_up(void **state)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	const size_t bytes = 2 * page_bytes + 16 * DATA_BYTES;
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->pages = aligned_alloc(page_bytes, bytes);
	assert_non_null(fixture->pages);
	memset(fixture->pages, 0, bytes);
	fixture->data = fixture->pages + 2 * page_bytes;
	bpf_ring_open_memory(&fixture->ring, fixture->pages, DATA_BYTES);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->pages);
	free(fixture);
	return 0;
}

static void set_head(struct fixture *fixture, uint64_t head)
{
	memcpy(fixture->pages + sysconf(_SC_PAGESIZE), &head, sizeof(head));
	bpf_ring_refresh(&fixture->ring);
}

static uint64_t tail_of(const struct fixture *fixture)
{
	uint64_t tail;

	memcpy(&tail, fixture->pages, sizeof(tail));
	return tail;
}

/* A record at `position`, and as both mappings would show it. */
static void put(struct fixture *fixture, uint64_t position, uint32_t size_and_flags, uint8_t fill)
{
	uint8_t *record = fixture->data + position % DATA_BYTES;

	memcpy(record, &size_and_flags, sizeof(size_and_flags));
	memset(record + HEADER_BYTES, fill, size_and_flags & 0xfff);
}

/* Records of 1s and of 2s, of which the first is of that size and in that state. */
static void put_two(struct fixture *fixture, uint32_t size_and_flags)
{
	put(fixture, 0, size_and_flags, 1);
	put(fixture, 24, 16, 2);
	set_head(fixture, 48);
}

static void bpf_ring__gives_records_in_order(void **state)
{
	struct fixture *fixture = *state;
	size_t size_bytes;
	const uint8_t *record;

	put_two(fixture, 12);
	record = bpf_ring_peek(&fixture->ring, &size_bytes);
	assert_ptr_equal(record, fixture->data + HEADER_BYTES);
	assert_int_equal(size_bytes, 12);
	bpf_ring_skip(&fixture->ring);
	record = bpf_ring_peek(&fixture->ring, &size_bytes);
	assert_int_equal(size_bytes, 16);
	assert_int_equal(record[15], 2);
	bpf_ring_skip(&fixture->ring);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	assert_int_equal(tail_of(fixture), 0);
	bpf_ring_publish(&fixture->ring);
	assert_int_equal(tail_of(fixture), 48);
}

static void bpf_ring__waits_for_a_record_that_is_being_written(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 16 | BUSY);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	bpf_ring_skip(&fixture->ring);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
}

static void bpf_ring__passes_discarded_records_by(void **state)
{
	struct fixture *fixture = *state;
	size_t size_bytes;

	put_two(fixture, 16 | DISCARDED);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
}

static void bpf_ring__reads_across_the_end(void **state)
{
	struct fixture *fixture = *state;
	size_t size_bytes;

	for (uint64_t at = 0; at < DATA_BYTES - 32; at += 32)
		put(fixture, at, 24, 1);
	set_head(fixture, DATA_BYTES - 32);
	for (int i = 0; i < DATA_BYTES / 32 - 1; i++) {
		assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 1);
		bpf_ring_skip(&fixture->ring);
	}
	put(fixture, DATA_BYTES - 32, 56, 3);
	set_head(fixture, DATA_BYTES + 32);
	assert_int_equal(bpf_ring_peek(&fixture->ring, &size_bytes)[55], 3);
	assert_int_equal(size_bytes, 56);
}

static void bpf_ring__drops_what_cannot_be(void **state)
{
	struct fixture *fixture = *state;
	size_t size_bytes;

	put(fixture, 0, 0x3fffffff & ~0xfffU, 1);
	set_head(fixture, 48);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
	put(fixture, 48, 16, 2);
	set_head(fixture, 72);
	assert_int_equal(*bpf_ring_peek(&fixture->ring, &size_bytes), 2);
	bpf_ring_skip(&fixture->ring);
	set_head(fixture, UINT64_MAX - 7);
	assert_null(bpf_ring_peek(&fixture->ring, &size_bytes));
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
