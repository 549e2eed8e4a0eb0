/*
 * Rings belong to CPUs and are charged to the user's mlock limit; events belong
 * to threads and cost descriptors.  An inherited event can only have a ring when
 * it is bound to a CPU (perf_mmap), so each thread of a running process needs
 * two events on each CPU, and shares rings through PERF_EVENT_IOC_SET_OUTPUT.
 * The rings are there before the first of them: between two events of a thread it
 * can start another, which then inherits only the first.
 */
#include "os/perf_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "os/cpus.h"

#define RING_MAX_BYTES ((uint64_t)16 << 20)
#define RING_FAST_MAX_BYTES ((uint64_t)32 << 20) /* from RATE_FAST_HZ on */
#define RINGS_MAX_BYTES ((uint64_t)512 << 20)	 /* of all CPUs together */
#define RING_WITHOUT_STACKS_BYTES ((uint64_t)1 << 20)
#define RING_MIN_BYTES ((uint64_t)32 << 10)
#define STACKS_RING_MIN_BYTES ((uint64_t)512 << 10)
#define SIDEBAND_MAX_BYTES ((uint64_t)32 << 10) /* unless the samples' ring is large */

enum {
	MS_PER_S = 1000,
	WAKEUP_MARGIN_MS = 50,
	RATE_FAST_HZ = 2000,
	DUMPS_PER_RING = 32,	/* at least; 32 ms at 997 Hz */
	SIDEBAND_FRACTION = 32, /* of the samples' ring */
	SWITCHES_FRACTION = 16,
	SWITCH_STACKS_FRACTION = 2,
	PROBES_FRACTION = 4,
	/* A record takes the room of a whole dump, and there may be many of them. */
	SWITCH_STACK_USUAL_BYTES = 32768,
	ROLES_MAX = PERF_ROLE_PROBES + 1,
};

int perf_sources_init(struct perf_sources *sources, const struct sampler_options *options,
		      struct sampler_facts *facts, struct error *err)
{
	*sources = (struct perf_sources){
		.options = *options,
		.facts = facts,
		.abilities = { .kernel = true, .build_id = true, .lost = true, .counts = true },
		.probes = PERF_PROBES_INIT,
		.stacks = BPF_STACKS_INIT,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
	};
	if (sources->epoll_fd < 0)
		return error_set_errno(err, -errno, "epoll_create1");
	/* The count of a CPU goes on while it idles, where no sample is taken. */
	if (options->is_system)
		sources->abilities.counts = false;
	if (options->event->is_time)
		facts->period_ns = perf_event_period_ns(options->rate_hz);
	return 0;
}

static void source_close(struct perf_source *source)
{
	perf_ring_close(&source->ring);
	if (source->fd >= 0)
		(void)close(source->fd);
}

static void sources_close(struct perf_sources *sources)
{
	for (size_t i = 0; i < sources->n_members; i++)
		if (sources->members[i].fd >= 0)
			(void)close(sources->members[i].fd);
	for (size_t i = 0; i < sources->n_sources; i++)
		source_close(&sources->sources[i]);
	perf_probes_close(&sources->probes);
	sources->n_members = sources->n_sources = 0;
}

void perf_sources_release(struct perf_sources *sources)
{
	sources_close(sources);
	perf_probes_release(&sources->probes);
	bpf_stacks_close(&sources->stacks);
	if (sources->epoll_fd >= 0)
		(void)close(sources->epoll_fd);
	free(sources->sources);
	free(sources->members);
	hash_index_release(&sources->member_index);
	sources->sources = NULL;
	sources->members = NULL;
	sources->epoll_fd = -1;
}

