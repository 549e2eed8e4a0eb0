/* What times are in a view: between two times, and between milestones. */
#include "tree/view.h"

#include "tree/view_marks.h"

static bool has_spans(const struct view *view)
{
	return view->marks && view->marks->window.first;
}

bool view_is_window(const struct view *view)
{
	return view->from_ns > 0 || view->to_ns != UINT64_MAX || has_spans(view);
}

uint64_t view_overlap_ns(const struct view *view, uint32_t run, uint64_t from_ns, uint64_t to_ns)
{
	const uint64_t start_ns = from_ns > view->from_ns ? from_ns : view->from_ns;
	const uint64_t end_ns = to_ns < view->to_ns ? to_ns : view->to_ns;

	if (start_ns >= end_ns)
		return 0;
	return has_spans(view) ? view_window_overlap_ns(&view->marks->window, run, start_ns, end_ns)
			       : end_ns - start_ns;
}

uint64_t view_duration_ns(const struct view *view, const struct profile *profile)
{
	uint64_t longest_ns = 0;

	for (uint32_t run = 0; run < profile_run_count(profile); run++) {
		const struct profile_info *info = profile->n_runs ? &profile->runs[run]
								  : &profile->info;
		const uint64_t in_view_ns = view_overlap_ns(view, run, 0, info->duration_ns);

		if (in_view_ns > longest_ns)
			longest_ns = in_view_ns;
	}
	return longest_ns;
}

static uint64_t since_start_ns(const struct profile *profile, uint64_t time_ns)
{
	return time_ns > profile->info.start_ns ? time_ns - profile->info.start_ns : 0;
}

bool view_has_time(const struct view *view, const struct profile *profile, uint32_t run,
		   uint64_t time_ns)
{
	const uint64_t since_ns = since_start_ns(profile, time_ns);

	return since_ns >= view->from_ns && (since_ns < view->to_ns || view->to_ns == UINT64_MAX) &&
	       (!has_spans(view) || view_window_has(&view->marks->window, run, since_ns));
}

bool view_has_moment(const struct view *view, const struct profile *profile,
		     const struct sample *sample)
{
	if (!view_is_window(view))
		return true;
	return sample->end != STACK_NOT_SAMPLED &&
	       view_has_time(view, profile, profile_run_of(profile, sample->thread),
			     sample->time_ns);
}
