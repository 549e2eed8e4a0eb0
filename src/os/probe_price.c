/*
 * Code of a few bytes in a memory file, which is mapped and probed like any
 * other: with the same fields, and a ring that is emptied between rounds.
 */
#include "os/probe_price.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/perf_event.h"
#include "os/perf_probes.h"
#include "os/perf_ring.h"

enum {
	CODE_BYTES = 4096,
	STEPPED_AT = 64,
	N_ROUNDS = 15,
	N_CALLS = 100,
	RING_BYTES = 256 << 10,
	MAX_EVENTS = 2,
};

#if defined(__x86_64__)
/* push %rbp; pop %rbp; ret, and sub $8, %rsp; add $8, %rsp; ret */
static const uint8_t cheap_code[] = { 0x55, 0x5d, 0xc3 };
static const uint8_t stepped_code[] = { 0x48, 0x83, 0xec, 0x08, 0x48, 0x83, 0xc4, 0x08, 0xc3 };
#define ENTRY_FIELDS "sp=%sp:u64 ra=+0(%sp):u64"
#elif defined(__aarch64__)
/* b .+4; ret, and sub sp, sp, #16; add sp, sp, #16; ret */
static const uint32_t cheap_code[] = { 0x14000001, 0xd65f03c0 };
static const uint32_t stepped_code[] = { 0xd10043ff, 0x910043ff, 0xd65f03c0 };
#define ENTRY_FIELDS "sp=%sp:u64 ra=%lr:u64"
#endif

struct code {
	int fd;
	char path[40];
	uint8_t *bytes;
};

static int code_make(struct code *code, struct error *err)
{
	uint8_t page[CODE_BYTES] = { 0 };

	memcpy(page, cheap_code, sizeof(cheap_code));
	memcpy(page + STEPPED_AT, stepped_code, sizeof(stepped_code));
	*code = (struct code){ .fd = memfd_create("tsprof-price", MFD_CLOEXEC) };
	if (code->fd < 0)
		return error_set_errno(err, -errno, "memfd_create");
	if (write(code->fd, page, sizeof(page)) != (ssize_t)sizeof(page))
		return error_set(err, -EIO, "memfd: cannot write");
	code->bytes = mmap(NULL, CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, code->fd, 0);
	if (code->bytes == MAP_FAILED) {
		code->bytes = NULL;
		return error_set_errno(err, -errno, "mmap of a memory file");
	}
	(void)snprintf(code->path, sizeof(code->path), "/proc/self/fd/%d", code->fd);
	return 0;
}

static void code_release(struct code *code)
{
	if (code->bytes)
		(void)munmap(code->bytes, CODE_BYTES);
	if (code->fd >= 0)
		(void)close(code->fd);
}

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * (double)NS_PER_S + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;

	return (left > right) - (left < right);
}

struct watching {
	struct perf_probes probes;
	int fds[MAX_EVENTS];
	size_t n_fds;
	struct perf_ring ring;
};

static void take_hits(struct watching *watching)
{
	struct bpf_probes *programs = &watching->probes.programs;
	struct sampler_record record;

	if (watching->ring.pages) {
		perf_ring_refresh(&watching->ring);
		watching->ring.tail = watching->ring.head;
		perf_ring_publish(&watching->ring);
	}
	bpf_probes_begin(programs, false);
	while (bpf_probes_next_time_ns(programs) != UINT64_MAX) {
		bpf_probes_take(programs, &record);
		bpf_probes_finish(programs);
	}
	bpf_probes_publish(programs);
}

static double call_ns(const uint8_t *code, struct watching *watching)
{
	void (*function)(void);
	double rounds[N_ROUNDS];

	memcpy(&function, &code, sizeof(function));
	for (int i = 0; i < N_ROUNDS; i++) {
		const double start_ns = now_ns();

		for (int j = 0; j < N_CALLS; j++)
			function();
		rounds[i] = (now_ns() - start_ns) / N_CALLS;
		take_hits(watching);
	}
	qsort(rounds, N_ROUNDS, sizeof(rounds[0]), compare_doubles);
	return rounds[N_ROUNDS / 2];
}

