/*
 * The perf engine is tried through its own sampler, so that ring and dump sizes
 * are those that a recording would get; its events start with an exec, which
 * never comes.
 */
#include "os/machine_probes.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "lib/sigprof_records_wire.h"
#include "os/bpf_kernel.h"
#include "os/perf_event.h"
#include "os/sampler.h"
#include "os/sampler_choice.h"
#include "os/trace_events.h"

static int try_event(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	long fd;

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	attr->exclude_hv = 1;
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)close((int)fd);
	return 0;
}

static void probe_choice(struct machine_probes *probes, const struct sampler_options *options)
{
	struct sampler_choice choice;

	if (sampler_choose(&choice, "auto", options, NULL) == 0) {
		probes->engine = choice.engine->name;
		probes->is_fallback = choice.is_fallback;
	}
	for (size_t i = 0; sampler_engines[i]; i++) {
		const struct sampler_engine *engine = sampler_engines[i];

		if (strcmp(engine->name, "sigprof") != 0)
			continue;
		probes->has_sigprof = true;
		probes->sigprof_stack_bytes = SIGPROF_STACK_MAX_BYTES;
		if (engine->probe)
			probes->sigprof.code = engine->probe(options, &probes->sigprof);
	}
}

static void probe_perf(struct machine_probes *probes, const struct sampler_options *options)
{
	struct sampler *sampler = NULL;
	int r = sampler_open(&sampler_engine_perf, &sampler, options, &probes->perf);

	if (r == 0)
		r = sampler_watch(sampler, getpid(), &probes->perf);
	probes->perf.code = r;
	if (r == 0) {
		probes->has_kernel = sampler->facts.has_kernel;
		probes->ring_bytes = sampler->facts.ring_bytes;
		probes->stack_bytes = sampler->facts.stack_bytes;
		probes->has_stack_program = sampler->facts.has_stack_program;
	}
	sampler_close(sampler);
}

static void probe_events(struct machine_probes *probes)
{
	struct perf_event_attr modest = { .type = PERF_TYPE_SOFTWARE,
					  .config = PERF_COUNT_SW_DUMMY,
					  .exclude_kernel = 1 };
	struct perf_event_attr cycles = { .type = PERF_TYPE_HARDWARE,
					  .config = PERF_COUNT_HW_CPU_CYCLES,
					  .exclude_kernel = 1 };
	struct perf_event_attr clock = { .type = PERF_TYPE_SOFTWARE,
					 .config = PERF_COUNT_SW_CPU_CLOCK,
					 .exclude_kernel = 1 };
	struct perf_event_attr task_clock = { .type = PERF_TYPE_SOFTWARE,
					      .config = PERF_COUNT_SW_TASK_CLOCK };
	struct perf_event_attr switch_stacks = { .type = PERF_TYPE_SOFTWARE,
						 .config = PERF_COUNT_SW_CONTEXT_SWITCHES,
						 .sample_period = 1 };
	struct perf_event_attr switches = { .type = PERF_TYPE_SOFTWARE,
					    .config = PERF_COUNT_SW_DUMMY,
					    .exclude_kernel = 1,
					    .context_switch = 1 };

	probes->refusal = perf_refusal_find(try_event(&modest, 0, -1), 0);
	probes->cycles = try_event(&cycles, 0, -1);
	probes->all_processes = try_event(&clock, -1, 0);
	probes->task_clock = try_event(&task_clock, 0, -1);
	task_clock.exclude_kernel = 1;
	probes->task_clock_user = try_event(&task_clock, 0, -1);
	probes->switch_stacks = try_event(&switch_stacks, 0, -1);
	probes->switches = try_event(&switches, 0, -1);
}

static int probe_bpf(void)
{
	const int fd = bpf_kernel_new_value(sizeof(uint64_t));

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

/* The coarse clocks advance with the tick: their resolution is 1/CONFIG_HZ. */
static uint64_t tick_ns(void)
{
	struct timespec resolution;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) < 0)
		return 0;
	return (uint64_t)resolution.tv_sec * NS_PER_S + (uint64_t)resolution.tv_nsec;
}

static uint64_t unlimited_or(rlim_t limit)
{
	return limit == RLIM_INFINITY ? UINT64_MAX : limit;
}

void machine_probes_run(struct machine_probes *probes, uint64_t rate_hz)
{
	const struct sampler_options options = { .event = &perf_event_kinds[0],
						 .rate_hz = rate_hz };
	struct rlimit locked = { .rlim_cur = 0 };
	struct rlimit descriptors = { .rlim_cur = 0 };
	const long n_online = sysconf(_SC_NPROCESSORS_ONLN);

	memset(probes, 0, sizeof(*probes));
	probes->uid = (uint32_t)geteuid();
	probes->n_cpus = n_online > 0 ? (uint32_t)n_online : 1;
	(void)getrlimit(RLIMIT_MEMLOCK, &locked);
	probes->memlock_bytes = unlimited_or(locked.rlim_cur);
	(void)getrlimit(RLIMIT_NOFILE, &descriptors);
	probes->n_descriptors = unlimited_or(descriptors.rlim_max);
	probe_choice(probes, &options);
	probe_perf(probes, &options);
	probe_events(probes);
	probes->bpf = probe_bpf();
	(void)trace_events_check(&probes->functions);
	probes->tick_ns = tick_ns();
}
