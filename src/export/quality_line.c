/* The quality figures in words. */
#include "export/quality_line.h"

#include <inttypes.h>

#include "base/units.h"

static void quality_add_count(struct buffer *out, uint64_t count, const char *what)
{
	char text[UNITS_TEXT_BYTES];

	buffer_printf(out, "%s %s", units_count(text, count), what);
}

/* 99.96 % must not read as 100 % nor 0.04 % as 0: what is not all or nothing never looks so. */
static void quality_add_share(struct buffer *out, uint64_t part, uint64_t whole)
{
	const double percent = 100.0 * (double)part / (double)whole;

	if (part == 0 || part == whole)
		buffer_printf(out, "%d %%", part ? 100 : 0);
	else if (percent < 0.05)
		buffer_add_string(out, "<0.1 %");
	else if (percent >= 99.95)
		buffer_add_string(out, ">99.9 %");
	else
		buffer_printf(out, "%.1f %%", percent);
}

static void quality_add_runs(struct buffer *out, const struct profile *profile)
{
	if (profile->n_runs > 1) {
		buffer_add_string(out, " of ");
		quality_add_count(out, profile->n_runs, "runs");
	}
}

static void quality_add_rate(struct buffer *out, const struct profile_info *info)
{
	char text[UNITS_TEXT_BYTES];

	if (info->period_ns)
		buffer_printf(out, " at %s Hz",
			      units_count(text,
					  (NS_PER_S + info->period_ns / 2) / info->period_ns));
	if (info->duration_ns)
		buffer_printf(out, " over %s", units_duration(text, info->duration_ns));
}

static void quality_add_losses(struct buffer *out, const struct quality *quality)
{
	buffer_add_string(out, ", ");
	quality_add_count(out, quality->n_lost, "lost");
	if (quality->n_lost) {
		buffer_add_string(out, " (");
		quality_add_share(out, quality->n_lost, quality->n_lost + quality->n_samples);
		buffer_add_string(out, ")");
	}
	if (quality->n_lost_events) {
		buffer_add_string(out, ", ");
		quality_add_count(out, quality->n_lost_events,
				  quality->n_lost_events == 1 ? "lost event" : "lost events");
	}
	if (quality->n_throttled) {
		buffer_add_string(out, ", ");
		quality_add_count(out, quality->n_throttled,
				  quality->n_throttled == 1 ? "time throttled" : "times throttled");
	}
}

static void quality_add_ends(struct buffer *out, const struct quality *quality)
{
	const uint64_t *n_by_end = quality->n_by_end;
	bool is_first = true;
	uint64_t n_all = 0;

	for (size_t i = 0; i < STACK_N_ENDS; i++)
		n_all += n_by_end[i];
	if (!n_all)
		return;
	buffer_add_string(out, ", ");
	quality_add_share(out, n_by_end[STACK_COMPLETE] + n_by_end[STACK_KERNEL_ONLY], n_all);
	buffer_add_string(out, " complete stacks");
	for (size_t i = 0; i < STACK_N_ENDS; i++) {
		if (i == STACK_COMPLETE || i == STACK_KERNEL_ONLY || !n_by_end[i])
			continue;
		buffer_add_string(out, is_first ? " (" : ", ");
		quality_add_share(out, n_by_end[i], n_all);
		buffer_printf(out, " %s", stack_end_name((enum stack_end)i));
		is_first = false;
	}
	buffer_add_string(out, is_first ? "" : ")");
}

