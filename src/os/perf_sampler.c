/*
 * The engine "perf": on each CPU a sampling event and a side-band event
 * (mappings, names, forks) write to rings of their own, so that a flood of
 * samples never costs a module.  The rings are merged by time without copying.
 * A record of one CPU can become visible later than a younger one of another,
 * therefore only what is older than a short lag is handed out.
 *
 * Weights: a sample stands for the time that its event counted since the
 * thread's last sample on that CPU, so that ticks which the kernel coalesced or
 * had no room for stay in the sum.  Where the kernel cannot tell (before 6.12)
 * it is one period.
 */
#include "os/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/perf_record.h"
#include "os/perf_ring.h"
#include "os/sample_weights.h"

/*
 * How late a record may become visible: a tick's copying takes 30 µs, and in a
 * VM the CPU can be away in the middle of it.
 */
#define LAG_NS (2 * NS_PER_MS)

#define RING_MAX_BYTES ((uint64_t)16 << 20)
#define RING_FAST_MAX_BYTES ((uint64_t)32 << 20) /* from RATE_FAST_HZ on */
#define RINGS_MAX_BYTES ((uint64_t)512 << 20)	 /* of all CPUs together */
#define RING_MIN_BYTES ((uint64_t)128 << 10)
#define SIDEBAND_MIN_BYTES ((uint64_t)32 << 10)

enum {
	MS_PER_S = 1000,
	WAKEUP_MARGIN_MS = 50,
	RATE_FAST_HZ = 2000,
	DUMPS_PER_RING = 32,   /* at least; 32 ms at 997 Hz */
	SIDEBAND_FRACTION = 32 /* of the samples' ring */
};

/* An event on one CPU with its ring. */
struct source {
	struct perf_ring ring;
	struct perf_layout layout;
	int fd;
	bool is_sampler;
	uint64_t next_time_ns; /* of the ring's first record, UINT64_MAX when empty */
	const uint8_t *next;
	size_t next_bytes;
	uint64_t published; /* the ring's tail when it was last given back */
};

struct perf_sampler {
	struct sampler base;
	struct sampler_options options;
	struct perf_abilities abilities;
	pid_t pid;
	struct source *sources; /* each CPU's side-band before its samples: ties go to it */
	size_t n_sources;
	size_t capacity;
	struct sample_weights weights;
	uint64_t limit_ns;	/* of this batch */
	struct source *current; /* whose record is out with the caller */
	uint64_t n_lost_in_records;
	int epoll_fd;
};

static void source_close(struct source *source)
{
	perf_ring_close(&source->ring);
	if (source->fd >= 0)
		(void)close(source->fd);
}

static void sources_close(struct perf_sampler *sampler)
{
	for (size_t i = 0; i < sampler->n_sources; i++)
		source_close(&sampler->sources[i]);
	sampler->n_sources = 0;
}

/*
 * Late, because each wake-up meets cold caches: half a ring, unless what is left
 * would then fill within WAKEUP_MARGIN_MS.
 */
static uint64_t wakeup_bytes(const struct perf_sampler *sampler, uint64_t data_bytes)
{
	const uint64_t margin = sampler->options.rate_hz * sampler->base.facts.stack_bytes *
				WAKEUP_MARGIN_MS / MS_PER_S;

	return margin > data_bytes / 2 ? data_bytes / 4 : data_bytes / 2;
}

static int source_open(struct perf_sampler *sampler, int cpu, bool is_sampler, struct error *err)
{
	struct source *source = &sampler->sources[sampler->n_sources];
	const uint64_t ring_bytes = is_sampler ? sampler->base.facts.ring_bytes
					       : sampler->base.facts.ring_bytes / SIDEBAND_FRACTION;
	const uint64_t data_bytes = ring_bytes < SIDEBAND_MIN_BYTES ? SIDEBAND_MIN_BYTES
								    : ring_bytes;
	const struct perf_event_options options = {
		.kind = sampler->options.event,
		.rate_hz = sampler->options.rate_hz,
		.stack_bytes = sampler->base.facts.stack_bytes,
		.wakeup_bytes = wakeup_bytes(sampler, data_bytes),
		.pid = sampler->pid,
	};
	struct epoll_event interest = { .events = EPOLLIN | EPOLLET };
	int r;

	*source = (struct source){ .fd = -1, .is_sampler = is_sampler };
	r = is_sampler ? perf_event_open_sampler(&options, cpu, &sampler->abilities,
						 &source->layout, err)
		       : perf_event_open_sideband(&options, cpu, &sampler->abilities,
						  &source->layout, err);
	if (r < 0)
		return r;
	source->fd = r;
	r = perf_ring_open(&source->ring, source->fd, data_bytes, err);
	if (r == 0 && epoll_ctl(sampler->epoll_fd, EPOLL_CTL_ADD, source->fd, &interest) < 0)
		r = error_set_errno(err, -errno, "epoll_ctl");
	if (r < 0) {
		source_close(source);
		return r == -EPERM ? -ENOBUFS : r;
	}
	sampler->n_sources++;
	return 0;
}