static int watch_with_programs(struct watching *watching, int cpu, struct error *err)
{
	const struct perf_event_options options = { .kind = perf_event_kinds,
						    .start = PERF_EVENT_AT_ONCE };

	if (watching->probes.refusal.code)
		return error_set(err, watching->probes.refusal.code, "%s",
				 watching->probes.refusal.message);
	bpf_probes_set_enabled(&watching->probes.programs, true);
	return perf_probes_watch(&watching->probes, &options, cpu, err);
}

static int watch(struct watching *watching, int cpu, bool is_bare, struct error *err)
{
	const struct trace_events *events = &watching->probes.events;
	struct perf_abilities abilities = { 0 };
	struct perf_layout layout;
	int r = 0;

	for (size_t i = 0; r == 0 && i < events->n_ids; i++) {
		const struct perf_event_options options = {
			.kind = perf_event_kinds,
			.trace_event = events->ids[i],
			.start = PERF_EVENT_AT_ONCE,
			.wakeup_bytes = RING_BYTES / 2,
			.is_bare = is_bare,
		};
		const int fd = perf_event_open_role(PERF_ROLE_PROBES, &options, cpu, &abilities,
						    &layout, err);

		if (fd < 0)
			return fd;
		watching->fds[watching->n_fds++] = fd;
		if (is_bare)
			continue;
		r = i == 0 ? perf_ring_open(&watching->ring, fd, RING_BYTES, err)
			   : perf_event_share_ring(fd, watching->fds[0]);
	}
	return r;
}

static void watching_end(struct watching *watching)
{
	perf_ring_close(&watching->ring);
	for (size_t i = 0; i < watching->n_fds; i++)
		(void)close(watching->fds[i]);
	perf_probes_release(&watching->probes);
}

static int measure(double *ret_ns, const struct code *code, uint64_t offset, size_t n_points,
		   enum probe_price_way way, int cpu, struct error *err)
{
	const bool is_bare = way == PROBE_PRICE_KERNEL;
	const struct probe_point points[MAX_EVENTS] = {
		{ .path = code->path,
		  .file_offset = offset,
		  .fields = is_bare ? "" : ENTRY_FIELDS },
		{ .path = code->path,
		  .file_offset = offset,
		  .is_return = true,
		  .fields = is_bare ? "" : "sp=%sp:u64" },
	};
	const struct sampler_options options = {
		.probes = points,
		.n_probes = n_points,
		.without_programs = way != PROBE_PRICE_PROGRAMS,
	};
	struct watching watching = { .n_fds = 0 };
	int r = perf_probes_init(&watching.probes, &options, err);

	if (r == 0)
		r = way == PROBE_PRICE_PROGRAMS ? watch_with_programs(&watching, cpu, err)
						: watch(&watching, cpu, is_bare, err);
	if (r == 0)
		*ret_ns = call_ns(code->bytes + offset, &watching);
	watching_end(&watching);
	return r;
}

/* On one CPU, so that there is one ring. */
static int measure_all(struct probe_price *price, const struct code *code, enum probe_price_way way,
		       struct error *err)
{
	const int cpu = sched_getcpu();
	cpu_set_t before;
	cpu_set_t one;
	double stepped_ns = 0;
	int r;

	CPU_ZERO(&one);
	if (cpu < 0 || sched_getaffinity(0, sizeof(before), &before) < 0)
		return error_set_errno(err, -errno, "sched_getaffinity");
	CPU_SET((size_t)cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	r = measure(&price->entry_ns, code, 0, 1, way, cpu, err);
	if (r == 0)
		r = measure(&price->call_ns, code, 0, 2, way, cpu, err);
	if (r == 0)
		r = measure(&stepped_ns, code, STEPPED_AT, 1, way, cpu, err);
	price->stepped_ns = stepped_ns > price->entry_ns ? stepped_ns - price->entry_ns : 0;
	(void)sched_setaffinity(0, sizeof(before), &before);
	return r;
}

int probe_price_measure(struct probe_price *ret_price, enum probe_price_way way, struct error *err)
{
	struct probe_price price = { 0 };
	struct code code;
	int r = code_make(&code, err);

	if (r == 0)
		r = measure_all(&price, &code, way, err);
	code_release(&code);
	if (r == 0)
		*ret_price = price;
	return r;
}
