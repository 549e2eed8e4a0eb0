/*
 * From the nodes of the scope tree, whose statistics are of the whole run, or
 * call by call where all were kept.
 */
#include "tree/scope_calls.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

/* So many scopes are listed in a message, and no more. */
enum { SCOPES_LISTED = 12 };

/* How a node is about the scope that is asked for. */
enum place {
	PLACE_OUTSIDE,
	PLACE_OUTERMOST, /* is a call of it, and not inside another */
	PLACE_INSIDE,	 /* of such a call; may be a call of it again */
};

static uint32_t name_of(const struct marks *marks, uint32_t node)
{
	const uint32_t site = marks->scopes.nodes[node].site;

	return site < marks->n_sites ? marks->sites[site].name : 0;
}

static bool is_called(const struct profile *profile, uint32_t node, const char *name)
{
	return node &&
	       strcmp(interner_get(&profile->strings, name_of(&profile->marks, node)), name) == 0;
}

static enum place *find_places(const struct profile *profile, const char *name)
{
	const struct scope_tree *scopes = &profile->marks.scopes;
	enum place *places = calloc(scopes->n_nodes + 1, sizeof(*places));

	for (uint32_t i = 1; places && i < scopes->n_nodes; i++) {
		const uint32_t parent = scopes->nodes[i].parent;

		if (parent < i && places[parent] != PLACE_OUTSIDE)
			places[i] = PLACE_INSIDE;
		else if (is_called(profile, i, name))
			places[i] = PLACE_OUTERMOST;
	}
	return places;
}

static bool is_listed_before(const struct marks *marks, uint32_t node)
{
	for (uint32_t i = 1; i < node; i++)
		if (name_of(marks, i) == name_of(marks, node))
			return true;
	return false;
}

static int fail_unknown(const struct profile *profile, const char *name, struct error *err)
{
	const struct marks *marks = &profile->marks;
	struct buffer list = BUFFER_INIT;
	size_t n_listed = 0;

	for (uint32_t i = 1; i < marks->scopes.n_nodes && n_listed <= SCOPES_LISTED; i++) {
		if (is_listed_before(marks, i))
			continue;
		buffer_add_string(&list, n_listed ? ", " : "");
		if (n_listed++ == SCOPES_LISTED)
			buffer_add_string(&list, "…");
		else
			escape_terminal_fit(&list,
					    interner_get(&profile->strings, name_of(marks, i)), 32);
	}
	if (n_listed)
		(void)error_set(err, -EINVAL, "no scope is called '%s'; there are %s", name,
				buffer_string(&list));
	else
		(void)error_set(err, -EINVAL,
				"no scope is called '%s'; the profile has none (mark some with "
				"TSPROF_SCOPE)",
				name);
	buffer_release(&list);
	return -EINVAL;
}

static bool is_of_all(const struct view *view)
{
	return !view_is_window(view) && !view->thread && !view->process && !view->in_scope &&
	       !view->category;
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
			   const struct view *view, const enum place *places, bool is_unfinished)
{
	const struct marks *marks = &profile->marks;

	for (size_t i = 0; i < marks->n_calls; i++) {
		const struct scope_call *call = &marks->calls[i];
		uint64_t inside_ns;
		double share = 1;

		if (call->node >= marks->scopes.n_nodes || places[call->node] != PLACE_OUTERMOST ||
		    (is_unfinished && !(call->flags & SCOPE_CALL_OPEN)) ||
		    !clip_call(view, profile, call, &inside_ns))
			continue;
		if (call->duration_ns)
			share = (double)inside_ns / (double)call->duration_ns;
		add_calls(calls, marks, call->node, share, (double)inside_ns);
	}
}

/* The whole run's: what the nodes say, and the unfinished calls if they are known. */
static void add_nodes(struct scope_calls *calls, const struct profile *profile,
		      const struct view *view, const enum place *places)
{
	const struct marks *marks = &profile->marks;
	const bool has_unfinished = are_unfinished_kept(marks);
	double mean_ns;
	double squares = 0;

	for (uint32_t i = 1; i < marks->scopes.n_nodes; i++) {
		const struct scope_node *node = &marks->scopes.nodes[i];

		if (places[i] != PLACE_OUTERMOST)
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

		if (places[i] == PLACE_OUTERMOST)
			squares += node->squares_ns2 +
				   (double)node->durations_ns.n_values * apart_ns * apart_ns;
	}
	if (calls->n_calls > 1)
		calls->deviation_ns = sqrt(squares / (calls->n_calls - 1));
	if (has_unfinished)
		add_kept_calls(calls, profile, view, places, true);
}

static void count_inner(struct scope_calls *calls, const struct profile *profile,
			const enum place *places, const char *name)
{
	for (uint32_t i = 1; i < profile->marks.scopes.n_nodes; i++)
		if (places[i] == PLACE_INSIDE && is_called(profile, i, name))
			calls->n_inner += profile->marks.scopes.nodes[i].durations_ns.n_values;
}

static bool has_place(const struct profile *profile, const enum place *places)
{
	for (uint32_t i = 1; i < profile->marks.scopes.n_nodes; i++)
		if (places[i] == PLACE_OUTERMOST)
			return true;
	return false;
}

static int find_calls(struct scope_calls *calls, const struct profile *profile,
		      const struct view *view, const enum place *places, const char *name,
		      struct error *err)
{
	if (!has_place(profile, places))
		return fail_unknown(profile, name, err);
	if (is_of_all(view))
		add_nodes(calls, profile, view, places);
	else if (profile->marks.has_all_calls)
		add_kept_calls(calls, profile, view, places, false);
	else
		return error_set(err, -EINVAL,
				 "calls of '%s' are counted for the whole run only: leave the "
				 "choice of threads, processes and times out, or record with "
				 "--keep-events",
				 name);
	count_inner(calls, profile, places, name);
	if (calls->n_calls <= 0)
		return error_set(err, -EINVAL,
				 "no call of '%s' ended in what is looked at, so nothing can be "
				 "averaged over calls (leave out --per)",
				 name);
	return 0;
}

int scope_calls_find(struct scope_calls *calls, const struct profile *profile,
		     const struct view *view, const char *name, struct error *err)
{
	enum place *places = find_places(profile, name);
	int r;

	*calls = (struct scope_calls){ 0 };
	if (!places)
		return error_set_no_memory(err);
	r = find_calls(calls, profile, view, places, name, err);
	free(places);
	return r;
}

int scope_samples_copy(struct sample **ret_samples, size_t *ret_n_samples,
		       const struct profile *profile, const char *name)
{
	enum place *places = find_places(profile, name);
	struct sample *samples = malloc((profile->n_samples + 1) * sizeof(*samples));
	size_t n = 0;

	if (!places || !samples) {
		free(places);
		free(samples);
		return -ENOMEM;
	}
	for (size_t i = 0; i < profile->n_samples; i++)
		if (profile->samples[i].scope < profile->marks.scopes.n_nodes &&
		    places[profile->samples[i].scope] != PLACE_OUTSIDE)
			samples[n++] = profile->samples[i];
	free(places);
	*ret_samples = samples;
	*ret_n_samples = n;
	return 0;
}