static void quality_add_times(struct buffer *out, const struct quality *quality)
{
	char sampled[UNITS_TEXT_BYTES];
	char used[UNITS_TEXT_BYTES];

	if (quality->sampled_ns && quality->target_cpu_ns)
		buffer_printf(out, ", sampled %s of %s CPU",
			      units_duration(sampled, quality->sampled_ns),
			      units_duration(used, quality->target_cpu_ns));
	/* Less than this every run has: the time since each thread's last tick. */
	if (quality->not_sampled_ns > (quality->sampled_ns + quality->not_sampled_ns) / 200) {
		buffer_add_string(out, ", ");
		quality_add_share(out, quality->not_sampled_ns,
				  quality->sampled_ns + quality->not_sampled_ns);
		buffer_add_string(out, " not sampled");
	}
	if (quality->stolen_ns > quality->sampled_ns / 200)
		buffer_printf(out, ", without %s stolen", units_duration(used, quality->stolen_ns));
	if (quality->recorder_cpu_ns && quality->target_cpu_ns)
		buffer_printf(out, ", own CPU %.1f %%",
			      100.0 * (double)quality->recorder_cpu_ns /
				      (double)quality->target_cpu_ns);
}

/* Waiting is measured in full, or it is said how much of it has no place in the code. */
static void quality_add_waits(struct buffer *out, const struct quality *quality)
{
	char text[UNITS_TEXT_BYTES];

	if (quality->n_waits) {
		buffer_printf(out, ", waited %s in ", units_duration(text, quality->waited_ns));
		quality_add_count(out, quality->n_waits, quality->n_waits == 1 ? "wait" : "waits");
	}
	if (quality->waited_bare_ns) {
		buffer_add_string(out, " (");
		quality_add_share(out, quality->waited_bare_ns, quality->waited_ns);
		buffer_add_string(out, " of it without a whole stack)");
	}
	if (quality->n_lost_switches) {
		buffer_add_string(out, ", ");
		quality_add_count(out, quality->n_lost_switches,
				  quality->n_lost_switches == 1 ? "lost switch" : "lost switches");
	}
}

/* What there was no room for is told elsewhere: it was to be expected. */
static void quality_add_marks(struct buffer *out, const struct marks *marks)
{
	const struct marks_quality *quality = &marks->quality;
	const uint64_t n_lost = quality->n_lost + quality->n_homeless +
				quality->n_milestones_dropped;
	const struct {
		uint64_t count;
		const char *one, *many;
	} losses[] = {
		{ n_lost, "lost mark", "lost marks" },
		{ quality->n_bad, "bad mark", "bad marks" },
		{ quality->n_late_samples, "sample of unknown scope", "samples of unknown scope" },
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		if (!losses[i].count)
			continue;
		buffer_add_string(out, ", ");
		quality_add_count(out, losses[i].count,
				  losses[i].count == 1 ? losses[i].one : losses[i].many);
	}
}

static void quality_write_import(struct buffer *out, const struct profile *profile)
{
	uint64_t n_ticks = 0;

	for (size_t i = 0; i < profile->n_samples; i++)
		n_ticks += profile->samples[i].count;
	quality_add_count(out, n_ticks, "samples");
	quality_add_runs(out, profile);
	buffer_add_string(out, " in ");
	quality_add_count(out, profile->n_samples, "stacks, imported from ");
	buffer_add_string(out, interner_get(&profile->strings, profile->info.tool));
}

void quality_line_write(struct buffer *out, const struct profile *profile)
{
	const struct quality *quality = &profile->quality;

	if (!profile->info.has_times && !profile->info.is_cut) {
		quality_write_import(out, profile);
		return;
	}
	quality_add_count(out, quality->n_samples, "samples");
	quality_add_runs(out, profile);
	quality_add_rate(out, &profile->info);
	quality_add_losses(out, quality);
	if (quality->n_dropped) {
		buffer_add_string(out, ", ");
		quality_add_count(out, quality->n_dropped, "older ones dropped");
	}
	quality_add_ends(out, quality);
	if (quality->n_samples) {
		buffer_add_string(out, ", ");
		quality_add_share(out, quality->n_unresolved, quality->n_samples);
		buffer_add_string(out, " unresolved");
	}
	quality_add_times(out, quality);
	quality_add_waits(out, quality);
	quality_add_marks(out, &profile->marks);
	if (profile->info.is_cut)
		buffer_add_string(out, profile->n_runs > 1 ? "; a file of one run was cut"
							   : "; the file was cut and is read up "
							     "to there");
}
