/* What is said of an average call, beside the table of what it is made of. */
#include "cmd/report_per_call.h"

#include "base/escape.h"
#include "base/units.h"

enum { HEADING_NAME_COLUMNS = 32 };

static uint64_t rounded(double value)
{
	return value > 0 ? (uint64_t)(value + 0.5) : 0;
}

/* Calls are few enough to be told apart, or not. */
static void add_duration(struct buffer *out, double ns)
{
	char text[UNITS_TEXT_BYTES];

	if (ns < 100)
		buffer_printf(out, "%.1f ns", ns);
	else
		buffer_add_string(out, units_duration(text, rounded(ns)));
}

void report_per_call_heading(struct buffer *out, const struct per_call *per_call)
{
	const struct scope_calls *calls = &per_call->calls;
	char text[UNITS_TEXT_BYTES];

	escape_terminal_fit(out, per_call->scope, HEADING_NAME_COLUMNS);
	if (calls->is_estimate)
		buffer_printf(out, ": about %s calls (an estimate",
			      units_count(text, rounded(calls->n_estimated)));
	if (calls->is_estimate)
		buffer_printf(out, " from %s that were recorded)",
			      units_count(text, rounded(calls->n_calls)));
	else
		buffer_printf(out, ": %s calls", units_count(text, rounded(calls->n_calls)));
	buffer_add_string(out, " of ");
	add_duration(out, scope_calls_mean_ns(calls));
	buffer_add_string(out, " on the wall clock; by ");
	buffer_printf(out, "%s samples ", units_count(text, per_call->cpu.n_samples));
	add_duration(out, per_call->cpu.mean_ns);
	buffer_add_string(out, " ± ");
	add_duration(out, interval_half_width(per_call->cpu.interval_ns));
	buffer_add_string(out, " of it are CPU time");
}

static void add_doubts(struct buffer *out, const struct per_call *per_call,
		       const struct profile *profile)
{
	const struct scope_calls *calls = &per_call->calls;
	const struct marks_quality *quality = &profile->marks.quality;
	char text[UNITS_TEXT_BYTES];

	if (calls->n_inner)
		buffer_printf(out, " %s call%s inside a call of the same name: a part of it.",
			      units_count(text, calls->n_inner), calls->n_inner == 1 ? "" : "s");
	if (calls->n_open)
		buffer_printf(out, " %s of the calls had not ended: counted until the end.",
			      units_count(text, calls->n_open));
	if (calls->n_unfinished)
		buffer_printf(out,
			      " %s call%s never ended: their samples are in the rows, but they are "
			      "not among the calls.",
			      units_count(text, calls->n_unfinished),
			      calls->n_unfinished == 1 ? "" : "s");
	if (quality->n_lost + quality->n_homeless)
		buffer_printf(out, " %s marks were lost, so calls may be missing.",
			      units_count(text, quality->n_lost + quality->n_homeless));
	if (quality->n_late_samples)
		buffer_printf(out, " %s samples came too late for their scope to be known.",
			      units_count(text, quality->n_late_samples));
}

void report_per_call_note(struct buffer *out, const struct per_call *per_call,
			  const struct profile *profile)
{
	const double mean_ns = scope_calls_mean_ns(&per_call->calls);

	buffer_add_string(out, "Avg (μs): of a call. ±: half the 95 % interval by the number of "
			       "samples. TOTAL: the mean that the scope measured. ");
	if (per_call->has_waits)
		buffer_add_string(out, "WAITING: as recorded. DIFFERENCE: what samples and waits "
				       "do not add up to.");
	else if (per_call->cpu.mean_ns > mean_ns)
		buffer_add_string(out, "DIFFERENCE: samples say more CPU time than the scope "
				       "measured.");
	else
		buffer_add_string(out, "WAITING: what CPU time leaves of it (record --off-cpu says "
				       "for what).");
	add_doubts(out, per_call, profile);
}

void report_per_call_json(struct json_writer *json, const struct per_call *per_call)
{
	const struct scope_calls *calls = &per_call->calls;

	json_open_object(json, "per");
	json_string(json, "scope", per_call->scope);
	json_real(json, "calls", calls->n_estimated);
	json_bool(json, "calls_are_estimated", calls->is_estimate);
	json_real(json, "recorded_calls", calls->n_calls);
	json_unsigned(json, "inner_calls", calls->n_inner);
	json_unsigned(json, "open_calls", calls->n_open);
	json_unsigned(json, "unfinished_calls", calls->n_unfinished);
	json_number(json, "total_ns", calls->total_ns);
	json_number(json, "mean_ns", scope_calls_mean_ns(calls));
	json_unsigned(json, "samples", per_call->cpu.n_samples);
	json_number(json, "cpu_ns", per_call->cpu.mean_ns);
	json_number(json, "cpu_low_ns", per_call->cpu.interval_ns.low);
	json_number(json, "cpu_high_ns", per_call->cpu.interval_ns.high);
	json_bool(json, "waiting_is_recorded", per_call->has_waits);
	json_close_object(json);
}
