/* The reader of memory that a sampled program shares, and may fill with anything. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/sigprof_decode.h"
#include "os/sigprof_ring.h"
#include "os/sigprof_waits.h"
#include "unit.h"

enum { N_SLOTS = 2, SLOTS_END = 2 * SIGPROF_PAGE_BYTES };

#define RING_BYTES ((uint64_t)SIGPROF_RING_MIN_BYTES)
#define MEMORY_BYTES (SLOTS_END + N_SLOTS * RING_BYTES)

static const struct sigprof_hello good_hello = { .ring_bytes = RING_BYTES, .n_slots = N_SLOTS };

/* A memfd as the library makes it. */
static int make_memory(uint64_t size_bytes, int seals)
{
	const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

struct fixture {
	struct sigprof_memory memory;
	struct sigprof_ring ring;
	uint8_t *data; /* of the ring, as the program writes it */
	uint8_t record[SIGPROF_RECORD_MAX_BYTES];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const int fd = make_memory(MEMORY_BYTES, F_SEAL_SHRINK | F_SEAL_GROW);

	assert_non_null(fixture);
	assert_int_equal(sigprof_memory_map(&fixture->memory, fd, &good_hello, NULL), 0);
	(void)close(fd);
	sigprof_ring_init(&fixture->ring, &fixture->memory, 1);
	fixture->data = fixture->memory.bytes + SLOTS_END + RING_BYTES;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sigprof_memory_unmap(&fixture->memory);
	free(fixture);
	return 0;
}

/* Write a record at the head, without a care. */
static void put(struct fixture *fixture, uint32_t size_bytes, uint16_t kind, uint32_t advance)
{
	struct sigprof_slot *slot = fixture->ring.slot;
	const struct sigprof_header header = { .size_bytes = size_bytes,
					       .kind = kind,
					       .time_ns = 7 };

	memcpy(fixture->data + (slot->head & (RING_BYTES - 1)), &header, sizeof(header));
	slot->head += advance;
	sigprof_ring_refresh(&fixture->ring);
}

static void sigprof_memory_map__refuses_what_could_go_away(void **state)
{
	const int fd = make_memory(MEMORY_BYTES, F_SEAL_GROW);
	struct sigprof_memory memory;

	(void)state;
	assert_int_equal(sigprof_memory_map(&memory, fd, &good_hello, NULL), -EINVAL);
	(void)close(fd);
}

/* There may be none when it is read, which the kernel then tells by SIGBUS. */
static void sigprof_memory_map__refuses_huge_pages(void **state)
{
	enum { HUGE_PAGE_BYTES = 2 << 20 };
	const int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
	struct sigprof_memory memory;

	(void)state;
	if (fd < 0 || ftruncate(fd, 8 * HUGE_PAGE_BYTES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		skip(); /* a kernel without them */
	assert_true(8 * HUGE_PAGE_BYTES >= MEMORY_BYTES);
	assert_int_equal(sigprof_memory_map(&memory, fd, &good_hello, NULL), -EINVAL);
	(void)close(fd);
}

static void sigprof_memory_map__refuses_less_than_was_promised(void **state)
{
	const int fd = make_memory(MEMORY_BYTES - 1, F_SEAL_SHRINK);
	struct sigprof_memory memory;

	(void)state;
	assert_int_equal(sigprof_memory_map(&memory, fd, &good_hello, NULL), -EINVAL);
	(void)close(fd);
}

static void sigprof_memory_map__refuses_impossible_sizes(void **state)
{
	static const struct sigprof_hello bad[] = {
		{ .ring_bytes = RING_BYTES, .n_slots = 0 },
		{ .ring_bytes = RING_BYTES, .n_slots = UINT32_MAX },
		{ .ring_bytes = RING_BYTES + 16, .n_slots = 1 },
		{ .ring_bytes = RING_BYTES / 2, .n_slots = 1 },
		{ .ring_bytes = UINT64_C(1) << 63, .n_slots = 2 },
	};
	const int fd = make_memory(MEMORY_BYTES, F_SEAL_SHRINK);
	struct sigprof_memory memory;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sigprof_memory_map(&memory, fd, &bad[i], NULL), -EINVAL);
	(void)close(fd);
}

static void sigprof_ring__gives_records_in_order_and_their_room_back(void **state)
{
	struct fixture *fixture = *state;
	struct sigprof_header header;

	put(fixture, 32, SIGPROF_RECORD_END, 32);
	put(fixture, 48, SIGPROF_RECORD_COMM, 48);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_RECORD);
	assert_int_equal(header.kind, SIGPROF_RECORD_END);
	sigprof_ring_take(&fixture->ring, &header, fixture->record);
	assert_int_equal(fixture->ring.slot->tail, 32);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_RECORD);
	assert_int_equal(header.kind, SIGPROF_RECORD_COMM);
	sigprof_ring_take(&fixture->ring, &header, fixture->record);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_EMPTY);
}

