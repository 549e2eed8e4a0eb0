/* Samples and the stacks that a program copied, in a ring of plain memory. */
#include "bpf_stacks_fixture.h"

/* As the program writes it at a period after the tick before. */
static struct bpf_stack_record whole_at(uint64_t time_ns)
{
	struct bpf_stack_record record = record_at(time_ns);

	record.is_whole = 1;
	for (size_t i = 0; i < N_ITEMS(record.registers); i++)
		record.registers[i] = 100 + i;
	return record;
}

static void stacks__are_given_to_their_samples(void **state)
{
	static const int64_t apart_ns[] = { 1000, -1000, 400000 };
	struct stacks_fixture *fixture = *state;

	for (uint64_t i = 0; i < N_ITEMS(apart_ns); i++) {
		const uint64_t time_ns = (i + 1) * 1000000000;
		struct raw_sample sample = sample_at(time_ns);

		put(fixture, record_at(time_ns + (uint64_t)apart_ns[i]), 128, (uint8_t)(i + 1));
		assert_true(match(fixture, &sample));
		assert_int_equal(sample.stack_size_bytes, 64);
		assert_int_equal(sample.stack_asked_bytes, ASKED_BYTES);
		assert_int_equal(sample.stack_bytes[63], i + 1);
	}
}

/* Deeper than was copied: the outermost end is behind the room for all that could have been. */
static void stacks__have_their_outermost_end(void **state)
{
	struct stacks_fixture *fixture = *state;
	const size_t before = bpf_stack_program_top_at(ASKED_BYTES) -
			      sizeof(struct bpf_stack_record);
	struct bpf_stack_record record = record_at(1000);
	struct raw_sample sample = sample_at(1000);

	record.size_bytes = ASKED_BYTES;
	record.top = SP + 1000000;
	record.top_bytes = 24;
	put(fixture, record, before + 24, 1);
	fixture->ring.data[fixture->head - 1] = 2;
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, ASKED_BYTES);
	assert_int_equal(sample.top_address, SP + 1000000);
	assert_int_equal(sample.top_size_bytes, 24);
	assert_int_equal(sample.top_bytes[22], 1);
	assert_int_equal(sample.top_bytes[23], 2);

	/* The record is not as long as it says. */
	record.time_ns = 2000;
	put(fixture, record, before + 16, 1);
	sample = sample_at(2000);
	assert_true(match(fixture, &sample));
	assert_null(sample.top_bytes);
	record.time_ns = 3000;
	put(fixture, record, 64, 1);
	sample = sample_at(3000);
	assert_true(match(fixture, &sample));
	assert_null(sample.top_bytes);
}

/* Counted from the page of the stack pointer on; at the end they are no part of the stack. */
static void pages__may_be_left_out(void **state)
{
	enum { PAGE_BYTES = RAW_SAMPLE_PAGE_BYTES };
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record record = record_at(1000);
	struct raw_sample sample = sample_at(1000);
	const uint64_t first = SP & ~(uint64_t)(PAGE_BYTES - 1);
	const uint64_t size = first + (uint64_t)4 * PAGE_BYTES - SP;

	fixture->stacks.asked_bytes = fixture->stacks.most_bytes = 4 * PAGE_BYTES;
	record.size_bytes = (uint32_t)size;
	record.absent[0] = 2;
	put(fixture, record, size, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, size);
	assert_int_equal(sample.absent_pages[0], 2);
	assert_int_equal(sample.absent_from, first);

	record.time_ns = 2000;
	record.absent[0] = 2 | 4 | 8;
	put(fixture, record, size, 1);
	sample = sample_at(2000);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, first + PAGE_BYTES - SP);
	assert_false(raw_sample_has_absent(sample.absent_pages));

	record.time_ns = 3000;
	record.absent[0] = UINT64_MAX;
	put(fixture, record, size, 1);
	sample = sample_at(3000);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, 0);
}