/* All CPUs with the sizes in `facts`.  -ENOBUFS: the rings are too large for the mlock limit. */
static int sources_open(struct perf_sampler *sampler, size_t n_cpus, struct error *err)
{
	sampler->base.facts.n_cpus = 0;
	for (size_t cpu = 0; cpu < n_cpus; cpu++) {
		int r = source_open(sampler, (int)cpu, false, err);

		if (r == -ENODEV)
			continue;
		if (r == 0)
			r = source_open(sampler, (int)cpu, true, err);
		if (r < 0) {
			sources_close(sampler);
			return r;
		}
		sampler->base.facts.n_cpus++;
	}
	if (!sampler->base.facts.n_cpus)
		return error_set(err, -ENODEV, "perf events: no CPU could be opened");
	return 0;
}

static void fit_dump(struct perf_sampler *sampler)
{
	const uint64_t fitting = sampler->base.facts.ring_bytes / DUMPS_PER_RING;
	uint64_t stack_bytes = sampler->options.stack_bytes;

	if (!stack_bytes || stack_bytes > PERF_EVENT_STACK_MAX_BYTES)
		stack_bytes = PERF_EVENT_STACK_MAX_BYTES;
	if (stack_bytes > fitting)
		stack_bytes = fitting;
	sampler->base.facts.stack_bytes = stack_bytes & ~UINT64_C(7);
}

/* Smaller and smaller rings, until the kernel lets this user have them. */
static int sources_open_fitting(struct perf_sampler *sampler, struct error *err)
{
	const long n_configured = sysconf(_SC_NPROCESSORS_CONF);
	const size_t n_cpus = n_configured > 0 ? (size_t)n_configured : 1;
	uint64_t ring_bytes = sampler->options.rate_hz < RATE_FAST_HZ ? RING_MAX_BYTES
								      : RING_FAST_MAX_BYTES;
	int r;

	sampler->sources = calloc(2 * n_cpus, sizeof(*sampler->sources));
	if (!sampler->sources)
		return error_set_no_memory(err);
	while (ring_bytes > RING_MIN_BYTES && ring_bytes * n_cpus > RINGS_MAX_BYTES)
		ring_bytes /= 2;
	for (;;) {
		sampler->base.facts.ring_bytes = ring_bytes;
		fit_dump(sampler);
		r = sources_open(sampler, n_cpus, err);
		if ((r != -ENOBUFS && r != -ENOMEM) || ring_bytes <= RING_MIN_BYTES)
			break;
		ring_bytes /= 2;
	}
	if (r == -ENOBUFS)
		return error_set(err, -EPERM,
				 "no memory for perf's ring buffers (raise ulimit -l or "
				 "/proc/sys/kernel/perf_event_mlock_kb)");
	return r;
}

static struct perf_sampler *perf_sampler_of(struct sampler *base)
{
	return (struct perf_sampler *)base;
}

static void perf_sampler_close(struct sampler *base)
{
	struct perf_sampler *sampler = perf_sampler_of(base);

	sources_close(sampler);
	if (sampler->epoll_fd >= 0)
		(void)close(sampler->epoll_fd);
	sample_weights_release(&sampler->weights);
	free(sampler->sources);
	free(sampler);
}

static int perf_sampler_open(struct sampler **ret_sampler, const struct sampler_options *options,
			     struct error *err)
{
	struct perf_sampler *sampler;
	int r = perf_event_check_rate(options->rate_hz, err);

	if (r < 0)
		return r;
	sampler = calloc(1, sizeof(*sampler));
	if (!sampler)
		return error_set_no_memory(err);
	sampler->base.engine = &sampler_engine_perf;
	sampler->options = *options;
	sampler->abilities = (struct perf_abilities){
		.kernel = true, .build_id = true, .lost = true, .counts = true
	};
	if (options->event->is_time)
		sampler->base.facts.period_ns = perf_event_period_ns(options->rate_hz);
	sampler->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sampler->epoll_fd < 0) {
		r = error_set_errno(err, -errno, "epoll_create1");
		perf_sampler_close(&sampler->base);
		return r;
	}
	*ret_sampler = &sampler->base;
	return 0;
}

static int perf_sampler_watch(struct sampler *base, pid_t pid, struct error *err)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	struct sampler_facts *facts = &base->facts;
	int r;

	sampler->pid = pid;
	r = sources_open_fitting(sampler, err);
	if (r < 0)
		return r;
	facts->has_kernel = sampler->abilities.kernel;
	sampler->weights = (struct sample_weights){
		.period_ns = facts->period_ns ? facts->period_ns
					      : NS_PER_S / sampler->options.rate_hz,
		.has_counts = sampler->abilities.counts,
		.is_time = sampler->options.event->is_time,
		.is_capped = !sampler->abilities.kernel,
	};
	return 0;
}

