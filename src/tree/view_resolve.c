/* The marks that a view names are looked up once, before the samples are. */
#include "tree/view.h"

#include <errno.h>
#include <stdlib.h>

#include "tree/view_end.h"
#include "tree/view_marks.h"

/* Times alone need no milestones; that leaves a window of its own only where there is one. */
static bool is_plain_window(const struct view *view)
{
	uint64_t time_ns;

	return !view->phase && (!view->from || view_end_parse_time(&time_ns, view->from)) &&
	       (!view->to || view_end_parse_time(&time_ns, view->to));
}

static int resolve_window(struct view *view, const struct profile *profile,
			  const struct moments *moments, struct error *err)
{
	const struct view_window_texts texts = { view->from, view->to, view->phase };

	if (!view->from && !view->to && !view->phase)
		return 0;
	if (!profile->info.has_times)
		return error_set(err, -EINVAL,
				 "the profile has no times, so it cannot be cut by time "
				 "(leave out --from, --to and --phase)");
	if (!is_plain_window(view))
		return view_window_init(&view->marks->window, moments, &texts, err);
	if (view->from)
		(void)view_end_parse_time(&view->from_ns, view->from);
	if (view->to)
		(void)view_end_parse_time(&view->to_ns, view->to);
	return 0;
}

static int resolve_phases(struct view *view, const struct profile *profile,
			  const struct moments *moments, struct error *err)
{
	if (!profile->info.has_times)
		return error_set(err, -EINVAL,
				 "--by phase: the profile has no times (leave it out)");
	if (!moments->n_items)
		return error_set(err, -EINVAL,
				 "--by phase: the profile has no milestones (see tsprof-mark(1) "
				 "for how to get some)");
	return view_phases_init(&view->marks->phases, moments) < 0 ? error_set_no_memory(err) : 0;
}

static int resolve_categories(struct view *view, const struct profile *profile, struct error *err)
{
	bool is_known = false;

	view->marks->categories = scope_categories(profile);
	if (!view->marks->categories)
		return error_set_no_memory(err);
	for (size_t node = 1; node < profile->marks.scopes.n_nodes; node++)
		is_known |= view->marks->categories[node] != 0;
	if (!is_known)
		return error_set(err, -EINVAL,
				 "--by category: no scope of the profile has a category "
				 "(--by scope goes by name)");
	return 0;
}

static int resolve_groups(struct view *view, const struct profile *profile,
			  const struct moments *moments, struct error *err)
{
	if (view->by == VIEW_BY_PHASE)
		return resolve_phases(view, profile, moments, err);
	if (view->by != VIEW_BY_SCOPE && view->by != VIEW_BY_CATEGORY)
		return 0;
	if (!profile_has_scopes(profile))
		return error_set(err, -EINVAL,
				 "--by %s: the profile has no scopes (the program opens them with "
				 "TSPROF_SCOPE; see tsprof_scope(3))",
				 view_by_words[view->by - VIEW_BY_PROCESS]);
	return view->by == VIEW_BY_CATEGORY ? resolve_categories(view, profile, err) : 0;
}

int view_resolve(struct view *view, const struct profile *profile, struct error *err)
{
	struct moments moments;
	int r;

	view->marks = calloc(1, sizeof(*view->marks));
	if (!view->marks || moments_init(&moments, profile) < 0)
		return error_set_no_memory(err);
	r = resolve_window(view, profile, &moments, err);
	if (r == 0)
		r = view_scopes_init(&view->marks->scopes, profile, view->in_scope, view->category,
				     err);
	if (r == 0)
		r = resolve_groups(view, profile, &moments, err);
	if (r == 0)
		r = view_check(view, profile, err);
	moments_release(&moments);
	return r;
}

void view_release(struct view *view)
{
	if (view->marks) {
		view_window_release(&view->marks->window);
		view_scopes_release(&view->marks->scopes);
		view_phases_release(&view->marks->phases);
		free(view->marks->categories);
		free(view->marks);
	}
	view->marks = NULL;
}