static void sigprof_ring__skips_to_the_start(void **state)
{
	struct fixture *fixture = *state;
	struct sigprof_header header;

	put(fixture, RING_BYTES, SIGPROF_RECORD_SKIP, RING_BYTES);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_EMPTY);
	put(fixture, 32, SIGPROF_RECORD_END, 32);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_RECORD);
}

/* Each of these would have the reader leave the ring, stand still or take too much. */
static void sigprof_ring__is_emptied_by_a_size_that_cannot_be(void **state)
{
	static const struct {
		uint32_t size_bytes;
		uint16_t kind;
		uint32_t advance;
	} bad[] = {
		{ 0, SIGPROF_RECORD_END, 32 },
		{ 8, SIGPROF_RECORD_END, 32 },
		{ 24, SIGPROF_RECORD_END, 32 },
		{ 48, SIGPROF_RECORD_END, 32 },
		{ UINT32_MAX, SIGPROF_RECORD_END, 32 },
		{ UINT32_MAX & ~15U, SIGPROF_RECORD_SKIP, 32 },
		{ SIGPROF_RECORD_MAX_BYTES + 16, SIGPROF_RECORD_SAMPLE,
		  2 * SIGPROF_RECORD_MAX_BYTES },
		{ 0, SIGPROF_RECORD_SKIP, 32 },
	};
	struct fixture *fixture = *state;
	struct sigprof_header header;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(fixture, bad[i].size_bytes, bad[i].kind, bad[i].advance);
		assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_BAD);
		assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_EMPTY);
	}
}

static void sigprof_ring__does_not_leave_its_end(void **state)
{
	struct fixture *fixture = *state;
	struct sigprof_header header;

	put(fixture, (uint32_t)RING_BYTES - 32, SIGPROF_RECORD_SKIP, (uint32_t)RING_BYTES - 32);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_EMPTY);
	put(fixture, 64, SIGPROF_RECORD_END, 64);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_BAD);
}

static void sigprof_ring__believes_no_head_outside(void **state)
{
	static const uint64_t heads[] = { UINT64_MAX, RING_BYTES + 32, 7, UINT64_C(1) << 63 };
	struct fixture *fixture = *state;
	struct sigprof_header header;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		fixture->ring.slot->head = heads[i];
		sigprof_ring_refresh(&fixture->ring);
		assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_BAD);
	}
}

static void sigprof_ring__keeps_the_header_that_was_checked(void **state)
{
	struct fixture *fixture = *state;
	struct sigprof_header header;
	struct sigprof_header taken;

	put(fixture, 32, SIGPROF_RECORD_END, 32);
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_RECORD);
	memset(fixture->data, 0xff, 32);
	sigprof_ring_take(&fixture->ring, &header, fixture->record);
	memcpy(&taken, fixture->record, sizeof(taken));
	assert_int_equal(taken.size_bytes, 32);
	assert_int_equal(taken.kind, SIGPROF_RECORD_END);
}

static void sigprof_ring__frees_the_slot_of_an_ended_thread_when_it_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct sigprof_header header;

	put(fixture, 32, SIGPROF_RECORD_END, 32);
	fixture->ring.slot->state = SIGPROF_SLOT_ENDED;
	assert_false(sigprof_ring_recycle(&fixture->ring));
	assert_int_equal(sigprof_ring_peek(&fixture->ring, &header), SIGPROF_RING_RECORD);
	sigprof_ring_take(&fixture->ring, &header, fixture->record);
	assert_true(sigprof_ring_recycle(&fixture->ring));
	assert_int_equal(fixture->ring.slot->state, SIGPROF_SLOT_FREE);
}

static void sigprof_decode_sample__takes_no_more_stack_than_there_is(void **state)
{
	struct fixture *fixture = *state;
	struct sampler_record record = { 0 };
	struct sigprof_sample sample = { .n_registers = ARCH_NATIVE == ARCH_X86_64
								? X86_64_N_REGISTERS
								: AARCH64_N_REGISTERS };
	const size_t fixed_bytes = sizeof(sample) + sample.n_registers * sizeof(uint64_t);
	uint64_t cpu_ns;
	uint64_t waited_ns;

	sample.stack.size_bytes = 64;
	memcpy(fixture->record, &sample, sizeof(sample));
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, fixed_bytes + 64);
	assert_int_equal(record.kind, SAMPLER_RECORD_SAMPLE);
	assert_int_equal(record.sample.stack_size_bytes, 64);
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, fixed_bytes + 63);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, fixed_bytes - 1);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	sample.n_registers++;
	memcpy(fixture->record, &sample, sizeof(sample));
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, fixed_bytes + 64);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
}

