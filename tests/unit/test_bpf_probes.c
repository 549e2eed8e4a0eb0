/* Hits that a program has written and those that it could not, in plain memory. */
#include "unit.h"

#include "os/bpf_probes.h"
#include "ring_fixture.h"

enum { DATA_BYTES = 4096, N_CPUS = 2, WITH_RING = 0, WITHOUT = 1 };

struct fixture {
	struct ring_fixture ring;
	struct bpf_ring rings[N_CPUS];
	struct bpf_program_cpu lines[N_CPUS];
	struct bpf_probes_cpu cpus[N_CPUS];
	struct bpf_probes probes;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	ring_fixture_init(&fixture->ring, DATA_BYTES);
	fixture->rings[WITH_RING] = fixture->ring.ring;
	fixture->rings[WITHOUT] = BPF_RING_INIT;
	for (size_t i = 0; i < N_CPUS; i++)
		fixture->cpus[i] = (struct bpf_probes_cpu){ .ring = &fixture->rings[i],
							    .line = &fixture->lines[i],
							    .next_time_ns = UINT64_MAX };
	fixture->probes = BPF_PROBES_INIT;
	fixture->probes.rings.rings = fixture->rings;
	fixture->probes.rings.n_rings = N_CPUS;
	fixture->probes.cpus = fixture->cpus;
	fixture->probes.n_programs = 1;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	ring_fixture_release(&fixture->ring);
	free(fixture);
	return 0;
}

/* As the program would, at the beginning of the ring. */
static void put_hit(struct fixture *fixture, uint64_t time_ns)
{
	const struct bpf_program_record record = { .time_ns = time_ns, .tid = 7, .pid = 5 };
	const uint32_t size = sizeof(record);

	memcpy(fixture->ring.data, &size, sizeof(size));
	memcpy(fixture->ring.data + RING_HEADER_BYTES, &record, sizeof(record));
	ring_fixture_set_head(&fixture->ring, RING_HEADER_BYTES + sizeof(record));
}

/* A CPU that was switched on while it is recorded has no room for any. */
static void hits__on_a_cpu_without_a_ring_are_lost(void **state)
{
	struct fixture *fixture = *state;
	struct sampler_record record;

	put_hit(fixture, 1000);
	fixture->lines[WITHOUT].n_lost = 3;
	bpf_probes_begin(&fixture->probes, false);
	assert_int_equal(bpf_probes_limit_ns(&fixture->probes), UINT64_MAX);
	bpf_probes_take(&fixture->probes, &record);
	assert_int_equal(record.kind, SAMPLER_RECORD_LOST_PROBES);
	assert_int_equal(record.n_lost, 3);
	bpf_probes_finish(&fixture->probes);
	bpf_probes_take(&fixture->probes, &record);
	assert_int_equal(record.kind, SAMPLER_RECORD_PROBE);
	assert_int_equal(record.tid, 7);
	bpf_probes_finish(&fixture->probes);
	assert_int_equal(bpf_probes_next_time_ns(&fixture->probes), UINT64_MAX);
	bpf_probes_publish(&fixture->probes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hits__on_a_cpu_without_a_ring_are_lost, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