static uint64_t data_bytes_of(const struct perf_sources *sources, enum perf_event_role role)
{
	const uint64_t ring_bytes = sources->facts->ring_bytes;

	if (role == PERF_ROLE_SAMPLES)
		return bpf_stacks_is_open(&sources->stacks) &&
				       ring_bytes > RING_WITHOUT_STACKS_BYTES
			       ? RING_WITHOUT_STACKS_BYTES
			       : ring_bytes;
	if (role == PERF_ROLE_SWITCH_STACKS && ring_bytes / SWITCH_STACKS_FRACTION > RING_MIN_BYTES)
		return ring_bytes / SWITCH_STACKS_FRACTION;
	if (role == PERF_ROLE_PROBES && ring_bytes / PROBES_FRACTION > RING_MIN_BYTES)
		return ring_bytes / PROBES_FRACTION;
	if (role == PERF_ROLE_SWITCHES && ring_bytes / SWITCHES_FRACTION > RING_MIN_BYTES)
		return ring_bytes / SWITCHES_FRACTION;
	if (ring_bytes / SIDEBAND_FRACTION > SIDEBAND_MAX_BYTES)
		return ring_bytes / SIDEBAND_FRACTION;
	return ring_bytes < SIDEBAND_MAX_BYTES ? ring_bytes : SIDEBAND_MAX_BYTES;
}

/*
 * Late, because each wake-up meets cold caches: half a ring, unless what is left
 * would then fill within WAKEUP_MARGIN_MS.  Without stacks samples take little room.
 */
static uint64_t wakeup_bytes(const struct perf_sources *sources, enum perf_event_role role)
{
	const uint64_t data_bytes = data_bytes_of(sources, role);
	const uint64_t margin = sources->options.rate_hz * sources->facts->stack_bytes *
				WAKEUP_MARGIN_MS / MS_PER_S;
	const bool has_stacks = role != PERF_ROLE_SAMPLES || !bpf_stacks_is_open(&sources->stacks);

	return has_stacks && margin > data_bytes / 2 ? data_bytes / 4 : data_bytes / 2;
}

static uint64_t stack_bytes_of(const struct perf_sources *sources, enum perf_event_role role)
{
	const uint64_t stack_bytes = sources->facts->stack_bytes;

	if (role == PERF_ROLE_SWITCH_STACKS && !sources->options.stack_bytes &&
	    stack_bytes > SWITCH_STACK_USUAL_BYTES)
		return SWITCH_STACK_USUAL_BYTES;
	return stack_bytes;
}

/* Sampling can be paused; what is known about processes and threads cannot. */
static bool is_pausable(enum perf_event_role role)
{
	return role == PERF_ROLE_SAMPLES || role == PERF_ROLE_SWITCH_STACKS ||
	       role == PERF_ROLE_PROBES;
}

/* Attached to others, the recorder's own events only hold the rings: it must not tell of itself. */
static enum perf_event_start start_of(const struct perf_sources *sources, pid_t pid,
				      enum perf_event_role role)
{
	if (is_pausable(role))
		return sources->start;
	if (!sources->options.is_attaching)
		return PERF_EVENT_ON_EXEC;
	return role == PERF_ROLE_SWITCHES && pid == 0 ? PERF_EVENT_BY_HAND : PERF_EVENT_AT_ONCE;
}

/* The same descriptor; closed when it is to have no program. */
static int with_program(const struct perf_sources *sources, int fd, struct error *err)
{
	const int r = perf_event_set_program(fd, sources->stacks.program_fd);

	if (r == 0)
		return fd;
	(void)close(fd);
	return error_set_errno(err, r, "a program for ticks");
}

int perf_sources_open_event(struct perf_sources *sources, pid_t pid, int cpu,
			    enum perf_event_role role, size_t at, struct perf_layout *ret_layout,
			    struct error *err)
{
	const struct perf_event_options options = {
		.kind = sources->options.event,
		.rate_hz = sources->options.rate_hz,
		.stack_bytes = stack_bytes_of(sources, role),
		.wakeup_bytes = wakeup_bytes(sources, role),
		.pid = pid,
		.start = start_of(sources, pid, role),
		.is_of_another = sources->options.is_attaching && pid > 0,
		.without_kernel_stacks = sources->options.kernel == SAMPLER_KERNEL_NONE,
		.without_user_stacks = bpf_stacks_is_open(&sources->stacks),
		.trace_event = role == PERF_ROLE_PROBES ? sources->probes.events.ids[at] : 0,
	};
	const int fd = perf_event_open_role(role, &options, cpu, &sources->abilities, ret_layout,
					    err);

	return fd >= 0 && role == PERF_ROLE_SAMPLES && options.without_user_stacks
		       ? with_program(sources, fd, err)
		       : fd;
}

