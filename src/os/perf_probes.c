/* Many descriptors, and what the raw part of their records begins with. */
#include "os/perf_probes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "os/perf_event.h"

#define PROGRAM_RING_BYTES ((uint64_t)4096 << 10)

/* common_type, flags, preempt count and pid (events/…/format). */
enum { COMMON_BYTES = 8 };

static int open_event(const struct perf_probes *probes, const struct perf_event_options *options,
		      size_t index, bool is_single, int cpu, struct error *err)
{
	struct perf_abilities abilities = { 0 };
	struct perf_event_options own = *options;
	struct perf_layout layout;

	own.trace_event = probes->events.ids[index];
	own.is_bare = true;
	own.is_single = is_single;
	return perf_event_open_role(PERF_ROLE_PROBES, &own, cpu, &abilities, &layout, err);
}

static int open_carrier(const struct perf_probes *probes, const struct perf_event_options *options,
			size_t index, int cpu, struct error *err)
{
	const int fd = open_event(probes, options, index, true, cpu, err);
	int r;

	if (fd < 0)
		return fd;
	r = perf_event_set_program(fd, probes->programs.programs[index]);
	if (r == 0)
		return fd;
	(void)close(fd);
	return error_set_errno(err, r, "bpf program of a probe");
}

/* An event of our own that would begin with an exec brings no break points. */
static int try_carrier(const struct perf_probes *probes, struct error *err)
{
	const struct perf_event_options options = { .kind = perf_event_kinds,
						    .start = PERF_EVENT_ON_EXEC };
	const int fd = open_carrier(probes, &options, 0, -1, err);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? fd : 0;
}

static void open_programs(struct perf_probes *probes, const struct sampler_options *options)
{
	int r = bpf_probes_open(&probes->programs, options->probes, options->n_probes,
				PROGRAM_RING_BYTES, &probes->refusal);

	if (r < 0)
		return;
	r = try_carrier(probes, &probes->refusal);
	if (r < 0)
		bpf_probes_close(&probes->programs);
}

int perf_probes_init(struct perf_probes *probes, const struct sampler_options *options,
		     struct error *err)
{
	int r;

	*probes = PERF_PROBES_INIT;
	if (!options->n_probes)
		return 0;
	r = trace_events_open(&probes->events, options->probes, options->n_probes, err);
	if (r == 0 && !options->without_programs)
		open_programs(probes, options);
	return r;
}

static void close_from(struct perf_probes *probes, size_t first)
{
	while (probes->n_fds > first)
		(void)close(probes->fds[--probes->n_fds]);
}

/* One event for every probe, or none. */
static int add_events(struct perf_probes *probes, const struct perf_event_options *options,
		      bool with_programs, int cpu, struct error *err)
{
	const size_t first = probes->n_fds;

	for (size_t i = 0; i < probes->events.n_ids; i++) {
		const int fd = with_programs ? open_carrier(probes, options, i, cpu, err)
					     : open_event(probes, options, i, false, cpu, err);
		const int r = fd < 0				 ? fd
			      : perf_probes_keep(probes, fd) < 0 ? error_set_no_memory(err)
								 : 0;

		if (r < 0) {
			close_from(probes, first);
			return r;
		}
	}
	return 0;
}

int perf_probes_watch(struct perf_probes *probes, const struct perf_event_options *options, int cpu,
		      struct error *err)
{
	const bool is_everything = options->pid < 0;
	const int event_cpu = is_everything ? cpu : -1;
	int r = 0;

	if (!probes->is_carried)
		r = add_events(probes, options, true, event_cpu, err);
	if (r < 0)
		return r;
	probes->is_carried = true;
	return is_everything ? 0 : add_events(probes, options, false, event_cpu, err);
}

void perf_probes_close(struct perf_probes *probes)
{
	close_from(probes, 0);
	probes->is_carried = false;
}

void perf_probes_release(struct perf_probes *probes)
{
	perf_probes_close(probes);
	bpf_probes_close(&probes->programs);
	trace_events_close(&probes->events);
	free(probes->fds);
	*probes = PERF_PROBES_INIT;
}

int perf_probes_keep(struct perf_probes *probes, int fd)
{
	int *grown = array_grown(probes->fds, &probes->capacity, probes->n_fds + 1, sizeof(*grown));

	if (!grown) {
		(void)close(fd);
		return -ENOMEM;
	}
	probes->fds = grown;
	grown[probes->n_fds++] = fd;
	return 0;
}

void perf_probes_set_enabled(const struct perf_probes *probes, bool is_on)
{
	if (bpf_probes_is_open(&probes->programs))
		bpf_probes_set_enabled(&probes->programs, is_on);
	for (size_t i = 0; !bpf_probes_is_open(&probes->programs) && i < probes->n_fds; i++)
		(void)(is_on ? perf_event_enable(probes->fds[i])
			     : perf_event_disable(probes->fds[i]));
}

static void take_hit(const struct perf_probes *probes, struct sampler_record *record)
{
	struct bytes at = bytes_of(record->probe.bytes, record->probe.size_bytes);
	const uint16_t id = bytes_u16(&at);

	record->kind = SAMPLER_RECORD_BAD;
	(void)bytes_take(&at, COMMON_BYTES - sizeof(id));
	record->probe.index = trace_events_find(&probes->events, id);
	record->probe.ip = bytes_u64(&at);
	if (at.is_bad || record->probe.index == SIZE_MAX)
		return;
	record->kind = SAMPLER_RECORD_PROBE;
}

void perf_probes_take(const struct perf_probes *probes, struct sampler_record *record)
{
	if (record->kind == SAMPLER_RECORD_SAMPLE)
		take_hit(probes, record);
	else if (record->kind == SAMPLER_RECORD_LOST || record->kind == SAMPLER_RECORD_LOST_SAMPLES)
		record->kind = SAMPLER_RECORD_LOST_PROBES;
}