/* One of a new thread, whose end is not known, page by page. */
static void stacks__that_are_new_may_be_longer_too(void **state)
{
	enum { LONG_BYTES = 3 * ASKED_BYTES };
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record record = record_at(1000);
	struct raw_sample sample = sample_at(1000);

	fixture->stacks.most_bytes = 4 * ASKED_BYTES;
	record.is_paged = 1;
	record.length = 4 * ASKED_BYTES;
	record.size_bytes = LONG_BYTES;
	put(fixture, record, LONG_BYTES, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, LONG_BYTES);
	assert_true(sample.stack_asked_bytes >= LONG_BYTES);
	/* One that is not may have been copied up to the end of a page. */
	record.time_ns = 2000;
	record.length = ASKED_BYTES;
	put(fixture, record, LONG_BYTES, 1);
	sample = sample_at(2000);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, ASKED_BYTES);
}

/* One whose end is known is copied as far as that is. */
static void stacks__may_be_longer_than_what_perf_copies(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record record = record_at(1000);
	struct raw_sample sample = sample_at(1000);

	fixture->stacks.most_bytes = 2 * ASKED_BYTES;
	record.is_limited = 1;
	record.size_bytes = 2 * ASKED_BYTES - 8;
	put(fixture, record, 2 * ASKED_BYTES, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, 2 * ASKED_BYTES - 8);
	assert_int_equal(sample.stack_asked_bytes, 2 * ASKED_BYTES);
}

/* What differs is of another sample: the next one has its own again. */
static void stacks__of_others_are_not_taken(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record others[4];
	uint64_t time_ns = 1000000000;

	for (size_t i = 0; i < N_ITEMS(others); i++)
		others[i] = record_at(0);
	others[0].sp += 8;
	others[1].ip += 1;
	others[2].tid += 1;
	for (size_t i = 0; i < N_ITEMS(others); i++, time_ns += 1000000000) {
		struct raw_sample without = sample_at(time_ns);
		struct raw_sample with = sample_at(time_ns + 500000000);

		/* The last is the same, but of another time. */
		others[i].time_ns = time_ns + (i == 3 ? 20000000 : 1000);
		put(fixture, others[i], 64, 1);
		put(fixture, record_at(time_ns + 500001000), 64, 2);
		assert_false(match(fixture, &without));
		assert_null(without.stack_bytes);
		assert_true(match(fixture, &with));
		assert_int_equal(with.stack_bytes[0], 2);
	}
}

static void stacks__whose_samples_are_lost_are_passed_by(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct raw_sample sample = sample_at(3000000000);

	put(fixture, record_at(1000000000), 64, 1);
	put(fixture, record_at(2000000000), 64, 2);
	put(fixture, record_at(3000000000), 64, 3);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_bytes[0], 3);
	assert_false(match(fixture, &sample));
}

static uint64_t next_time(struct stacks_fixture *fixture, uint64_t perf_time_ns)
{
	return bpf_stacks_next_time_ns(&fixture->stacks, 0, perf_time_ns);
}

/* The program does not know that they are of no use, and has written what it could. */
static void samples_without_registers__need_none(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct raw_sample thread_of_kernel = { .time_ns = 1000000000, .tid = 7 };

	put(fixture, record_at(1000001000), 0, 1);
	put(fixture, whole_at(1001000000), 64, 2);
	fixture->ring.ring.last_head = 0; /* in one batch */
	assert_true(match(fixture, &thread_of_kernel));
	assert_int_equal(thread_of_kernel.stack_size_bytes, 0);
	assert_int_equal(next_time(fixture, UINT64_MAX), 1001000000);
	/* A whole one is another tick's, however near it is. */
	thread_of_kernel.time_ns = 1001000000;
	assert_true(match(fixture, &thread_of_kernel));
	assert_int_equal(next_time(fixture, UINT64_MAX), 1001000000);
}

static void samples_without_registers__leave_those_of_others(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct raw_sample other = { .time_ns = 1000000000, .tid = 8 };
	struct raw_sample earlier = { .time_ns = 900000000, .tid = 7 };
	struct raw_sample sample = sample_at(1000000000);

	put(fixture, record_at(1000001000), 64, 1);
	assert_true(match(fixture, &other));
	assert_true(match(fixture, &earlier));
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_bytes[0], 1);
}

/* Namespaces of process numbers: programs tell those of the first. */
static void thread_numbers__may_be_of_another_namespace(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct raw_sample sample = sample_at(1000000000);

	fixture->stacks.has_tids = false;
	sample.tid = 2;
	put(fixture, record_at(1000000000), 64, 1);
	assert_true(match(fixture, &sample));
}

