/*
 * From the nodes of the scope tree, whose statistics are of the whole run, or
 * call by call where all were kept.
 */
#include "tree/scope_calls.h"

#include <errno.h>
#include <math.h>

#include "tree/view_marks.h"

/* Is the node a scope that was asked for, or inside one? */
static bool is_inside(const struct view *view, uint32_t node)
{
	return node && view_scopes_have(&view->marks->scopes, node);
}

/* A call that is not inside another? */
static bool is_outermost(const struct profile *profile, const struct view *view, uint32_t node)
{
	const struct scope_tree *scopes = &profile->marks.scopes;

	return is_inside(view, node) && node < scopes->n_nodes &&
	       (scopes->nodes[node].parent >= node || !is_inside(view, scopes->nodes[node].parent));
}

static bool is_of_all(const struct view *view)
{
	return !view_is_window(view) && !view->thread && !view->process;
}

static uint32_t rate_of(const struct marks *marks, uint32_t node)
{
	const uint32_t site = marks->scopes.nodes[node].site;
	const uint32_t rate = site < marks->n_sites ? marks->sites[site].sample_rate : 0;

	return rate ? rate : 1;
}

/* A number of calls of one node, whole or in part. */
static void add_calls(struct scope_calls *calls, const struct marks *marks, uint32_t node,
		      double n_calls, double total_ns)
{
	const uint32_t rate = rate_of(marks, node);

	calls->n_calls += n_calls;
	calls->total_ns += total_ns;
	calls->n_estimated += n_calls * rate;
	calls->is_estimate |= rate > 1 && n_calls > 0;
}

/* Calls that never ended are known one by one, or not at all. */
static bool are_unfinished_kept(const struct marks *marks)
{
	uint64_t n_open = 0;
	uint64_t n_kept = 0;

	for (size_t i = 0; i < marks->scopes.n_nodes; i++)
		n_open += marks->scopes.nodes[i].n_open;
	for (size_t i = 0; i < marks->n_calls; i++)
		n_kept += (marks->calls[i].flags & SCOPE_CALL_OPEN) != 0;
	return n_kept >= n_open;
}

/* What of a call is in the view, as if it were a wait. */
static bool clip_call(const struct view *view, const struct profile *profile,
		      const struct scope_call *call, uint64_t *ret_inside_ns)
{
	struct view of_all_states = *view;
	struct sample part = {
		.time_ns = call->start_ns,
		.weight_ns = call->duration_ns ? call->duration_ns : 1,
		.thread = call->thread,
		.state = SAMPLE_WAITING,
		.scope = call->node,
	};

	of_all_states.states = SAMPLE_STATES_ALL;
	if (!view_has_thread(view, profile, call->thread) ||
	    !view_clip(&of_all_states, profile, &part))
		return false;
	*ret_inside_ns = part.weight_ns < call->duration_ns ? part.weight_ns : call->duration_ns;
	return true;
}

/* The view's part of the calls that were kept, or of the unfinished ones among them. */
static void add_kept_calls(struct scope_calls *calls, const struct profile *profile,
			   const struct view *view, bool is_unfinished)
{
	const struct marks *marks = &profile->marks;

	for (size_t i = 0; i < marks->n_calls; i++) {
		const struct scope_call *call = &marks->calls[i];
		uint64_t inside_ns;
		double share = 1;

		if (!is_outermost(profile, view, call->node) ||
		    (is_unfinished && !(call->flags & SCOPE_CALL_OPEN)) ||
		    !clip_call(view, profile, call, &inside_ns))
			continue;
		if (call->duration_ns)
			share = (double)inside_ns / (double)call->duration_ns;
		add_calls(calls, marks, call->node, share, (double)inside_ns);
		calls->n_open += (call->flags & SCOPE_CALL_OPEN) != 0;
	}
}

/* The whole run's: what the nodes say, and the unfinished calls if they are known. */
static void add_nodes(struct scope_calls *calls, const struct profile *profile,
		      const struct view *view)
{
	const struct marks *marks = &profile->marks;
	const bool has_unfinished = are_unfinished_kept(marks);
	double mean_ns;
	double squares = 0;

	for (uint32_t i = 1; i < marks->scopes.n_nodes; i++) {
		const struct scope_node *node = &marks->scopes.nodes[i];

		if (!is_outermost(profile, view, i))
			continue;
		add_calls(calls, marks, i, (double)node->durations_ns.n_values,
			  (double)node->total_ns);
		if (!has_unfinished)
			calls->n_unfinished += node->n_open;
	}
	mean_ns = scope_calls_mean_ns(calls);
	for (uint32_t i = 1; i < marks->scopes.n_nodes; i++) {
		const struct scope_node *node = &marks->scopes.nodes[i];
		const double apart_ns = node->mean_ns - mean_ns;

		if (is_outermost(profile, view, i))
			squares += node->squares_ns2 +
				   (double)node->durations_ns.n_values * apart_ns * apart_ns;
	}
	if (calls->n_calls > 1)
		calls->deviation_ns = sqrt(squares / (calls->n_calls - 1));
	if (has_unfinished)
		add_kept_calls(calls, profile, view, true);
}

static void count_inner(struct scope_calls *calls, const struct profile *profile,
			const struct view *view)
{
	for (uint32_t i = 1; i < profile->marks.scopes.n_nodes; i++)
		if (is_inside(view, i) && !is_outermost(profile, view, i) &&
		    scope_is_called(profile, i, view->in_scope))
			calls->n_inner += profile->marks.scopes.nodes[i].durations_ns.n_values;
}

int scope_calls_find(struct scope_calls *calls, const struct profile *profile,
		     const struct view *view, struct error *err)
{
	*calls = (struct scope_calls){ 0 };
	if (is_of_all(view))
		add_nodes(calls, profile, view);
	else if (profile->marks.has_all_calls)
		add_kept_calls(calls, profile, view, false);
	else
		return error_set(err, -EINVAL,
				 "calls of '%s' are counted for the whole run only: leave the "
				 "choice of threads, processes and times out, or record with "
				 "--keep-events",
				 view->in_scope);
	count_inner(calls, profile, view);
	if (calls->n_calls <= 0)
		return error_set(err, -EINVAL,
				 "no call of '%s' ended in what is looked at, so nothing can be "
				 "averaged over calls (leave out --per)",
				 view->in_scope);
	return 0;
}
