/* One line that sums up, and one for each thing that limits the result. */
#include "cmd/record_summary.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/interner.h"
#include "base/units.h"
#include "os/perf_event.h"
#include "os/sampler.h"

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t n_complete(const struct quality *quality)
{
	return quality->n_by_end[STACK_COMPLETE] + quality->n_by_end[STACK_KERNEL_ONLY];
}

/* Never "100.0 %" of what is not all. */
static double percent_complete(const struct quality *quality)
{
	const double share = percent(n_complete(quality), quality->n_samples);

	return n_complete(quality) < quality->n_samples && share > 99.9 ? 99.9 : share;
}

static void show_line(struct app *app, const struct profile *profile,
		      const struct recorder_result *result, const char *path)
{
	const struct quality *quality = &profile->quality;
	struct buffer line = BUFFER_INIT;
	char text[UNITS_TEXT_BYTES];

	buffer_printf(&line, "%s samples, ", units_count(text, quality->n_samples));
	buffer_printf(&line, "%s lost, ", units_count(text, quality->n_lost));
	if (quality->n_samples)
		buffer_printf(&line, "%.1f %% complete stacks, %.1f %% unresolved, ",
			      percent_complete(quality),
			      percent(quality->n_unresolved, quality->n_samples));
	if (quality->n_waits) {
		buffer_printf(&line, "%s of waiting", units_duration(text, quality->waited_ns));
		buffer_printf(&line, " in %s waits, ", units_count(text, quality->n_waits));
	}
	if (quality->target_cpu_ns)
		buffer_printf(&line, "own CPU time %.1f %% of %s, ",
			      percent(quality->recorder_cpu_ns, quality->target_cpu_ns),
			      units_duration(text, quality->target_cpu_ns));
	buffer_printf(&line, "%s in %s", units_bytes(text, result->file_bytes), path);
	app_say(app, "%s", buffer_string(&line));
	buffer_release(&line);
}

static void add_number(struct buffer *line, uint64_t count, const char *one, const char *many)
{
	char text[UNITS_TEXT_BYTES];

	if (count)
		buffer_printf(line, "%s%s %s", line->size ? ", " : "", units_count(text, count),
			      count == 1 ? one : many);
}

/* One line, and only where something was marked. */
static void show_marks(struct app *app, const struct marks *marks)
{
	const struct marks_quality *quality = &marks->quality;
	struct buffer line = BUFFER_INIT;
	uint64_t n_calls = 0;

	if (!marks_are_there(marks))
		return;
	for (size_t i = 1; i < marks->scopes.n_nodes; i++)
		n_calls += marks->scopes.nodes[i].durations_ns.n_values;
	add_number(&line, marks->n_milestones, "milestone", "milestones");
	add_number(&line, n_calls, "call of a scope", "calls of scopes");
	add_number(&line, marks->n_counters + quality->n_counters_dropped, "counter value",
		   "counter values");
	add_number(&line, marks->n_snapshots + quality->n_snapshots_dropped, "snapshot",
		   "snapshots");
	add_number(&line, quality->n_lost + quality->n_homeless, "mark lost", "marks lost");
	add_number(&line, quality->n_bad, "bad mark", "bad marks");
	add_number(&line, quality->n_milestones_dropped, "milestone dropped", "milestones dropped");
	add_number(&line, quality->n_counters_dropped, "counter value left out",
		   "counter values left out");
	add_number(&line, quality->n_snapshots_dropped, "older snapshot dropped",
		   "older snapshots dropped");
	add_number(&line, quality->n_late_samples, "sample of unknown scope",
		   "samples of unknown scope");
	if (line.size)
		app_say(app, "%s", buffer_string(&line));
	buffer_release(&line);
}

/* Enough CPU time for ten samples, but nobody to take them. */
static bool had_no_way_in(const struct profile *profile)
{
	const char *engine = interner_get(&profile->strings, profile->info.engine);

	return strcmp(engine, sampler_engine_sigprof.name) == 0 && profile->info.period_ns &&
	       profile->quality.target_cpu_ns > 10 * profile->info.period_ns;
}

