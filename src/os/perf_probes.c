/* Many descriptors, and what the raw part of their records begins with. */
#include "os/perf_probes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "os/perf_event.h"

/* common_type, flags, preempt count and pid (events/…/format). */
enum { COMMON_BYTES = 8 };

int perf_probes_init(struct perf_probes *probes, const struct sampler_options *options,
		     struct error *err)
{
	*probes = PERF_PROBES_INIT;
	if (!options->n_probes)
		return 0;
	return trace_events_open(&probes->events, options->probes, options->n_probes, err);
}

void perf_probes_close(struct perf_probes *probes)
{
	for (size_t i = 0; i < probes->n_fds; i++)
		(void)close(probes->fds[i]);
	probes->n_fds = 0;
}

void perf_probes_release(struct perf_probes *probes)
{
	perf_probes_close(probes);
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
	for (size_t i = 0; i < probes->n_fds; i++)
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
