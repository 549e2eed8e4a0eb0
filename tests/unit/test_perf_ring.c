/* A ring in plain memory, filled as the kernel would and as it never should. */
#include "unit.h"

#include <unistd.h>

#include "os/perf_ring.h"

enum {
	DATA_BYTES = 4096,
	/* Of data_head and data_tail in the control page, see <linux/perf_event.h>. */
	HEAD_AT = 1024,
	TAIL_AT = 1032,
};

struct fixture {
	uint8_t *pages;
	uint8_t *data;
	struct perf_ring ring;
};

static int set_up(void **state)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->pages = aligned_alloc(page_bytes, page_bytes + 16 * DATA_BYTES);
	assert_non_null(fixture->pages);
	memset(fixture->pages, 0, page_bytes + DATA_BYTES);
	fixture->data = fixture->pages + page_bytes;
	assert_int_equal(perf_ring_open_memory(&fixture->ring, fixture->pages, DATA_BYTES, NULL),
			 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	perf_ring_close(&fixture->ring);
	free(fixture->pages);
	free(fixture);
	return 0;
}

static void set_head(struct fixture *fixture, uint64_t head)
{
	memcpy(fixture->pages + HEAD_AT, &head, sizeof(head));
}

static uint64_t tail_of(const struct fixture *fixture)
{
	uint64_t tail;

	memcpy(&tail, fixture->pages + TAIL_AT, sizeof(tail));
	return tail;
}

/* A record of `size` bytes at `position`, each byte after its header set to `fill`. */
static void write_record(struct fixture *fixture, uint64_t position, uint16_t size, uint8_t fill)
{
	uint8_t header[8] = { 0 };

	memcpy(header + 6, &size, sizeof(size));
	for (uint64_t i = 0; i < (size < 8 ? 8 : size); i++)
		fixture->data[(position + i) % DATA_BYTES] = i < 8 ? header[i] : fill;
}

static void ring__empty_has_nothing(void **state)
{
	struct fixture *fixture = *state;
	size_t size;

	perf_ring_refresh(&fixture->ring);
	assert_null(perf_ring_peek(&fixture->ring, &size));
	assert_false(perf_ring_has_more(&fixture->ring));
}

static void ring__hands_out_records_in_place_and_publishes_once(void **state)
{
	struct fixture *fixture = *state;
	size_t size;

	write_record(fixture, 0, 16, 1);
	write_record(fixture, 16, 24, 2);
	set_head(fixture, 40);
	assert_true(perf_ring_has_more(&fixture->ring));
	assert_null(perf_ring_peek(&fixture->ring, &size));
	perf_ring_refresh(&fixture->ring);
	assert_ptr_equal(perf_ring_peek(&fixture->ring, &size), fixture->data);
	assert_int_equal(size, 16);
	perf_ring_skip(&fixture->ring, size);
	assert_ptr_equal(perf_ring_peek(&fixture->ring, &size), fixture->data + 16);
	perf_ring_skip(&fixture->ring, size);
	assert_null(perf_ring_peek(&fixture->ring, &size));
	assert_false(perf_ring_has_more(&fixture->ring));
	assert_int_equal(tail_of(fixture), 0);
	perf_ring_publish(&fixture->ring);
	assert_int_equal(tail_of(fixture), 40);
}

static void ring__copies_what_wraps(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t start = DATA_BYTES - 16;
	const uint8_t *bytes;
	size_t size;

	fixture->ring.tail = start;
	write_record(fixture, start, 64, 7);
	set_head(fixture, start + 64);
	perf_ring_refresh(&fixture->ring);
	bytes = perf_ring_peek(&fixture->ring, &size);
	assert_non_null(bytes);
	assert_int_equal(size, 64);
	for (size_t i = 8; i < size; i++)
		assert_int_equal(bytes[i], 7);
}

static void ring__survives_impossible_sizes(void **state)
{
	static const uint16_t sizes[] = { 0, 4, 13, 4096 - 8, 65535 };
	struct fixture *fixture = *state;
	size_t size;

	for (size_t i = 0; i < N_ITEMS(sizes); i++) {
		fixture->ring.tail = 0;
		write_record(fixture, 0, 8, 0);
		memcpy(fixture->data + 6, &sizes[i], sizeof(sizes[i]));
		set_head(fixture, 64);
		perf_ring_refresh(&fixture->ring);
		assert_null(perf_ring_peek(&fixture->ring, &size));
		assert_int_equal(fixture->ring.tail, 64);
	}
}

static void ring__survives_an_impossible_head(void **state)
{
	struct fixture *fixture = *state;
	size_t size;

	write_record(fixture, 0, 16, 0);
	set_head(fixture, 10 * DATA_BYTES);
	perf_ring_refresh(&fixture->ring);
	assert_null(perf_ring_peek(&fixture->ring, &size));
}

static void ring__shows_a_word_of_what_comes(void **state)
{
	struct fixture *fixture = *state;

	set_head(fixture, 64);
	perf_ring_refresh(&fixture->ring);
	assert_ptr_equal(perf_ring_word_behind(&fixture->ring, 24, 8), fixture->data + 32);
	assert_ptr_equal(perf_ring_word_behind(&fixture->ring, 24, 32), fixture->data + 56);
	/* Beyond the head, or no word's place. */
	assert_null(perf_ring_word_behind(&fixture->ring, 24, 40));
	assert_null(perf_ring_word_behind(&fixture->ring, 64, 0));
	assert_null(perf_ring_word_behind(&fixture->ring, 24, 4));
	/* It wraps as records do. */
	fixture->ring.tail = DATA_BYTES - 16;
	set_head(fixture, DATA_BYTES + 64);
	perf_ring_refresh(&fixture->ring);
	assert_ptr_equal(perf_ring_word_behind(&fixture->ring, 16, 8), fixture->data + 8);
	set_head(fixture, 10 * DATA_BYTES);
	perf_ring_refresh(&fixture->ring);
	assert_null(perf_ring_word_behind(&fixture->ring, 16, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ring__empty_has_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring__hands_out_records_in_place_and_publishes_once,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring__copies_what_wraps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring__survives_impossible_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring__survives_an_impossible_head, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(ring__shows_a_word_of_what_comes, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