static int source_open(struct perf_sources *sources, pid_t pid, int cpu, enum perf_event_role role,
		       struct error *err)
{
	struct perf_source *source = &sources->sources[sources->n_sources];
	struct epoll_event interest = { .events = EPOLLIN | EPOLLET };
	int r;

	*source = (struct perf_source){
		.fd = -1, .cpu = cpu, .role = role, .is_sampler = role == PERF_ROLE_SAMPLES
	};
	r = perf_sources_open_event(sources, pid, cpu, role, 0, &source->layout, err);
	if (r < 0)
		return r;
	source->fd = r;
	r = perf_ring_open(&source->ring, source->fd, data_bytes_of(sources, role), err);
	if (r == 0 && epoll_ctl(sources->epoll_fd, EPOLL_CTL_ADD, source->fd, &interest) < 0)
		r = error_set_errno(err, -errno, "epoll_ctl");
	if (r < 0) {
		source_close(source);
		return r == -EPERM ? -ENOBUFS : r;
	}
	sources->n_sources++;
	return 0;
}

int perf_sources_add_probes(struct perf_sources *sources, const struct perf_source *source,
			    pid_t pid, size_t first, struct error *err)
{
	struct perf_layout layout;

	for (size_t i = first; i < sources->probes.events.n_ids; i++) {
		const int fd = perf_sources_open_event(sources, pid, source->cpu, source->role, i,
						       &layout, err);
		int r = fd < 0 ? fd : perf_event_share_ring(fd, source->fd);

		if (r < 0 && fd >= 0)
			(void)close(fd);
		if (r == 0 && perf_probes_keep(&sources->probes, fd) < 0)
			return error_set_no_memory(err);
		if (r < 0)
			return fd < 0 ? r : error_set_errno(err, r, "perf ring of a probe");
	}
	return 0;
}

int perf_sources_watch_probes(struct perf_sources *sources, pid_t pid, struct error *err)
{
	const struct perf_event_options options = {
		.kind = sources->options.event,
		.pid = pid,
		.start = sources->start,
		.is_of_another = sources->options.is_attaching && pid > 0,
	};

	if (!bpf_probes_is_open(&sources->probes.programs))
		return 0;
	return perf_probes_watch(&sources->probes, &options, sources->sources[0].cpu, err);
}

static int open_probes(struct perf_sources *sources, pid_t pid, int cpu, struct error *err)
{
	int r;

	if (!sources->probes.events.n_ids || bpf_probes_is_open(&sources->probes.programs))
		return 0;
	r = source_open(sources, pid, cpu, PERF_ROLE_PROBES, err);
	/* Attaching, tsprof is not the one to be watched, and only holds the ring. */
	if (r == 0 && !(sources->options.is_attaching && pid == 0))
		r = perf_sources_add_probes(sources, &sources->sources[sources->n_sources - 1], pid,
					    1, err);
	return r;
}

static int error_set_too_large(struct error *err)
{
	return error_set(err, -EPERM,
			 "no memory for perf's ring buffers (raise ulimit -l or "
			 "/proc/sys/kernel/perf_event_mlock_kb)");
}

/* All CPUs with the sizes in `facts`.  -ENOBUFS: the rings are too large for the mlock limit. */
static int open_on_cpus(struct perf_sources *sources, pid_t pid, struct error *err)
{
	const size_t n_cpus = cpus_configured();

	if (!sources->sources)
		sources->sources = calloc(ROLES_MAX * n_cpus, sizeof(*sources->sources));
	if (!sources->sources)
		return error_set_no_memory(err);
	sources->facts->n_cpus = 0;
	for (size_t cpu = 0; cpu < n_cpus; cpu++) {
		const int last_role = sources->options.with_switches ? PERF_ROLE_SWITCHES
								     : PERF_ROLE_SAMPLES;
		int r = source_open(sources, pid, (int)cpu, PERF_ROLE_SIDEBAND, err);

		if (r == -ENODEV)
			continue;
		for (int role = PERF_ROLE_SAMPLES; r == 0 && role <= last_role; role++)
			r = source_open(sources, pid, (int)cpu, (enum perf_event_role)role, err);
		if (r == 0)
			r = open_probes(sources, pid, (int)cpu, err);
		if (r < 0) {
			sources_close(sources);
			return r;
		}
		sources->facts->n_cpus++;
	}
	if (!sources->facts->n_cpus)
		return error_set(err, -ENODEV, "perf events: no CPU could be opened");
	/* Attaching, tsprof is not the one to be watched. */
	return sources->options.is_attaching && pid == 0
		       ? 0
		       : perf_sources_watch_probes(sources, pid, err);
}

