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
 * it is one period, and so it is for samples that a program writes as a whole: those
 * come a period after the one before.
 */
#include "os/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/units.h"
#include "os/perf_attach.h"
#include "os/perf_record.h"
#include "os/perf_ring.h"
#include "os/perf_sources.h"
#include "os/sample_weights.h"

struct perf_sampler {
	struct sampler base;
	struct perf_sources sources;
	struct sample_weights weights;
	uint64_t limit_ns;	     /* of this batch */
	struct perf_source *current; /* whose record is out with the caller */
	uint64_t n_lost_in_records;
	uint64_t n_without_stack; /* samples whose stack found no room */
};

static struct perf_sampler *perf_sampler_of(struct sampler *base)
{
	return (struct perf_sampler *)base;
}

static void perf_sampler_close(struct sampler *base)
{
	struct perf_sampler *sampler = perf_sampler_of(base);

	perf_sources_release(&sampler->sources);
	sample_weights_release(&sampler->weights);
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
	r = perf_sources_init(&sampler->sources, options, &sampler->base.facts, err);
	if (r < 0) {
		perf_sampler_close(&sampler->base);
		return r;
	}
	*ret_sampler = &sampler->base;
	return 0;
}

/* The events are there: what they can tell is settled. */
static void start_weights(struct perf_sampler *sampler, bool is_inherited)
{
	const struct sampler_options *options = &sampler->sources.options;
	const struct sampler_facts *facts = &sampler->base.facts;

	sampler->weights = (struct sample_weights){
		.period_ns = facts->period_ns ? facts->period_ns : NS_PER_S / options->rate_hz,
		.has_counts = sampler->sources.abilities.counts,
		.is_time = options->event->is_time,
		.is_capped = !sampler->sources.abilities.kernel,
		.is_inherited = is_inherited,
	};
}

static int perf_sampler_watch(struct sampler *base, pid_t pid, struct error *err)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	const int r = perf_sources_open(&sampler->sources, pid, err);

	if (r == 0)
		start_weights(sampler, true);
	return r;
}

static int perf_sampler_attach(struct sampler *base, const pid_t *pids, size_t n_pids,
			       struct error *err)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	const int r = n_pids ? perf_attach(&sampler->sources, pids, n_pids, err)
			     : perf_sources_open(&sampler->sources, -1, err);

	if (r == 0)
		start_weights(sampler, n_pids > 0);
	return r;
}

static void perf_sampler_pause(struct sampler *base)
{
	perf_sources_set_sampling(&perf_sampler_of(base)->sources, false);
}

static void perf_sampler_resume(struct sampler *base)
{
	perf_sources_set_sampling(&perf_sampler_of(base)->sources, true);
}

static int perf_sampler_fd(const struct sampler *base)
{
	return ((const struct perf_sampler *)base)->sources.epoll_fd;
}

static void perf_sampler_started(struct sampler *base, pid_t pid)
{
	struct perf_sampler *sampler = perf_sampler_of(base);

	if (bpf_stacks_is_open(&sampler->sources.stacks))
		bpf_stacks_expect(&sampler->sources.stacks, (uint32_t)pid);
}

static bool perf_sampler_can_wait(const struct sampler *base)
{
	const struct perf_sources *sources = &((const struct perf_sampler *)base)->sources;

	for (size_t i = 0; i < sources->n_sources; i++)
		if (!sources->sources[i].is_sampler &&
		    perf_ring_has_more(&sources->sources[i].ring))
			return false;
	return !bpf_probes_is_open(&sources->probes.programs);
}

static bool perf_sampler_is_hurried(const struct sampler *base)
{
	return bpf_stacks_is_hurried(&((const struct perf_sampler *)base)->sources.stacks);
}

/* A sample that a program has written as a whole may come before the next record. */
static void look_at_stacks(struct perf_sampler *sampler, struct perf_source *source)
{
	struct bpf_stacks *stacks = &sampler->sources.stacks;
	uint64_t time_ns;

	source->is_whole = false;
	if (!source->is_sampler || !bpf_stacks_is_open(stacks))
		return;
	time_ns = bpf_stacks_next_time_ns(stacks, (size_t)source->cpu, source->next_time_ns);
	source->is_whole = time_ns != UINT64_MAX;
	if (source->is_whole)
		source->next_time_ns = time_ns;
}

static void source_look(struct perf_sampler *sampler, struct perf_source *source)
{
	source->next = perf_ring_peek(&source->ring, &source->next_bytes);
	if (source->next && source->is_sampler)
		perf_ring_look_ahead(&source->ring, source->next_bytes);
	source->next_time_ns = source->next ? perf_record_time_ns(&source->layout, source->next,
								  source->next_bytes)
					    : UINT64_MAX;
	look_at_stacks(sampler, source);
}

