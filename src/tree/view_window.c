/*
 * Milestones and times have one order: by time, and at one time a plain time
 * comes first, then the milestones as they are in the list.  Phases are found in
 * one walk over both ends' positions, since the next B never lies before that of
 * an earlier A.
 */
#include "tree/view_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "tree/view_end.h"

static int window_append(struct view_window *window, uint64_t from_ns, uint64_t to_ns)
{
	struct view_span *grown;

	if (from_ns >= to_ns)
		return 0;
	grown = array_grown(window->spans, &window->capacity, window->n_spans + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	window->spans = grown;
	grown[window->n_spans++] = (struct view_span){ .from_ns = from_ns, .to_ns = to_ns };
	return 0;
}

/* One more span of the run that is being made, cut to [from, to); what overlaps is one. */
static int window_add(struct view_window *window, size_t first, struct view_span span,
		      const struct view_span *limits)
{
	struct view_span *const last = window->n_spans > first ? &window->spans[window->n_spans - 1]
							       : NULL;

	if (span.from_ns < limits->from_ns)
		span.from_ns = limits->from_ns;
	if (span.to_ns > limits->to_ns)
		span.to_ns = limits->to_ns;
	if (last && span.from_ns < last->to_ns) {
		if (span.to_ns > last->to_ns)
			last->to_ns = span.to_ns;
		return 0;
	}
	return window_append(window, span.from_ns, span.to_ns);
}

/* Everything that was asked for, with its milestones known. */
struct window_ends {
	struct view_end from, to;
	struct view_end phase_from, phase_to;
};

static int add_phases(struct view_window *window, const struct moments *moments, uint32_t run,
		      const struct window_ends *ends, const struct view_span *limits)
{
	const size_t first = window->n_spans;
	struct view_position from = VIEW_POSITION_FIRST;
	struct view_position to = VIEW_POSITION_FIRST;
	bool has_from = view_end_next(&from, &ends->phase_from, moments, run);
	bool has_to = view_end_next(&to, &ends->phase_to, moments, run);
	int r = 0;

	while (r == 0 && has_from && has_to) {
		if (!view_position_is_before(&from, &to)) {
			has_to = view_end_next(&to, &ends->phase_to, moments, run);
			continue;
		}
		r = window_add(window, first,
			       (struct view_span){ .from_ns = from.since_ns, .to_ns = to.since_ns },
			       limits);
		has_from = view_end_next(&from, &ends->phase_from, moments, run);
	}
	return r;
}

/* Where the window of --from and --to lies in the run; false when it has no such milestone. */
static bool find_limits(struct view_span *ret_limits, const struct moments *moments, uint32_t run,
			const struct window_ends *ends)
{
	struct view_position from = VIEW_POSITION_FIRST;
	struct view_position to = VIEW_POSITION_FIRST;
	bool has_to;

	if (!view_end_next(&from, &ends->from, moments, run))
		return false;
	has_to = view_end_next(&to, &ends->to, moments, run);
	/* Without a number it is the first one after --from; when there is none, it is before. */
	for (struct view_position next = to; has_to && !view_position_is_before(&from, &next);) {
		if (!view_end_next(&next, &ends->to, moments, run))
			break;
		to = next;
	}
	*ret_limits = (struct view_span){ .from_ns = from.since_ns, .to_ns = to.since_ns };
	return has_to;
}

static void measure_spans(struct view_window *window)
{
	for (size_t run = 0; run < window->n_runs; run++) {
		uint64_t before_ns = 0;

		for (size_t i = window->first[run]; i < window->first[run + 1]; i++) {
			struct view_span *span = &window->spans[i];

			span->before_ns = before_ns;
			before_ns += span->to_ns - span->from_ns;
		}
	}
}

/* Why no run has anything. */
static int fail_empty(const struct moments *moments, const struct view_window_texts *texts,
		      const struct window_ends *ends, struct error *err)
{
	struct view_span limits = { 0 };
	bool has_limits = false;

	for (uint32_t run = 0; run < moments->n_runs && !has_limits; run++)
		has_limits = find_limits(&limits, moments, run, ends);
	if (!has_limits)
		return error_set(err, -EINVAL, "no run has both '%s' and '%s'", texts->from,
				 texts->to);
	if (limits.from_ns >= limits.to_ns && texts->from && texts->to)
		return error_set(err, -EINVAL,
				 "the time window is empty: it starts at %.9g s (%s) and ends at "
				 "%.9g s (%s)",
				 (double)limits.from_ns / 1e9, texts->from,
				 (double)limits.to_ns / 1e9, texts->to);
	if (limits.from_ns >= limits.to_ns)
		return error_set(err, -EINVAL, "the time window is empty: nothing is %s '%s'",
				 texts->from ? "after" : "before",
				 texts->from ? texts->from : texts->to);
	if (texts->from || texts->to)
		return error_set(err, -EINVAL,
				 "no phase '%s' is in the time that --from and --to leave",
				 texts->phase);
	return error_set(err, -EINVAL,
			 "there is no phase '%s': none of its ends comes after a "
			 "beginning",
			 texts->phase);
}

static int build_spans(struct view_window *window, const struct moments *moments,
		       const struct window_ends *ends)
{
	int r = 0;

	window->n_runs = moments->n_runs;
	window->first = calloc(window->n_runs + 1, sizeof(*window->first));
	if (!window->first)
		return -ENOMEM;
	for (uint32_t run = 0; r == 0 && run < window->n_runs; run++) {
		struct view_span limits;

		if (find_limits(&limits, moments, run, ends))
			r = add_phases(window, moments, run, ends, &limits);
		window->first[run + 1] = window->n_spans;
	}
	if (r == 0)
		measure_spans(window);
	return r;
}

int view_window_init(struct view_window *window, const struct moments *moments,
		     const struct view_window_texts *texts, struct error *err)
{
	struct window_ends ends;
	int r;

	*window = (struct view_window){ 0 };
	r = view_end_parse(&ends.from, moments, texts->from, "start", err);
	if (r < 0) {
		(void)error_prefix(err, "--from");
		return r;
	}
	r = view_end_parse(&ends.to, moments, texts->to, "end", err);
	if (r < 0) {
		(void)error_prefix(err, "--to");
		return r;
	}
	r = view_end_parse_phase(&ends.phase_from, &ends.phase_to, moments, texts->phase, err);
	if (r < 0) {
		(void)error_prefix(err, "--phase");
		return r;
	}
	if (build_spans(window, moments, &ends) < 0)
		r = error_set_no_memory(err);
	else if (!window->n_spans)
		r = fail_empty(moments, texts, &ends, err);
	if (r < 0)
		view_window_release(window);
	return r;
}

void view_window_release(struct view_window *window)
{
	free(window->spans);
	free(window->first);
	*window = (struct view_window){ 0 };
}

/* The last span of the run that begins at or before the time; NULL when there is none. */
static const struct view_span *find_span(const struct view_window *window, uint32_t run,
					 uint64_t since_ns)
{
	size_t low;
	size_t high;

	if (run >= window->n_runs)
		return NULL;
	low = window->first[run];
	high = window->first[run + 1];
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (window->spans[middle].from_ns <= since_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low > window->first[run] ? &window->spans[low - 1] : NULL;
}

bool view_window_has(const struct view_window *window, uint32_t run, uint64_t since_ns)
{
	const struct view_span *span = find_span(window, run, since_ns);

	return span && (since_ns < span->to_ns || span->to_ns == UINT64_MAX);
}

/* The length of the window before the time. */
static uint64_t length_before_ns(const struct view_window *window, uint32_t run, uint64_t since_ns)
{
	const struct view_span *span = find_span(window, run, since_ns);
	const uint64_t end_ns = span && since_ns < span->to_ns ? since_ns : span ? span->to_ns : 0;

	return span ? span->before_ns + (end_ns - span->from_ns) : 0;
}

uint64_t view_window_overlap_ns(const struct view_window *window, uint32_t run, uint64_t from_ns,
				uint64_t to_ns)
{
	if (from_ns >= to_ns)
		return 0;
	return length_before_ns(window, run, to_ns) - length_before_ns(window, run, from_ns);
}