/* Of a stack, whole words. */
static uint64_t asked_bytes(const struct perf_sources *sources)
{
	const uint64_t asked = sources->options.stack_bytes;

	return asked && asked < PERF_EVENT_STACK_MAX_BYTES ? asked & ~UINT64_C(7)
							   : PERF_EVENT_STACK_MAX_BYTES;
}

static void fit_dump(struct perf_sources *sources)
{
	const uint64_t fitting = (sources->facts->ring_bytes / DUMPS_PER_RING) & ~UINT64_C(7);

	sources->facts->stack_bytes = asked_bytes(sources);
	if (sources->facts->stack_bytes > fitting && !bpf_stacks_is_open(&sources->stacks))
		sources->facts->stack_bytes = fitting;
}

/* What a CPU's ring with stacks should have, on machines with not too many of them. */
static uint64_t usual_ring_bytes(const struct perf_sources *sources, uint64_t min_bytes)
{
	const bool is_fast = sources->options.rate_hz >= RATE_FAST_HZ;

	return cpus_fit_ring(is_fast ? RING_FAST_MAX_BYTES : RING_MAX_BYTES, min_bytes,
			     RINGS_MAX_BYTES);
}

/* Smaller and smaller rings, until the kernel lets this user have them. */
static int open_fitting(struct perf_sources *sources, pid_t pid, struct error *err)
{
	uint64_t ring_bytes = usual_ring_bytes(sources, RING_MIN_BYTES);
	int r;

	for (;;) {
		sources->facts->ring_bytes = ring_bytes;
		fit_dump(sources);
		r = open_on_cpus(sources, pid, err);
		if ((r != -ENOBUFS && r != -ENOMEM) || ring_bytes <= RING_MIN_BYTES)
			break;
		ring_bytes /= 2;
	}
	return r == -ENOBUFS ? error_set_too_large(err) : r;
}

/*
 * Threads that are attached to can have two events for a while, which their samples' streams tell
 * apart (perf_sources_forget_doubled): all of these are perf's.
 */
static uint64_t whole_period_ns(const struct perf_sources *sources)
{
	const struct sampler_options *options = &sources->options;
	const bool has_members = options->is_attaching && !options->is_system;

	return has_members || !options->event->is_time ? 0 : perf_event_period_ns(options->rate_hz);
}

/* Where it is not permitted perf copies them, which costs the target more. */
static void open_stacks(struct perf_sources *sources)
{
	const struct bpf_stacks_options options = {
		.ring_bytes = usual_ring_bytes(sources, STACKS_RING_MIN_BYTES),
		.ring_min_bytes = STACKS_RING_MIN_BYTES,
		.asked_bytes = asked_bytes(sources),
		.period_ns = whole_period_ns(sources),
	};
	struct error refusal = ERROR_INIT;

	if (options.asked_bytes == 0 || bpf_stacks_open(&sources->stacks, &options, &refusal) < 0)
		return;
	if (bpf_stacks_poll(&sources->stacks, sources->epoll_fd, &refusal) < 0)
		bpf_stacks_close(&sources->stacks);
}

static int open_all(struct perf_sources *sources, pid_t pid, struct error *err)
{
	struct error refusal = ERROR_INIT;

	open_stacks(sources);
	if (bpf_stacks_is_open(&sources->stacks)) {
		if (open_fitting(sources, pid, &refusal) == 0)
			return 0;
		bpf_stacks_close(&sources->stacks);
	}
	return open_fitting(sources, pid, err);
}

