#ifndef TSPROF_TESTS_UNIT_BPF_STACKS_FIXTURE_H
#define TSPROF_TESTS_UNIT_BPF_STACKS_FIXTURE_H

#include "unit.h"

#include <stddef.h>

#include "os/bpf_stack_program.h"
#include "os/bpf_stacks.h"
#include "ring_fixture.h"

/* The stacks that a program copied, in a ring of plain memory. */

enum { DATA_BYTES = 131072, ASKED_BYTES = 4096, SP = 0x7000, IP = 0x400, MARGIN_BYTES = 128 };

struct stacks_fixture {
	struct ring_fixture ring;
	uint64_t head;
	struct bpf_stacks stacks;
};

static inline int set_up(void **state)
{
	struct stacks_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	ring_fixture_init(&fixture->ring, DATA_BYTES);
	fixture->stacks = BPF_STACKS_INIT;
	fixture->stacks.rings.rings = &fixture->ring.ring;
	fixture->stacks.rings.n_rings = 1;
	fixture->stacks.asked_bytes = fixture->stacks.most_bytes = ASKED_BYTES;
	fixture->stacks.has_tids = true;
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct stacks_fixture *fixture = *state;

	free(fixture->stacks.ends);
	hash_index_release(&fixture->stacks.end_index);
	ring_fixture_release(&fixture->ring);
	free(fixture);
	return 0;
}

static inline struct bpf_stack_record record_at(uint64_t time_ns)
{
	return (struct bpf_stack_record){
		.time_ns = time_ns, .tid = 7, .pid = 5, .sp = SP, .ip = IP, .size_bytes = 64
	};
}

/* As the kernel would: the record, and `n_bytes` behind it, all of them `fill`. */
static inline void put(struct stacks_fixture *fixture, struct bpf_stack_record record,
		       size_t n_bytes, uint8_t fill)
{
	uint8_t *at = fixture->ring.data + fixture->head;
	const uint32_t size = (uint32_t)(sizeof(record) + n_bytes);

	memcpy(at, &size, sizeof(size));
	memcpy(at + RING_HEADER_BYTES, &record, sizeof(record));
	memset(at + RING_HEADER_BYTES + sizeof(record), fill, n_bytes);
	fixture->head += RING_HEADER_BYTES + ((size + 7U) & ~7U);
	ring_fixture_set_head(&fixture->ring, fixture->head);
}

static inline struct raw_sample sample_at(uint64_t time_ns)
{
	struct raw_sample sample = {
		.time_ns = time_ns, .pid = 5, .tid = 7, .has_registers = true
	};

	sample.registers.arch = ARCH_X86_64;
	sample.registers.values[X86_64_RSP] = SP;
	sample.registers.values[X86_64_RIP] = IP;
	return sample;
}

static inline bool match(struct stacks_fixture *fixture, struct raw_sample *sample)
{
	const bool is_found = bpf_stacks_match(&fixture->stacks, 0, sample);

	bpf_stacks_finish(&fixture->stacks);
	return is_found;
}

#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