static void show_unsampled(struct app *app, const struct profile *profile,
			   const struct recorder_result *result)
{
	const struct quality *quality = &profile->quality;
	const double share = percent(quality->not_sampled_ns,
				     quality->sampled_ns + quality->not_sampled_ns);

	if (had_no_way_in(profile) && (!quality->n_samples || share > 5))
		app_say(app,
			"%.0f %% of the CPU time was not sampled: until the loader was done, in "
			"threads that ended before their first tick, or in programs that the "
			"engine sigprof cannot enter: static, setuid, or in another network "
			"namespace (raise the rate with -F, or use --engine perf)",
			quality->n_samples ? share : 100.0);
	else if (!quality->n_samples && !quality->n_waits && result->n_children_left)
		app_say(app,
			"too little CPU time was used for a single sample; %zu of its children ran "
			"already, and are sampled when they are named with -p too",
			result->n_children_left);
	else if (!quality->n_samples && !quality->n_waits)
		app_say(app,
			"too little CPU time was used for a single sample (raise the rate with "
			"-F)");
	else if (quality->n_samples && share > 5)
		app_say(app,
			"%.0f %% of the CPU time was not sampled: threads that ended before their "
			"first tick (raise the rate with -F)",
			share);
}

/* Stacks that were not copied to their outermost frame. */
static void show_cut(struct app *app, const struct profile *profile,
		     const struct recorder_result *result)
{
	const uint64_t n_cut = profile->quality.n_by_end[STACK_TRUNCATED_DUMP];
	char count[UNITS_TEXT_BYTES];
	const bool are_many = n_cut > profile->quality.n_samples / 100;
	const bool is_perfs_copy = !result->sampler.has_stack_program &&
				   strcmp(interner_get(&profile->strings, profile->info.engine),
					  sampler_engine_perf.name) == 0;

	(void)units_count(count, n_cut);
	if (n_cut && result->sampler.stack_bytes < PERF_EVENT_STACK_MAX_BYTES)
		app_say(app,
			"%s stacks are longer than the %" PRIu64
			" bytes copied (see --stack-size; without privileges /proc/sys/kernel/"
			"perf_event_mlock_kb and ulimit -l decide how much fits)",
			count, result->sampler.stack_bytes);
	else if (are_many && is_perfs_copy)
		app_say(app,
			"%s stacks are longer than the %" PRIu64
			" bytes that perf copies, or have pages that nothing was written to yet "
			"(root, or CAP_BPF with CAP_PERFMON, gets more, and --engine sigprof of a "
			"command)",
			count, result->sampler.stack_bytes);
	else if (are_many)
		app_say(app,
			"%s stacks are deeper than what is copied: 512 KiB, and of deeper ones the "
			"innermost and the outermost 64 (see --stack-size in tsprof-record(1))",
			count);
}

static void show_unreadable(struct app *app, const struct profile *profile,
			    const struct recorder_result *result)
{
	if (result->n_unreadable_modules == 1)
		app_say(app,
			"%s is mapped, but could not be read, is no ELF file or was replaced "
			"meanwhile (a deleted file can be read as root, or with "
			"CAP_CHECKPOINT_RESTORE)",
			profile_module_name(profile, result->unreadable_module));
	else if (result->n_unreadable_modules)
		app_say(app,
			"%" PRIu32
			" mapped files could not be read, are no ELF files or were replaced "
			"meanwhile, %s the first (deleted ones can be read as root, or with "
			"CAP_CHECKPOINT_RESTORE)",
			result->n_unreadable_modules,
			profile_module_name(profile, result->unreadable_module));
}

