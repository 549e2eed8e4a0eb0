/*
 * A sample is one moment; a wait is an interval, of which the parts inside the
 * window are counted, and the same part of its ticks.  Ticks of parts are
 * differences of rounded sums, so that they add up.
 */
#include "tree/view_parts.h"

#include "tree/view_marks.h"

/* A wait's time since the start of the run; what lies before it in `ret_before_ns`. */
static void wait_times(const struct profile *profile, const struct sample *wait,
		       uint64_t *ret_from_ns, uint64_t *ret_to_ns, uint64_t *ret_before_ns)
{
	const uint64_t start_ns = profile->info.start_ns;
	const uint64_t early_ns = start_ns > wait->time_ns ? start_ns - wait->time_ns : 0;
	const uint64_t before_ns = early_ns < wait->weight_ns ? early_ns : wait->weight_ns;
	const uint64_t left_ns = wait->weight_ns - before_ns;
	const uint64_t from_ns = early_ns ? 0 : wait->time_ns - start_ns;

	*ret_from_ns = from_ns;
	*ret_to_ns = left_ns < UINT64_MAX - from_ns ? from_ns + left_ns : UINT64_MAX;
	*ret_before_ns = before_ns;
}

/* The ticks of the first `part_ns` of a wait. */
static uint64_t ticks_of(const struct sample *wait, uint64_t part_ns)
{
	if (part_ns == wait->weight_ns)
		return wait->count;
	return (uint64_t)((double)wait->count * ((double)part_ns / (double)wait->weight_ns) + 0.5);
}

static bool clip_wait(const struct view *view, const struct profile *profile, struct sample *wait)
{
	uint64_t from_ns, to_ns, before_ns, part_ns;

	if (!view_is_window(view))
		return true;
	wait_times(profile, wait, &from_ns, &to_ns, &before_ns);
	part_ns = view_overlap_ns(view, profile_run_of(profile, wait->thread), from_ns, to_ns);
	if (!part_ns)
		return false;
	wait->count = ticks_of(wait, part_ns);
	wait->weight_ns = part_ns;
	return true;
}

/* Its state and its scope. */
static bool has_kind(const struct view *view, const struct profile *profile,
		     const struct sample *sample)
{
	if (!sample_state_is_in(sample->state, view_states(view, profile)))
		return false;
	return !view->marks || !view->marks->scopes.has_node ||
	       (sample->end != STACK_NOT_SAMPLED &&
		view_scopes_have(&view->marks->scopes, sample->scope));
}

bool view_clip(const struct view *view, const struct profile *profile, struct sample *sample)
{
	if (!has_kind(view, profile, sample))
		return false;
	return sample_is_wait(sample) ? clip_wait(view, profile, sample)
				      : view_has_moment(view, profile, sample);
}

bool view_has_sample(const struct view *view, const struct profile *profile,
		     const struct sample *sample)
{
	struct sample part = *sample;

	return view_clip(view, profile, &part) && view_has_thread(view, profile, sample->thread);
}

void view_parts_init(struct view_parts *parts, const struct view *view,
		     const struct profile *profile, const struct sample *sample)
{
	*parts = (struct view_parts){ .view = view, .profile = profile, .sample = *sample };
	parts->run = profile_run_of(profile, sample->thread);
	parts->is_split = view->by == VIEW_BY_PHASE && view->marks && sample_is_wait(sample) &&
			  sample->weight_ns > 0;
	parts->is_done = parts->is_split && !has_kind(view, profile, sample);
	if (parts->is_split)
		wait_times(profile, sample, &parts->from_ns, &parts->to_ns, &parts->before_ns);
}

static uint64_t since_start_ns(const struct profile *profile, const struct sample *sample)
{
	const uint64_t start_ns = profile->info.start_ns;

	return sample->time_ns > start_ns ? sample->time_ns - start_ns : 0;
}

static uint32_t group_of(const struct view_parts *parts)
{
	const struct sample *sample = &parts->sample;
	const struct view_marks *marks = parts->view->marks;
	const size_t n_nodes = parts->profile->marks.scopes.n_nodes;
	const uint32_t scope = sample->scope < n_nodes ? sample->scope : 0;
	const enum view_by by = parts->view->by;
	size_t phase;

	if (by == VIEW_BY_STATE)
		return sample->state;
	if (by < VIEW_BY_STATE || !marks)
		return 0;
	if (sample->end == STACK_NOT_SAMPLED)
		return VIEW_GROUP_UNKNOWN;
	if (by == VIEW_BY_SCOPE)
		return scope;
	if (by == VIEW_BY_CATEGORY)
		return marks->categories[scope];
	phase = view_phases_at(&marks->phases, parts->run, since_start_ns(parts->profile, sample));
	return marks->phases.phases[phase].kind;
}

static bool next_whole(struct view_parts *parts, struct view_part *ret_part)
{
	parts->is_done = true;
	if (!view_clip(parts->view, parts->profile, &parts->sample))
		return false;
	*ret_part = (struct view_part){ parts->sample, group_of(parts) };
	return true;
}

/* What was before the start belongs to the first phase, unless there is a window. */
static uint64_t take_before_ns(struct view_parts *parts)
{
	const uint64_t before_ns = view_is_window(parts->view) ? 0 : parts->before_ns;

	parts->before_ns = 0;
	return before_ns;
}

static bool next_phase(struct view_parts *parts, struct view_part *ret_part)
{
	const struct view_phases *phases = &parts->view->marks->phases;

	while (parts->from_ns < parts->to_ns || parts->before_ns) {
		const size_t phase = view_phases_at(phases, parts->run, parts->from_ns);
		const uint64_t end_ns = view_phase_end_ns(phases, parts->run, phase);
		const uint64_t to_ns = end_ns < parts->to_ns ? end_ns : parts->to_ns;
		const uint64_t part_ns = take_before_ns(parts) +
					 view_overlap_ns(parts->view, parts->run, parts->from_ns,
							 to_ns);
		uint64_t n_ticks;

		parts->from_ns = to_ns;
		if (!part_ns)
			continue;
		parts->taken_ns += part_ns;
		n_ticks = ticks_of(&parts->sample, parts->taken_ns);
		*ret_part = (struct view_part){ parts->sample, phases->phases[phase].kind };
		ret_part->sample.weight_ns = part_ns;
		ret_part->sample.count = n_ticks - parts->n_counted;
		parts->n_counted = n_ticks;
		return true;
	}
	parts->is_done = true;
	return false;
}

bool view_parts_next(struct view_parts *parts, struct view_part *ret_part)
{
	if (parts->is_done)
		return false;
	return parts->is_split ? next_phase(parts, ret_part) : next_whole(parts, ret_part);
}

void view_part_add_name(const struct view *view, const struct profile *profile, uint32_t group,
			struct buffer *out)
{
	const struct interner *strings = &profile->strings;

	if (view->by < VIEW_BY_PHASE || !view->marks)
		return;
	if (group == VIEW_GROUP_UNKNOWN)
		buffer_add_string(out, "[not sampled]");
	else if (view->by == VIEW_BY_PHASE)
		view_phases_add_name(&view->marks->phases, out, profile, group);
	else if (view->by == VIEW_BY_SCOPE)
		buffer_add_string(out, group ? interner_get(strings, scope_name(profile, group))
					     : "[outside scopes]");
	else
		buffer_add_string(out,
				  group ? interner_get(strings, group) : "[outside categories]");
}
