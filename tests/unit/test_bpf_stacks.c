/* Samples and the stacks that a program copied, in a ring of plain memory. */
#include "unit.h"

#include <stddef.h>

#include "os/bpf_stack_program.h"
#include "os/bpf_stacks.h"
#include "ring_fixture.h"

enum { DATA_BYTES = 131072, ASKED_BYTES = 4096, SP = 0x7000, IP = 0x400, MARGIN_BYTES = 128 };

struct fixture {
	struct ring_fixture ring;
	uint64_t head;
	struct bpf_stacks stacks;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	ring_fixture_init(&fixture->ring, DATA_BYTES);
	fixture->stacks = BPF_STACKS_INIT;
	fixture->stacks.rings.rings = &fixture->ring.ring;
	fixture->stacks.rings.n_rings = 1;
	fixture->stacks.asked_bytes = ASKED_BYTES;
	fixture->stacks.has_tids = true;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->stacks.ends);
	hash_index_release(&fixture->stacks.end_index);
	ring_fixture_release(&fixture->ring);
	free(fixture);
	return 0;
}

static struct bpf_stack_record record_at(uint64_t time_ns)
{
	return (struct bpf_stack_record){
		.time_ns = time_ns, .tid = 7, .pid = 5, .sp = SP, .ip = IP, .size_bytes = 64
	};
}

/* As the kernel would: the record, and `n_bytes` behind it, all of them `fill`. */
static void put(struct fixture *fixture, struct bpf_stack_record record, size_t n_bytes,
		uint8_t fill)
{
	uint8_t *at = fixture->ring.data + fixture->head;
	const uint32_t size = (uint32_t)(sizeof(record) + n_bytes);

	memcpy(at, &size, sizeof(size));
	memcpy(at + RING_HEADER_BYTES, &record, sizeof(record));
	memset(at + RING_HEADER_BYTES + sizeof(record), fill, n_bytes);
	fixture->head += RING_HEADER_BYTES + ((size + 7U) & ~7U);
	ring_fixture_set_head(&fixture->ring, fixture->head);
}

/* As the program writes it at a period after the tick before. */
static struct bpf_stack_record whole_at(uint64_t time_ns)
{
	struct bpf_stack_record record = record_at(time_ns);

	record.is_whole = 1;
	for (size_t i = 0; i < N_ITEMS(record.registers); i++)
		record.registers[i] = 100 + i;
	return record;
}

static struct raw_sample sample_at(uint64_t time_ns)
{
	struct raw_sample sample = {
		.time_ns = time_ns, .pid = 5, .tid = 7, .has_registers = true
	};

	sample.registers.arch = ARCH_X86_64;
	sample.registers.values[X86_64_RSP] = SP;
	sample.registers.values[X86_64_RIP] = IP;
	return sample;
}

static bool match(struct fixture *fixture, struct raw_sample *sample)
{
	const bool is_found = bpf_stacks_match(&fixture->stacks, 0, sample);

	bpf_stacks_finish(&fixture->stacks);
	return is_found;
}

static void stacks__are_given_to_their_samples(void **state)
{
	static const int64_t apart_ns[] = { 1000, -1000, 400000 };
	struct fixture *fixture = *state;

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

/* What differs is of another sample: the next one has its own again. */
static void stacks__of_others_are_not_taken(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
	struct raw_sample sample = sample_at(3000000000);

	put(fixture, record_at(1000000000), 64, 1);
	put(fixture, record_at(2000000000), 64, 2);
	put(fixture, record_at(3000000000), 64, 3);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_bytes[0], 3);
	assert_false(match(fixture, &sample));
}

static uint64_t next_time(struct fixture *fixture, uint64_t perf_time_ns)
{
	return bpf_stacks_next_time_ns(&fixture->stacks, 0, perf_time_ns);
}

/* The program does not know that they are of no use, and has written what it could. */
static void samples_without_registers__need_none(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
	struct raw_sample sample = sample_at(1000000000);

	fixture->stacks.has_tids = false;
	sample.tid = 2;
	put(fixture, record_at(1000000000), 64, 1);
	assert_true(match(fixture, &sample));
}

static void sizes__are_not_believed(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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

static void walk_of(struct fixture *fixture, uint32_t size_bytes, bool is_limited, bool is_complete,
		    uint64_t needed_bytes)
{
	const uint64_t time_ns = (fixture->head + 1) * 1000000;
	struct bpf_stack_record record = record_at(time_ns);
	struct raw_sample sample = sample_at(time_ns);

	record.is_limited = is_limited;
	record.size_bytes = size_bytes;
	put(fixture, record, size_bytes, 1);
	assert_true(match(fixture, &sample));
	bpf_stacks_learn(&fixture->stacks, is_complete, needed_bytes);
}

/* A copy that is not limited has more than is needed. */
static void walk(struct fixture *fixture, bool is_limited, bool is_complete, uint64_t needed_bytes)
{
	walk_of(fixture, is_limited ? 64 : (uint32_t)needed_bytes + 2 * MARGIN_BYTES, is_limited,
		is_complete, needed_bytes);
}

static void ends__are_learnt_from_complete_walks(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, false, 40);
	assert_int_equal(stacks->n_ends, 0);
	walk(fixture, false, true, 41);
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	walk(fixture, true, true, 24); /* not as deep, and all was there */
	walk_of(fixture, ASKED_BYTES, true, false, ASKED_BYTES); /* deeper than is copied */
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* It needed more, or met code that cannot be unwound: the next walk tells. */
static void ends__are_doubted_when_a_walk_is_cut(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, true, 48);
	for (int i = 0; i < 100; i++) {
		walk(fixture, true, false, 8);
		if (i < 10)
			assert_int_equal(stacks->ends[0].told, 0);
		walk(fixture, false, true, 48);
		assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	}
	/* That often it was not the end's fault. */
	walk(fixture, true, false, 8);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

static void ends__of_the_same_stack_are_one(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	for (uint64_t i = 1; i < 20; i++)
		walk(fixture, false, true, i % 2 ? 64 : 80);
	assert_int_equal(stacks->ends[0].told, SP + 80 + MARGIN_BYTES);
}

/* A thread with many stacks: each time another would be told. */
static void ends__that_move_are_given_up(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	fixture->stacks.asked_bytes = 65536;
	for (uint64_t i = 1; i < 7; i++)
		walk(fixture, false, true, 8192 * i);
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told, 0);
}

/* A stack that begins at the very end of its mapping: all of the copy at once would fail. */
static void ends__reach_no_further_than_what_was_there(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk_of(fixture, 64, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 64);
	walk(fixture, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	walk_of(fixture, 64, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* The table forgets, so that it is told once more after a while. */
static void ends__that_are_not_used_are_told_again(void **state)
{
	struct fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;
	int n_unused = 0;

	walk(fixture, false, true, 48);
	do {
		walk(fixture, false, true, 48);
		assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
		n_unused++;
	} while (stacks->ends[0].n_unused);
	assert_in_range(n_unused, 2, 100);
	walk(fixture, true, true, 48);
	assert_int_equal(stacks->ends[0].n_unused, 0);
}

#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RING(stacks__are_given_to_their_samples),
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
		WITH_RING(ends__are_learnt_from_complete_walks),
		WITH_RING(ends__are_doubted_when_a_walk_is_cut),
		WITH_RING(ends__of_the_same_stack_are_one),
		WITH_RING(ends__that_move_are_given_up),
		WITH_RING(ends__reach_no_further_than_what_was_there),
		WITH_RING(ends__that_are_not_used_are_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