static void sigprof_decode_sample__takes_both_pieces(void **state)
{
	struct fixture *fixture = *state;
	struct sampler_record record = { 0 };
	struct sigprof_sample sample = {
		.n_registers = SIGPROF_N_REGISTERS,
		.stack = { .size_bytes = 60, .top = 0x7000, .top_bytes = 24 },
	};
	const size_t top_at = sizeof(sample) + SIGPROF_N_REGISTERS * sizeof(uint64_t) + 64;
	uint64_t cpu_ns;
	uint64_t waited_ns;

	memcpy(fixture->record, &sample, sizeof(sample));
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, top_at + 24);
	assert_int_equal(record.kind, SAMPLER_RECORD_SAMPLE);
	assert_int_equal(record.sample.stack_size_bytes, 60);
	assert_int_equal(record.sample.top_address, 0x7000);
	assert_int_equal(record.sample.top_size_bytes, 24);
	assert_ptr_equal(record.sample.top_bytes, fixture->record + top_at);
	for (size_t size = 1; size < top_at + 24; size++) {
		sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record, size);
		assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	}
	sample.stack.top_bytes = SIGPROF_STACK_TOP_BYTES + 1;
	memcpy(fixture->record, &sample, sizeof(sample));
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record,
			      SIGPROF_RECORD_MAX_BYTES);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	sample.stack = (struct sigprof_stack){ .size_bytes = UINT32_MAX, .top_bytes = UINT32_MAX };
	memcpy(fixture->record, &sample, sizeof(sample));
	sigprof_decode_sample(&record, &cpu_ns, &waited_ns, fixture->record,
			      SIGPROF_RECORD_MAX_BYTES);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
}

static void sigprof_decode_wait__takes_no_more_stack_than_there_is(void **state)
{
	struct fixture *fixture = *state;
	struct sampler_record record = { 0 };
	struct sigprof_wait wait = { .n_registers = SIGPROF_N_REGISTERS,
				     .reason = SIGPROF_WAIT_LOCK,
				     .stack = { .size_bytes = 64 } };
	const size_t fixed_bytes = sizeof(wait) + SIGPROF_N_REGISTERS * sizeof(uint64_t);
	struct sigprof_wait read_back;

	memcpy(fixture->record, &wait, sizeof(wait));
	sigprof_decode_wait(&record, &read_back, fixture->record, fixed_bytes + 64);
	assert_int_equal(record.kind, SAMPLER_RECORD_SWITCH_STACK);
	assert_int_equal(record.sample.state, SAMPLE_LOCK);
	assert_int_equal(record.sample.stack_size_bytes, 64);
	sigprof_decode_wait(&record, &read_back, fixture->record, fixed_bytes + 63);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	sigprof_decode_wait(&record, &read_back, fixture->record, sizeof(wait) - 1);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	wait.reason = 4711;
	memcpy(fixture->record, &wait, sizeof(wait));
	sigprof_decode_wait(&record, &read_back, fixture->record, fixed_bytes + 64);
	assert_int_equal(record.sample.state, SAMPLE_WAITING);
}

static void sigprof_wait_look__reads_the_stack_of_a_wait_that_goes_on(void **state)
{
	enum { STACK_BYTES = 8192 };
	struct fixture *fixture = *state;
	struct sigprof_slot *slot = fixture->ring.slot;
	uint8_t there[STACK_BYTES];
	uint8_t copy[STACK_BYTES];
	struct raw_sample sample;
	uint32_t sequence;
	uint64_t start_ns;

	for (size_t i = 0; i < sizeof(there); i++)
		there[i] = (uint8_t)(i * 7);
	slot->wait.start_ns = 1000;
	slot->wait.reason = SIGPROF_WAIT_POLL;
	slot->wait.registers[ARCH_NATIVE == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP] =
		(uint64_t)(uintptr_t)there;
	slot->wait.sequence = 6;
	assert_false(sigprof_wait_is_long(slot, 2000, &sequence));
	slot->wait.sequence = 7;
	assert_false(sigprof_wait_is_long(slot, 1000, &sequence));
	assert_true(sigprof_wait_is_long(slot, 2000, &sequence));
	assert_true(sigprof_wait_look(slot, sequence, (uint32_t)getpid(), &sample, copy,
				      sizeof(copy), &start_ns));
	assert_int_equal(start_ns, 1000);
	assert_int_equal(sample.state, SAMPLE_POLL);
	assert_int_equal(sample.stack_size_bytes, STACK_BYTES);
	assert_memory_equal(copy, there, STACK_BYTES);
	/* Over by the time that it was read; and a stack that is nowhere. */
	slot->wait.sequence = 9;
	assert_false(sigprof_wait_look(slot, sequence, (uint32_t)getpid(), &sample, copy,
				       sizeof(copy), &start_ns));
	slot->wait.registers[ARCH_NATIVE == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP] = 16;
	assert_true(sigprof_wait_look(slot, 9, (uint32_t)getpid(), &sample, copy, sizeof(copy),
				      &start_ns));
	assert_int_equal(sample.stack_size_bytes, 0);
}

