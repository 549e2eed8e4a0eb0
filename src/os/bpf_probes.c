/*
 * A writer that was preempted holds up the records behind its own, and so the whole
 * merge for as long; it cannot be stopped in the kernel, so this takes milliseconds at most. Only
 * when it lasts longer than HOLD_NS is the rest let by, to be told late.
 *
 * What is lost is told where it happened: each record says how many were lost before it.
 */
#include "os/bpf_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/bpf_kernel.h"
#include "os/cpus.h"

#define RINGS_MAX_BYTES ((uint64_t)128 << 20) /* of all CPUs together */
#define HOLD_NS ((uint64_t)NS_PER_S)

enum {
	RING_MIN_BYTES = 64 << 10,
	USUAL_RECORD_BYTES = 128,
	WAKE_UPS_PER_RING = 4,
	FINAL_TRIES = 100,
	FINAL_PAUSE_NS = (int)NS_PER_MS,
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int open_state(struct bpf_probes *probes, size_t n_lines, struct error *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t bytes = sizeof(struct bpf_program_state) +
			     n_lines * sizeof(struct bpf_program_cpu);
	void *state;

	probes->state_fd = bpf_kernel_new_value(bytes);
	if (probes->state_fd < 0)
		return bpf_kernel_error(probes->state_fd, err);
	probes->state_bytes = (bytes + page - 1) & ~(page - 1);
	state = mmap(NULL, probes->state_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		     probes->state_fd, 0);
	if (state == MAP_FAILED)
		return error_set_errno(err, -errno, "memory of probes");
	probes->state = state;
	return 0;
}

static int open_rings(struct bpf_probes *probes, size_t data_bytes, struct error *err)
{
	const struct bpf_program_cpu *lines = (const void *)(probes->state + 1);
	const int r = bpf_rings_open(&probes->rings, data_bytes, RING_MIN_BYTES, err);

	if (r < 0)
		return r;
	probes->cpus = calloc(probes->rings.n_rings, sizeof(*probes->cpus));
	if (!probes->cpus)
		return error_set_no_memory(err);
	for (size_t i = 0; i < probes->rings.n_rings; i++)
		probes->cpus[i] = (struct bpf_probes_cpu){ .ring = &probes->rings.rings[i],
							   .line = &lines[i],
							   .next_time_ns = UINT64_MAX };
	return 0;
}

static int load_programs(struct bpf_probes *probes, const struct probe_point *points,
			 size_t n_points, struct error *err)
{
	struct bpf_program_options options = {
		.state_fd = probes->state_fd,
		.list_fd = probes->rings.list_fd,
		.n_cpus = (uint32_t)cpus_power_of_two(),
		.n_until_wake_up = (uint32_t)(probes->rings.data_bytes / USUAL_RECORD_BYTES /
					      WAKE_UPS_PER_RING),
	};
	struct bpf_program *program = malloc(sizeof(*program));
	int r = 0;

	probes->programs = calloc(n_points, sizeof(*probes->programs));
	if (!program || !probes->programs)
		r = error_set_no_memory(err);
	for (size_t i = 0; r == 0 && i < n_points; i++) {
		options.point = (uint32_t)i;
		r = bpf_program_make(program, &points[i], &options);
		if (r == 0)
			r = bpf_kernel_load(BPF_KERNEL_PROBE, &program->code);
		if (r < 0) {
			r = bpf_kernel_error(r, err);
			break;
		}
		probes->programs[probes->n_programs++] = r;
		r = 0;
	}
	free(program);
	return r;
}

int bpf_probes_open(struct bpf_probes *probes, const struct probe_point *points, size_t n_points,
		    uint64_t ring_bytes, struct error *err)
{
	int r;

	*probes = BPF_PROBES_INIT;
	ring_bytes = cpus_fit_ring(ring_bytes, RING_MIN_BYTES, RINGS_MAX_BYTES);
	r = bpf_kernel_check_pids(err);
	if (r == 0)
		r = open_state(probes, cpus_power_of_two(), err);
	if (r == 0)
		r = open_rings(probes, ring_bytes, err);
	if (r == 0)
		r = load_programs(probes, points, n_points, err);
	if (r < 0)
		bpf_probes_close(probes);
	return r;
}

void bpf_probes_close(struct bpf_probes *probes)
{
	for (size_t i = 0; i < probes->n_programs; i++)
		(void)close(probes->programs[i]);
	bpf_rings_close(&probes->rings);
	if (probes->state)
		(void)munmap(probes->state, probes->state_bytes);
	if (probes->state_fd >= 0)
		(void)close(probes->state_fd);
	free(probes->programs);
	free(probes->cpus);
	*probes = BPF_PROBES_INIT;
}

int bpf_probes_poll(const struct bpf_probes *probes, int epoll_fd, struct error *err)
{
	return bpf_rings_poll(&probes->rings, epoll_fd, err);
}

void bpf_probes_set_enabled(const struct bpf_probes *probes, bool is_on)
{
	__atomic_store_n(&probes->state->is_on, is_on, __ATOMIC_RELAXED);
}

/* The record at the head of the ring, or that some were lost behind the last. */
static void cpu_look(struct bpf_probes_cpu *cpu)
{
	cpu->next = bpf_ring_peek(cpu->ring, &cpu->next_bytes);
	cpu->next_time_ns = UINT64_MAX;
	if (cpu->next && cpu->next_bytes >= sizeof(struct bpf_program_record))
		memcpy(&cpu->next_time_ns, cpu->next, sizeof(cpu->next_time_ns));
	else if (cpu->next)
		cpu->next_time_ns = cpu->last_time_ns; /* nothing of ours: to be passed by */
	else if (!cpu->ring->is_busy &&
		 __atomic_load_n(&cpu->line->n_lost, __ATOMIC_RELAXED) != cpu->n_lost)
		cpu->next_time_ns = cpu->last_time_ns;
}

/* Nobody begins another: the last that was begun is waited for, or else is lost. */
static void look_finally(struct bpf_probes_cpu *cpu)
{
	const struct timespec pause = { .tv_nsec = FINAL_PAUSE_NS };

	for (int i = 0; cpu->ring->is_busy && i < FINAL_TRIES; i++) {
		(void)nanosleep(&pause, NULL);
		cpu_look(cpu);
	}
	while (cpu->ring->is_busy) {
		bpf_ring_skip(cpu->ring);
		cpu->n_lost--; /* … and so is told */
		cpu_look(cpu);
	}
}

void bpf_probes_begin(struct bpf_probes *probes, bool is_final)
{
	probes->is_final = is_final;
	for (size_t i = 0; i < probes->rings.n_rings; i++) {
		bpf_ring_refresh(probes->cpus[i].ring);
		cpu_look(&probes->cpus[i]);
		if (is_final)
			look_finally(&probes->cpus[i]);
	}
}

/* Is the merge to wait for this one? */
static bool is_held(struct bpf_probes_cpu *cpu)
{
	const uint64_t time_ns = cpu->ring->is_busy ? now_ns() : 0;

	if (!cpu->ring->is_busy)
		cpu->busy_since_ns = 0;
	else if (!cpu->busy_since_ns)
		cpu->busy_since_ns = time_ns;
	return cpu->ring->is_busy && time_ns - cpu->busy_since_ns < HOLD_NS;
}

uint64_t bpf_probes_limit_ns(struct bpf_probes *probes)
{
	uint64_t limit_ns = UINT64_MAX;

	for (size_t i = 0; i < probes->rings.n_rings; i++)
		if (is_held(&probes->cpus[i]) && probes->cpus[i].last_time_ns < limit_ns)
			limit_ns = probes->cpus[i].last_time_ns;
	return limit_ns;
}

static struct bpf_probes_cpu *oldest(const struct bpf_probes *probes)
{
	struct bpf_probes_cpu *found = NULL;
	uint64_t time_ns = UINT64_MAX;