/* What limits the result and can be changed. */
static void show_limits(struct app *app, const struct profile *profile,
			const struct recorder_result *result)
{
	const struct quality *quality = &profile->quality;
	char text[UNITS_TEXT_BYTES];
	char until[UNITS_TEXT_BYTES];

	if (quality->n_dropped)
		app_say(app,
			"the oldest %s samples, of the first %s, were dropped to keep within "
			"--max-size",
			units_count(text, quality->n_dropped),
			units_duration(until, result->dropped_until_ns - profile->info.start_ns));
	if (result->was_never_sampling)
		app_say(app, "sampling was paused all the time (kill -USR2 lets it go on)");
	else
		show_unsampled(app, profile, result);
	if (result->remark)
		app_say(app, "%s", result->remark);
	if (!result->sampler.has_kernel_time)
		app_say(app, "time in the kernel was not recorded: it is not permitted (as root: "
			     "sysctl kernel.perf_event_paranoid=1)");
	if (result->has_hidden_kernel)
		app_say(app,
			"functions of the kernel have no names: it hides their addresses (as root: "
			"sysctl kernel.kptr_restrict=0)");
	show_cut(app, profile, result);
	if (result->n_cut_in_made_code > quality->n_samples / 50)
		app_say(app,
			"%.0f %% of the stacks are cut in code made while running, which keeps no "
			"frame pointers (java -XX:+PreserveFramePointer does; see CODE MADE WHILE "
			"RUNNING in tsprof-record(1))",
			percent(result->n_cut_in_made_code, quality->n_samples));
	if (quality->n_lost_switches || quality->waited_bare_ns > quality->waited_ns / 20)
		app_say(app,
			"%.1f %% of the waiting time has no whole stack, and %" PRIu64
			" records of switches were lost (--stack-size may help with the first; see "
			"WAITING TIME in tsprof-record(1))",
			percent(quality->waited_bare_ns, quality->waited_ns),
			quality->n_lost_switches);
	if (quality->n_throttled)
		app_say(app,
			"the kernel paused sampling %" PRIu64 " times (lower the rate with -F)",
			quality->n_throttled);
	show_unreadable(app, profile, result);
	if (result->n_other_versions)
		app_say(app,
			"%zu programs were not heard that mark with another version of "
			"libtsprof.so "
			"(use the one that belongs to this tsprof)",
			result->n_other_versions);
	if (result->n_limited_programs)
		app_say(app,
			"%" PRIu32
			" programs made more code than tsprof keeps the names of (see CODE "
			"MADE WHILE RUNNING in tsprof-record(1))",
			result->n_limited_programs);
}

/* What the command paid for being asked, and what came of it. */
static void show_probes(struct app *app, const struct probe_summary *probes)
{
	char text[UNITS_TEXT_BYTES];
	char cost[UNITS_TEXT_BYTES];

	if (probes->cost_ns)
		app_say(app, "probes were hit %s times, which took some %s of the command's time",
			units_count(text, probes->n_hits), units_duration(cost, probes->cost_ns));
	else if (probes->n_hits)
		app_say(app, "probes were hit %s time%s", units_count(text, probes->n_hits),
			probes->n_hits == 1 ? "" : "s");
	if (probes->n_never_hit)
		app_say(app, "%s%s was never called", probes->never_hit,
			probes->n_never_hit > 1 ? " (and other functions with probes)" : "");
	if (probes->inlined)
		app_say(app,
			"%s: calls that were inlined into others were not seen (build it with "
			"__attribute__((noinline)) to see all)",
			probes->inlined);
	if (probes->n_lost)
		app_say(app,
			"%s hits of probes were lost, as they came too fast (trace functions that "
			"are called less often)",
			units_count(text, probes->n_lost));
	if (probes->n_too_deep)
		app_say(app,
			"%s calls were more than %d deep in traced functions, where the kernel "
			"tells no returns: they have no duration",
			units_count(text, probes->n_too_deep), PROBE_CALLS_MAX_DEPTH);
	if (probes->n_unmatched)
		app_say(app, "%s returns came of calls whose beginning was not seen",
			units_count(text, probes->n_unmatched));
}

void record_summary_show(struct app *app, const struct profile *profile,
			 const struct recorder_result *result, const char *path)
{
	show_line(app, profile, result, path);
	show_marks(app, &profile->marks);
	show_probes(app, &result->probes);
	show_limits(app, profile, result);
}

int record_summary_check(const struct profile *profile, const struct recorder_result *result,
			 struct error *err)
{
	const struct quality *quality = &profile->quality;
	const struct marks_quality *marks = &profile->marks.quality;
	struct buffer flaws = BUFFER_INIT;
	int r = 0;

	add_number(&flaws, quality->n_lost, "lost sample", "lost samples");
	add_number(&flaws, quality->n_lost_events, "lost event", "lost events");
	add_number(&flaws, quality->n_lost_switches, "lost record of a switch",
		   "lost records of switches");
	add_number(&flaws, quality->n_samples - n_complete(quality), "stack that is not complete",
		   "stacks that are not complete");
	add_number(&flaws, marks->n_lost + marks->n_homeless + marks->n_milestones_dropped,
		   "lost mark", "lost marks");
	add_number(&flaws, result->probes.n_lost, "lost hit of a probe", "lost hits of probes");
	if (flaws.is_failed)
		r = error_set_no_memory(err);
	else if (flaws.size)
		r = error_set(err, -EIO,
			      "%s; the profile is there, but --strict takes none that lacks "
			      "something",
			      buffer_string(&flaws));
	buffer_release(&flaws);
	return r;
}