/* While a program writes a record, what came later waits for it. */
static void keep_to_programs(struct perf_sampler *sampler)
{
	struct bpf_probes *programs = &sampler->sources.probes.programs;
	const uint64_t limit_ns = bpf_probes_limit_ns(programs);

	if (limit_ns < sampler->limit_ns)
		sampler->limit_ns = limit_ns;
}

static void perf_sampler_begin(struct sampler *base, bool is_final)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	struct epoll_event seen[16];
	struct timespec now;

	(void)epoll_wait(sampler->sources.epoll_fd, seen, 16, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	sampler->limit_ns = is_final ? UINT64_MAX - 1
				     : (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec -
					       SAMPLER_LAG_NS;
	for (size_t i = 0; i < sampler->sources.n_sources; i++)
		perf_ring_refresh(&sampler->sources.sources[i].ring);
	bpf_stacks_begin(&sampler->sources.stacks, is_final);
	for (size_t i = 0; i < sampler->sources.n_sources; i++)
		source_look(sampler, &sampler->sources.sources[i]);
	bpf_probes_begin(&sampler->sources.probes.programs, is_final);
	keep_to_programs(sampler);
}

/* The record that was out is done with; give room back before the ring runs short. */
static void finish_current(struct perf_sampler *sampler)
{
	struct perf_source *source = sampler->current;
	struct bpf_probes *programs = &sampler->sources.probes.programs;

	if (programs->current) {
		bpf_probes_finish(programs);
		keep_to_programs(sampler);
	}
	if (!source)
		return;
	sampler->current = NULL;
	bpf_stacks_finish(&sampler->sources.stacks);
	if (!source->is_whole)
		perf_ring_skip(&source->ring, source->next_bytes);
	if (source->ring.tail - source->published > source->ring.data_bytes / 8) {
		perf_ring_publish(&source->ring);
		source->published = source->ring.tail;
	}
	source_look(sampler, source);
}

static struct perf_source *oldest_source(struct perf_sampler *sampler)
{
	struct perf_source *oldest = NULL;
	uint64_t time_ns = sampler->limit_ns + 1;

	for (size_t i = 0; i < sampler->sources.n_sources; i++) {
		if (sampler->sources.sources[i].next_time_ns < time_ns) {
			oldest = &sampler->sources.sources[i];
			time_ns = oldest->next_time_ns;
		}
	}
	return oldest;
}

static bool perf_role_is_of_switches(enum perf_event_role role)
{
	return role == PERF_ROLE_SWITCHES || role == PERF_ROLE_SWITCH_STACKS;
}

/*
 * The same records as of other events, but they mean something else.  A stack
 * that found no room is missed where its wait is put together.
 */
static void take_switch(struct sampler_record *record, enum perf_event_role role)
{
	if (record->kind == SAMPLER_RECORD_SAMPLE)
		record->kind = SAMPLER_RECORD_SWITCH_STACK;
	else if (record->kind == SAMPLER_RECORD_LOST || record->kind == SAMPLER_RECORD_LOST_SAMPLES)
		record->kind = role == PERF_ROLE_SWITCHES ? SAMPLER_RECORD_LOST_SWITCHES
							  : SAMPLER_RECORD_OTHER;
}

/* What the sampler itself has to know of it. */
static void look_at_record(struct perf_sampler *sampler, struct perf_source *source,
			   struct sampler_record *record)
{
	record->is_after_loss = source->is_after_loss;
	source->is_after_loss = record->kind == SAMPLER_RECORD_LOST;
	if (source->role == PERF_ROLE_PROBES) {
		perf_probes_take(&sampler->sources.probes, record);
		return;
	}
	if (record->kind == SAMPLER_RECORD_SAMPLE)
		perf_sources_forget_doubled(&sampler->sources, source, record);
	if (perf_role_is_of_switches(source->role)) {
		take_switch(record, source->role);
	} else if (record->kind == SAMPLER_RECORD_SAMPLE) {
		record->sample.weight_ns = sample_weights_next(&sampler->weights, record);
	} else if (record->kind == SAMPLER_RECORD_EXIT) {
		perf_sources_thread_ended(&sampler->sources, record->tid);
	} else if ((record->kind == SAMPLER_RECORD_LOST && source->is_sampler) ||
		   record->kind == SAMPLER_RECORD_LOST_SAMPLES) {
		sampler->n_lost_in_records += record->n_lost;
	}
}

/* A hit that a program has written, when it is the oldest of all. */
static bool take_hit(struct perf_sampler *sampler, const struct perf_source *source,
		     struct sampler_record *record)
{
	struct bpf_probes *programs = &sampler->sources.probes.programs;
	const uint64_t time_ns = bpf_probes_next_time_ns(programs);

	if (time_ns > sampler->limit_ns || (source && source->next_time_ns < time_ns))
		return false;
	bpf_probes_take(programs, record);
	return true;
}

/* Whether a sample of perf's has got its stack, if it needs one. */
static bool has_stack(struct perf_sampler *sampler, const struct perf_source *source,
		      struct sampler_record *record)
{
	struct bpf_stacks *stacks = &sampler->sources.stacks;

	if (!source->is_sampler || record->kind != SAMPLER_RECORD_SAMPLE ||
	    !bpf_stacks_is_open(stacks) ||
	    bpf_stacks_match(stacks, (size_t)source->cpu, &record->sample))
		return true;
	sampler->n_without_stack++;
	return false;
}

/* Without its stack a sample counts as lost: its time is in the thread's next. */
static bool take_record(struct perf_sampler *sampler, struct perf_source *source,
			struct sampler_record *record)
{
	sampler->current = source;
	if (source->is_whole) {
		bpf_stacks_take(&sampler->sources.stacks, (size_t)source->cpu, record);
		record->is_from_sampler = true;
		record->sample.weight_ns = sample_weights_period(&sampler->weights, record);
		return true;
	}
	perf_record_parse(record, &source->layout, source->next, source->next_bytes);
	if (source->is_sampler && source->layout.ip_offset)
		record->sample.next_ip = perf_ring_word_behind(&source->ring, source->next_bytes,
							       source->layout.ip_offset);
	record->is_from_sampler = source->is_sampler;
	if (!has_stack(sampler, source, record))
		return false;
	look_at_record(sampler, source, record);
	return true;
}

static bool perf_sampler_next(struct sampler *base, struct sampler_record *record)
{
	struct perf_sampler *sampler = perf_sampler_of(base);
	struct perf_source *source;

	do {
		finish_current(sampler);
		source = oldest_source(sampler);
		if (take_hit(sampler, source, record))
			return true;
	} while (source && !take_record(sampler, source, record));
	if (!source) {
		bpf_probes_publish(&sampler->sources.probes.programs);
		bpf_stacks_publish(&sampler->sources.stacks);
		for (size_t i = 0; i < sampler->sources.n_sources; i++) {
			perf_ring_publish(&sampler->sources.sources[i].ring);
			sampler->sources.sources[i].published =
				sampler->sources.sources[i].ring.tail;
		}
		return false;
	}
	return true;
}

static void perf_sampler_walked(struct sampler *base, bool is_complete, uint64_t needed_bytes)
{
	struct perf_sampler *sampler = perf_sampler_of(base);

	if (bpf_stacks_is_open(&sampler->sources.stacks))
		bpf_stacks_learn(&sampler->sources.stacks, is_complete, needed_bytes);
}

static void perf_sampler_stop(struct sampler *base)
{
	perf_sources_stop(&perf_sampler_of(base)->sources);
}

static uint64_t perf_sampler_counted_ns(const struct sampler *base)
{
	const struct perf_sources *sources = &((const struct perf_sampler *)base)->sources;

	/* Events of a CPU count its idling too. */
	return sources->options.is_system ? 0 : perf_sources_counted_ns(sources);
}

static uint64_t perf_sampler_n_lost(const struct sampler *base)
{
	const struct perf_sampler *sampler = (const struct perf_sampler *)base;
	const uint64_t n_lost = perf_sources_n_lost(&sampler->sources);

	return sampler->n_without_stack +
	       (n_lost > sampler->n_lost_in_records ? n_lost : sampler->n_lost_in_records);
}

static char *perf_sampler_remark(const struct sampler *base)
{
	const struct error *refusal = &((const struct perf_sampler *)base)->sources.probes.refusal;
	char *remark = NULL;

	if (refusal->code &&
	    asprintf(&remark,
		     "probes took longer than they need to: the kernel does not permit the "
		     "programs that write hits down fast (%s; see PROBES IN FUNCTIONS in "
		     "tsprof-record(1))",
		     refusal->message) < 0)
		return NULL;
	return remark;
}

const struct sampler_engine sampler_engine_perf = {
	.name = "perf",
	.has_probes = true,
	.probe = perf_sources_probe,
	.open = perf_sampler_open,
	.watch = perf_sampler_watch,
	.attach = perf_sampler_attach,
	.pause = perf_sampler_pause,
	.resume = perf_sampler_resume,
	.fd = perf_sampler_fd,
	.started = perf_sampler_started,
	.can_wait = perf_sampler_can_wait,
	.is_hurried = perf_sampler_is_hurried,
	.begin = perf_sampler_begin,
	.next = perf_sampler_next,
	.walked = perf_sampler_walked,
	.stop = perf_sampler_stop,
	.counted_ns = perf_sampler_counted_ns,
	.n_lost = perf_sampler_n_lost,
	.remark = perf_sampler_remark,
	.close = perf_sampler_close,
};