static void sigprof_decode_map__wants_a_path_that_ends_and_a_range_that_does(void **state)
{
	struct fixture *fixture = *state;
	struct sampler_record record = { 0 };
	struct sigprof_map map = { .start = 4096, .length_bytes = 4096 };

	memcpy(fixture->record, &map, sizeof(map));
	memcpy(fixture->record + sizeof(map), "/lib", 5);
	sigprof_decode_map(&record, fixture->record, sizeof(map) + 5);
	assert_int_equal(record.kind, SAMPLER_RECORD_MAP);
	assert_string_equal(record.map.path, "/lib");
	sigprof_decode_map(&record, fixture->record, sizeof(map) + 4);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	sigprof_decode_map(&record, fixture->record, sizeof(map));
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	map.length_bytes = UINT64_MAX;
	memcpy(fixture->record, &map, sizeof(map));
	sigprof_decode_map(&record, fixture->record, sizeof(map) + 5);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
}

static bool is_there(const struct fixture *fixture, uint64_t offset)
{
	unsigned char state;

	offset &= ~(uint64_t)(SIGPROF_PAGE_BYTES - 1);
	assert_int_equal(mincore(fixture->data + offset, 1, &state), 0);
	return state & 1;
}

/* Linux 5.14, but emulated. */
static bool can_have_pages_ready(const struct fixture *fixture)
{
#ifdef MADV_POPULATE_WRITE
	(void)madvise(fixture->data, SIGPROF_PAGE_BYTES, MADV_POPULATE_WRITE);
#endif
	return is_there(fixture, 0);
}

static void sigprof_ring__has_pages_ready_for_who_writes_much(void **state)
{
	enum { LITTLE_BYTES = SIGPROF_PAGE_BYTES, MUCH_BYTES = RING_BYTES / 8 };
	const uint64_t head = LITTLE_BYTES + MUCH_BYTES;
	struct fixture *fixture = *state;

	if (!can_have_pages_ready(fixture))
		skip();
	put(fixture, LITTLE_BYTES, SIGPROF_RECORD_SAMPLE, LITTLE_BYTES);
	assert_false(is_there(fixture, LITTLE_BYTES));
	put(fixture, MUCH_BYTES, SIGPROF_RECORD_SAMPLE, MUCH_BYTES);
	assert_true(is_there(fixture, head));
	assert_true(is_there(fixture, head + MUCH_BYTES - 1));
	assert_false(is_there(fixture, head + MUCH_BYTES));
	/* To its end, and over it. */
	put(fixture, 0, SIGPROF_RECORD_SAMPLE, RING_BYTES / 2);
	put(fixture, 0, SIGPROF_RECORD_SAMPLE, RING_BYTES / 2);
	assert_true(is_there(fixture, RING_BYTES - 1));
	assert_false(is_there(fixture, head + MUCH_BYTES));
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sigprof_memory_map__refuses_what_could_go_away),
		cmocka_unit_test(sigprof_memory_map__refuses_less_than_was_promised),
		cmocka_unit_test(sigprof_memory_map__refuses_huge_pages),
		cmocka_unit_test(sigprof_memory_map__refuses_impossible_sizes),
		RING_TEST(sigprof_ring__gives_records_in_order_and_their_room_back),
		RING_TEST(sigprof_ring__skips_to_the_start),
		RING_TEST(sigprof_ring__is_emptied_by_a_size_that_cannot_be),
		RING_TEST(sigprof_ring__does_not_leave_its_end),
		RING_TEST(sigprof_ring__believes_no_head_outside),
		RING_TEST(sigprof_ring__keeps_the_header_that_was_checked),
		RING_TEST(sigprof_ring__frees_the_slot_of_an_ended_thread_when_it_is_read),
		RING_TEST(sigprof_ring__has_pages_ready_for_who_writes_much),
		RING_TEST(sigprof_decode_sample__takes_no_more_stack_than_there_is),
		RING_TEST(sigprof_decode_sample__takes_both_pieces),
		RING_TEST(sigprof_decode_wait__takes_no_more_stack_than_there_is),
		RING_TEST(sigprof_wait_look__reads_the_stack_of_a_wait_that_goes_on),
		RING_TEST(sigprof_decode_map__wants_a_path_that_ends_and_a_range_that_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