static void sizes__are_not_believed(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record record = record_at(1000000000);
	struct raw_sample sample = sample_at(1000000000);

	record.size_bytes = UINT32_MAX;
	put(fixture, record, 64, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, 64);

	record.time_ns = sample.time_ns = 2000000000;
	put(fixture, record, 2 * ASKED_BYTES, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, ASKED_BYTES);

	/* Shorter than what each has. */
	record = (struct bpf_stack_record){ 0 };
	put(fixture, record, 0, 1);
	sample.time_ns = 3000000000;
	assert_false(match(fixture, &sample));
	assert_false(bpf_stacks_match(&fixture->stacks, 1, &sample));
}

static void whole_samples__need_no_record_of_perfs(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct sampler_record record = { .stream_id = 9, .read_value = 9 };

	assert_int_equal(next_time(fixture, UINT64_MAX), UINT64_MAX);
	put(fixture, whole_at(2000), 64, 5);
	put(fixture, whole_at(3000), 64, 6);
	assert_int_equal(next_time(fixture, UINT64_MAX), 2000);
	bpf_stacks_take(&fixture->stacks, 0, &record);
	assert_int_equal(record.kind, SAMPLER_RECORD_SAMPLE);
	assert_int_equal(record.time_ns, 2000);
	assert_int_equal(record.tid, 7);
	assert_int_equal(record.pid, 5);
	assert_int_equal(record.stream_id, 0);
	assert_int_equal(record.sample.time_ns, 2000);
	assert_int_equal(record.sample.tid, 7);
	assert_int_equal(record.sample.pid, 5);
	assert_true(record.sample.has_registers);
	assert_false(record.sample.is_in_kernel);
	assert_int_equal(record.sample.n_kernel_ips, 0);
	for (size_t i = 0; i < BPF_STACK_N_REGISTERS; i++)
		assert_int_equal(record.sample.registers.values[i], 100 + i);
	assert_int_equal(record.sample.stack_size_bytes, 64);
	assert_int_equal(record.sample.stack_bytes[63], 5);
	bpf_stacks_finish(&fixture->stacks);
	assert_int_equal(next_time(fixture, UINT64_MAX), 3000);
	bpf_stacks_take(&fixture->stacks, 0, &record);
	bpf_stacks_finish(&fixture->stacks);
	assert_int_equal(next_time(fixture, UINT64_MAX), UINT64_MAX);
	bpf_stacks_take(&fixture->stacks, 0, &record);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
}

static void whole_samples__come_in_order_with_perfs(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct raw_sample of_perf = sample_at(2010);
	struct raw_sample early = sample_at(500);
	struct sampler_record record;

	put(fixture, whole_at(1000), 64, 1);
	put(fixture, record_at(2000), 64, 2);
	put(fixture, whole_at(3000), 64, 3);
	bpf_stacks_begin(&fixture->stacks, false);
	assert_int_equal(next_time(fixture, 999), UINT64_MAX);
	/* A sample of perf's never takes a whole one, and leaves it there. */
	assert_false(match(fixture, &early));
	assert_int_equal(next_time(fixture, 2010), 1000);
	bpf_stacks_take(&fixture->stacks, 0, &record);
	bpf_stacks_finish(&fixture->stacks);
	assert_int_equal(next_time(fixture, 2010), UINT64_MAX);
	assert_true(match(fixture, &of_perf));
	assert_int_equal(of_perf.stack_bytes[0], 2);
	assert_int_equal(next_time(fixture, UINT64_MAX), 3000);
}

/* Until it is sure that perf's samples of them were lost, they are waited for. */
static void whole_samples__pass_by_what_perf_lost(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record too_short = { 0 };

	put(fixture, record_at(1000), 64, 1);
	put(fixture, record_at(2000), 64, 2);
	put(fixture, whole_at(3000), 64, 3);
	/* The whole one came after the batch before, and perf's of the second may be on its way. */
	assert_int_equal(next_time(fixture, UINT64_MAX), UINT64_MAX);
	bpf_stacks_begin(&fixture->stacks, false);
	assert_int_equal(next_time(fixture, 2001), UINT64_MAX);
	assert_int_equal(next_time(fixture, 3001), 3000);
	bpf_stacks_take(&fixture->stacks, 0, &(struct sampler_record){ 0 });

	put(fixture, record_at(4000), 64, 1);
	put(fixture, whole_at(5000), 64, 3);
	bpf_stacks_begin(&fixture->stacks, true);
	assert_int_equal(next_time(fixture, UINT64_MAX), 5000);
	bpf_stacks_take(&fixture->stacks, 0, &(struct sampler_record){ 0 });

	memcpy(fixture->ring.data + fixture->head, &(uint32_t){ 4 }, sizeof(uint32_t));
	fixture->head += 16;
	too_short.is_whole = 1;
	put(fixture, too_short, 0, 0);
	put(fixture, whole_at(7000), 64, 3);
	assert_int_equal(next_time(fixture, UINT64_MAX), 0);
	bpf_stacks_take(&fixture->stacks, 0, &(struct sampler_record){ 0 });
	assert_int_equal(next_time(fixture, UINT64_MAX), 7000);
	assert_int_equal(bpf_stacks_next_time_ns(&fixture->stacks, 1, UINT64_MAX), UINT64_MAX);
}