	for (size_t i = 0; i < probes->rings.n_rings; i++) {
		if (probes->cpus[i].next_time_ns < time_ns) {
			found = &probes->cpus[i];
			time_ns = found->next_time_ns;
		}
	}
	return found;
}

uint64_t bpf_probes_next_time_ns(const struct bpf_probes *probes)
{
	const struct bpf_probes_cpu *cpu = oldest(probes);

	return cpu ? cpu->next_time_ns : UINT64_MAX;
}

/* Were some lost that nobody was told of? */
static bool take_lost(struct bpf_probes_cpu *cpu, struct sampler_record *record, uint64_t n_lost)
{
	if ((int64_t)(n_lost - cpu->n_lost) <= 0)
		return false;
	record->kind = SAMPLER_RECORD_LOST_PROBES;
	record->n_lost = n_lost - cpu->n_lost;
	cpu->n_lost = n_lost;
	return true;
}

void bpf_probes_take(struct bpf_probes *probes, struct sampler_record *record)
{
	struct bpf_probes_cpu *cpu = oldest(probes);
	struct bpf_program_record written;

	*record = (struct sampler_record){ .kind = SAMPLER_RECORD_BAD };
	probes->current = cpu;
	record->time_ns = cpu->next_time_ns;
	if (!cpu->next) {
		(void)take_lost(cpu, record, __atomic_load_n(&cpu->line->n_lost, __ATOMIC_RELAXED));
		return;
	}
	probes->is_whole = true;
	if (cpu->next_bytes < sizeof(written))
		return;
	memcpy(&written, cpu->next, sizeof(written));
	cpu->last_time_ns = written.time_ns;
	if (take_lost(cpu, record, written.n_lost)) {
		probes->is_whole = false;
		return;
	}
	record->pid = written.pid;
	record->tid = written.tid;
	if (written.point >= probes->n_programs)
		return;
	record->kind = SAMPLER_RECORD_PROBE;
	record->probe = (struct sampler_hit){
		.index = written.point,
		.ip = written.ip,
		.bytes = cpu->next + BPF_PROGRAM_FETCHED_AT,
		.size_bytes = cpu->next_bytes - BPF_PROGRAM_FETCHED_AT,
	};
}

void bpf_probes_finish(struct bpf_probes *probes)
{
	struct bpf_probes_cpu *cpu = probes->current;

	if (!cpu)
		return;
	if (probes->is_whole)
		bpf_ring_skip(cpu->ring);
	probes->current = NULL;
	probes->is_whole = false;
	bpf_ring_publish_much(cpu->ring);
	cpu_look(cpu);
	if (probes->is_final)
		look_finally(cpu);
}

void bpf_probes_publish(struct bpf_probes *probes)
{
	bpf_rings_publish(&probes->rings);
}