int perf_sources_open(struct perf_sources *sources, pid_t pid, struct error *err)
{
	int r;

	sources->start = sources->options.is_paused || sources->options.is_attaching
				 ? PERF_EVENT_BY_HAND
				 : PERF_EVENT_ON_EXEC;
	r = perf_probes_init(&sources->probes, &sources->options, err);
	if (r == 0)
		r = bpf_probes_poll(&sources->probes.programs, sources->epoll_fd, err);
	if (r == 0)
		r = open_all(sources, pid, err);
	if (r < 0)
		return r;
	sources->facts->has_programs = bpf_probes_is_open(&sources->probes.programs);
	if (sources->facts->has_programs && sources->start == PERF_EVENT_ON_EXEC)
		bpf_probes_set_enabled(&sources->probes.programs, true);
	sources->facts->has_stack_program = bpf_stacks_is_open(&sources->stacks);
	sources->facts->has_kernel = sources->abilities.kernel;
	sources->facts->has_kernel_time = sources->abilities.kernel;
	return 0;
}

static void set_enabled(int fd, bool is_on)
{
	if (fd >= 0)
		(void)(is_on ? perf_event_enable(fd) : perf_event_disable(fd));
}

void perf_sources_set_sampling(const struct perf_sources *sources, bool is_on)
{
	for (size_t i = 0; i < sources->n_sources; i++)
		if (is_pausable(sources->sources[i].role) && !sources->n_members)
			set_enabled(sources->sources[i].fd, is_on);
	for (size_t i = 0; i < sources->n_members; i++)
		if (is_pausable(sources->sources[sources->members[i].source].role))
			set_enabled(sources->members[i].fd, is_on);
	perf_probes_set_enabled(&sources->probes, is_on);
}

void perf_sources_stop(const struct perf_sources *sources)
{
	for (size_t i = 0; i < sources->n_sources; i++)
		set_enabled(sources->sources[i].fd, false);
	for (size_t i = 0; i < sources->n_members; i++)
		set_enabled(sources->members[i].fd, false);
	perf_probes_set_enabled(&sources->probes, false);
}

uint64_t perf_sources_counted_ns(const struct perf_sources *sources)
{
	const bool is_time = sources->options.event->is_time;
	uint64_t counted_ns = 0;

	for (size_t i = 0; i < sources->n_sources; i++)
		if (sources->sources[i].is_sampler)
			counted_ns += perf_event_read_time_ns(sources->sources[i].fd,
							      &sources->sources[i].layout, is_time);
	for (size_t i = 0; i < sources->n_members; i++) {
		const struct perf_member *member = &sources->members[i];
		const struct perf_source *source = &sources->sources[member->source];

		if (source->is_sampler && member->fd >= 0)
			counted_ns += perf_event_read_time_ns(member->fd, &source->layout, is_time);
	}
	return counted_ns;
}

uint64_t perf_sources_n_lost(const struct perf_sources *sources)
{
	uint64_t n_lost = 0;

	for (size_t i = 0; i < sources->n_sources; i++)
		if (sources->sources[i].is_sampler)
			n_lost += perf_event_read_lost(sources->sources[i].fd,
						       &sources->sources[i].layout);
	for (size_t i = 0; i < sources->n_members; i++) {
		const struct perf_member *member = &sources->members[i];
		const struct perf_source *source = &sources->sources[member->source];

		if (source->is_sampler && member->fd >= 0)
			n_lost += perf_event_read_lost(member->fd, &source->layout);
	}
	return n_lost;
}

int perf_sources_probe(const struct sampler_options *options, struct error *err)
{
	struct sampler_facts facts = { .ring_bytes = RING_MIN_BYTES };
	struct perf_sources sources;
	int r = perf_event_check_rate(options->rate_hz, err);

	if (r == 0 && options->n_probes)
		r = trace_events_check(err);
	if (r == 0)
		r = perf_sources_init(&sources, options, &facts, err);
	if (r < 0)
		return r;
	sources.options.is_attaching = false;
	sources.start = PERF_EVENT_BY_HAND;
	fit_dump(&sources);
	r = open_on_cpus(&sources, options->is_system ? -1 : 0, err);
	if (r == -ENOBUFS)
		r = error_set_too_large(err);
	perf_sources_release(&sources);
	return r;
}