/* The next of perf's shows that the one before was lost, however lately all of them came. */
static void whole_samples__are_not_held_up_by_what_perf_lost(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record other = record_at(1000);
	struct raw_sample of_perf = sample_at(3010);
	struct sampler_record record;

	other.ip++;
	put(fixture, other, 64, 1);
	put(fixture, whole_at(2000), 64, 2);
	put(fixture, record_at(3000), 64, 3);
	put(fixture, whole_at(4000), 64, 4);
	fixture->ring.ring.last_head = 0; /* in one batch */
	/* Its own, and one that is as late as the whole one, prove nothing. */
	assert_int_equal(next_time(fixture, 1010), UINT64_MAX);
	assert_int_equal(next_time(fixture, 2000), UINT64_MAX);
	assert_int_equal(next_time(fixture, UINT64_MAX), UINT64_MAX);
	assert_int_equal(next_time(fixture, 3010), 2000);
	bpf_stacks_take(&fixture->stacks, 0, &record);
	bpf_stacks_finish(&fixture->stacks);
	assert_int_equal(next_time(fixture, 3010), UINT64_MAX);
	assert_true(match(fixture, &of_perf));
	assert_int_equal(of_perf.stack_bytes[0], 3);
	assert_int_equal(next_time(fixture, UINT64_MAX), 4000);
}

/* One that was switched on while it is recorded. */
static void cpus__without_a_ring_have_no_stacks(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_ring rings[2] = { BPF_RING_INIT, fixture->ring.ring };
	struct raw_sample without = sample_at(1000);
	struct raw_sample with = sample_at(1000);

	put(fixture, record_at(1000), 64, 1);
	fixture->stacks.rings.rings = rings;
	fixture->stacks.rings.n_rings = N_ITEMS(rings);
	assert_int_equal(bpf_rings_poll(&fixture->stacks.rings, -1, NULL), 0);
	bpf_stacks_begin(&fixture->stacks, true);
	assert_int_equal(bpf_stacks_next_time_ns(&fixture->stacks, 0, UINT64_MAX), UINT64_MAX);
	assert_false(bpf_stacks_match(&fixture->stacks, 0, &without));
	bpf_stacks_finish(&fixture->stacks);
	assert_true(bpf_stacks_match(&fixture->stacks, 1, &with));
	bpf_stacks_finish(&fixture->stacks);
	bpf_stacks_publish(&fixture->stacks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RING(stacks__are_given_to_their_samples),
		WITH_RING(stacks__have_their_outermost_end),
		WITH_RING(pages__may_be_left_out),
		WITH_RING(stacks__may_be_longer_than_what_perf_copies),
		WITH_RING(stacks__that_are_new_may_be_longer_too),
		WITH_RING(stacks__of_others_are_not_taken),
		WITH_RING(stacks__whose_samples_are_lost_are_passed_by),
		WITH_RING(samples_without_registers__need_none),
		WITH_RING(samples_without_registers__leave_those_of_others),
		WITH_RING(thread_numbers__may_be_of_another_namespace),
		WITH_RING(sizes__are_not_believed),
		WITH_RING(whole_samples__need_no_record_of_perfs),
		WITH_RING(whole_samples__come_in_order_with_perfs),
		WITH_RING(whole_samples__pass_by_what_perf_lost),
		WITH_RING(whole_samples__are_not_held_up_by_what_perf_lost),
		WITH_RING(cpus__without_a_ring_have_no_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
