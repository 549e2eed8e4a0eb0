/* The view's questions about threads are about names, so each thread is asked about once. */
#include "tree/mark_filter.h"

#include <stdlib.h>

#include "tree/view_marks.h"

bool view_is_part(const struct view *view)
{
	return view_is_window(view) || view->thread || view->process;
}

int mark_filter_init(struct mark_filter *filter, const struct profile *profile,
		     const struct view *view, struct error *err)
{
	*filter = (struct mark_filter){
		.profile = profile,
		.view = view,
		.has_all_threads = !view->thread && !view->process,
	};
	filter->has_thread = calloc(profile->n_threads + 1, sizeof(*filter->has_thread));
	if (!filter->has_thread)
		return error_set_no_memory(err);
	for (size_t i = 0; i < profile->n_threads; i++)
		filter->has_thread[i] = view_has_thread(view, profile, (uint32_t)i);
	return 0;
}

void mark_filter_release(struct mark_filter *filter)
{
	free(filter->has_thread);
	*filter = (struct mark_filter){ 0 };
}

bool mark_filter_has_thread(const struct mark_filter *filter, uint32_t thread)
{
	if (filter->has_all_threads)
		return true;
	return thread < filter->profile->n_threads && filter->has_thread[thread];
}

bool mark_filter_has_scope(const struct mark_filter *filter, uint32_t node)
{
	return !filter->view->marks || view_scopes_have(&filter->view->marks->scopes, node);
}

struct mark_place milestone_place(const struct milestone *milestone)
{
	return (struct mark_place){ milestone->thread, milestone->scope, milestone->site };
}

struct mark_place counter_place(const struct counter_value *counter)
{
	return (struct mark_place){ counter->thread, counter->scope, counter->site };
}

struct mark_place snapshot_place(const struct snapshot *snapshot)
{
	return (struct mark_place){ snapshot->thread, snapshot->scope, snapshot->site };
}

bool mark_filter_has(const struct mark_filter *filter, struct mark_place place)
{
	return place.site < filter->profile->marks.n_sites &&
	       mark_filter_has_thread(filter, place.thread) &&
	       mark_filter_has_scope(filter, place.scope);
}

bool mark_filter_has_at(const struct mark_filter *filter, struct mark_place place, uint64_t time_ns)
{
	return view_has_time(filter->view, filter->profile,
			     profile_run_of(filter->profile, place.thread), time_ns) &&
	       mark_filter_has(filter, place);
}

uint32_t mark_name(const struct profile *profile, uint32_t site)
{
	return site < profile->marks.n_sites ? profile->marks.sites[site].name : 0;
}

uint64_t mark_since_ns(const struct profile *profile, uint64_t time_ns)
{
	return time_ns > profile->info.start_ns ? time_ns - profile->info.start_ns : 0;
}