static int perf_sampler_fd(const struct sampler *base)
{
	return ((const struct perf_sampler *)base)->epoll_fd;
}

static void source_look(struct source *source)
{
	source->next = perf_ring_peek(&source->ring, &source->next_bytes);
	if (source->next && source->is_sampler)
		perf_ring_look_ahead(&source->ring, source->next_bytes);
	source->next_time_ns = source->next ? perf_record_time_ns(&source->layout, source->next,
								  source->next_bytes)
					    : UINT64_MAX;
}

static void perf_sampler_begin(struct sampler *base, bool is_final)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	struct epoll_event seen[16];
	struct timespec now;

	(void)epoll_wait(sampler->epoll_fd, seen, 16, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	sampler->limit_ns = is_final ? UINT64_MAX - 1
				     : (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec -
					       LAG_NS;
	for (size_t i = 0; i < sampler->n_sources; i++) {
		perf_ring_refresh(&sampler->sources[i].ring);
		source_look(&sampler->sources[i]);
	}
}

/* The record that was out is done with; give room back before the ring runs short. */
static void finish_current(struct perf_sampler *sampler)
{
	struct source *source = sampler->current;

	if (!source)
		return;
	sampler->current = NULL;
	perf_ring_skip(&source->ring, source->next_bytes);
	if (source->ring.tail - source->published > source->ring.data_bytes / 8) {
		perf_ring_publish(&source->ring);
		source->published = source->ring.tail;
	}
	source_look(source);
}

static struct source *oldest_source(struct perf_sampler *sampler)
{
	struct source *oldest = NULL;
	uint64_t time_ns = sampler->limit_ns + 1;

	for (size_t i = 0; i < sampler->n_sources; i++) {
		if (sampler->sources[i].next_time_ns < time_ns) {
			oldest = &sampler->sources[i];
			time_ns = oldest->next_time_ns;
		}
	}
	return oldest;
}

static bool perf_sampler_next(struct sampler *base, struct sampler_record *record)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	struct source *source;

	finish_current(sampler);
	source = oldest_source(sampler);
	if (!source) {
		for (size_t i = 0; i < sampler->n_sources; i++) {
			perf_ring_publish(&sampler->sources[i].ring);
			sampler->sources[i].published = sampler->sources[i].ring.tail;
		}
		return false;
	}
	sampler->current = source;
	perf_record_parse(record, &source->layout, source->next, source->next_bytes);
	record->is_from_sampler = source->is_sampler;
	if (record->kind == SAMPLER_RECORD_SAMPLE)
		record->sample.weight_ns = sample_weights_next(&sampler->weights, record);
	else if (record->kind == SAMPLER_RECORD_LOST && source->is_sampler)
		sampler->n_lost_in_records += record->n_lost;
	else if (record->kind == SAMPLER_RECORD_LOST_SAMPLES)
		sampler->n_lost_in_records += record->n_lost;
	return true;
}

static void perf_sampler_stop(struct sampler *base)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	for (size_t i = 0; i < sampler->n_sources; i++)
		(void)perf_event_disable(sampler->sources[i].fd);
}

static uint64_t perf_sampler_counted_ns(const struct sampler *base)
{
	const struct perf_sampler *sampler = (const struct perf_sampler *)base;
	uint64_t counted_ns = 0;

	for (size_t i = 0; i < sampler->n_sources; i++)
		if (sampler->sources[i].is_sampler)
			counted_ns += perf_event_read_time_ns(sampler->sources[i].fd,
							      &sampler->sources[i].layout,
							      sampler->options.event->is_time);
	return counted_ns;
}

static uint64_t perf_sampler_n_lost(const struct sampler *base)
{
	const struct perf_sampler *sampler = (const struct perf_sampler *)base;
	uint64_t n_lost = 0;

	for (size_t i = 0; i < sampler->n_sources; i++)
		if (sampler->sources[i].is_sampler)
			n_lost += perf_event_read_lost(sampler->sources[i].fd,
						       &sampler->sources[i].layout);
	return n_lost > sampler->n_lost_in_records ? n_lost : sampler->n_lost_in_records;
}

const struct sampler_engine sampler_engine_perf = {
	.name = "perf",
	.open = perf_sampler_open,
	.watch = perf_sampler_watch,
	.fd = perf_sampler_fd,
	.begin = perf_sampler_begin,
	.next = perf_sampler_next,
	.stop = perf_sampler_stop,
	.counted_ns = perf_sampler_counted_ns,
	.n_lost = perf_sampler_n_lost,
	.close = perf_sampler_close,
};
