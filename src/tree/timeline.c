/* Candidates of each kind are gathered and sorted, then each kind gives what it has room for. */
#include "tree/timeline.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tree/call_rows.h"
#include "tree/mark_filter.h"

/* What may be taken of a kind. */
struct candidates {
	struct timeline_entry *entries;
	size_t n;
	size_t n_wanted;
};

static int compare_entries(const void *a, const void *b)
{
	const struct timeline_entry *x = a;
	const struct timeline_entry *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* When, where and by whom an entry is. */
struct told {
	uint64_t time_ns;
	uint32_t run;
	bool is_in; /* the view's threads and scopes */
};

static struct told told_by_thread(const struct mark_filter *filter, uint64_t time_ns,
				  struct mark_place place)
{
	return (struct told){ time_ns, profile_run_of(filter->profile, place.thread),
			      mark_filter_has(filter, place) };
}

static struct told milestone_told(const struct mark_filter *filter,
				  const struct milestone *milestone)
{
	struct told told = told_by_thread(filter, milestone->time_ns, milestone_place(milestone));

	told.run = milestone->run;
	return told;
}

static struct told call_told(const struct mark_filter *filter, const struct scope_call *call)
{
	return told_by_thread(filter, call->start_ns, call_place(filter->profile, call));
}

/* A view of threads or scopes has no memory: that is the process's. */
static struct told memory_told(const struct mark_filter *filter,
			       const struct resource_sample *resource)
{
	const struct profile *profile = filter->profile;
	struct told told = { resource->time_ns, resource->run, filter->has_all_threads };

	for (uint32_t i = 0; !told.is_in && !filter->view->thread && i < profile->n_threads; i++)
		told.is_in = profile->threads[i].pid == resource->pid && filter->has_thread[i];
	told.is_in &= mark_filter_has_scope(filter, 0);
	return told;
}

static struct told told_of(const struct mark_filter *filter, enum timeline_kind kind, size_t i)
{
	const struct marks *marks = &filter->profile->marks;

	switch (kind) {
	case TIMELINE_MILESTONE:
		return milestone_told(filter, &marks->milestones[i]);
	case TIMELINE_SCOPE:
		return call_told(filter, &marks->calls[i]);
	case TIMELINE_COUNTER:
		return told_by_thread(filter, marks->counters[i].time_ns,
				      counter_place(&marks->counters[i]));
	case TIMELINE_SNAPSHOT:
		return told_by_thread(filter, marks->snapshots[i].time_ns,
				      snapshot_place(&marks->snapshots[i]));
	case TIMELINE_MEMORY:
	case TIMELINE_N_KINDS:
		break;
	}
	return memory_told(filter, &marks->resources[i]);
}

static size_t count_of(const struct marks *marks, enum timeline_kind kind)
{
	const size_t counts[TIMELINE_N_KINDS] = {
		[TIMELINE_MILESTONE] = marks->n_milestones,
		[TIMELINE_SCOPE] = marks->n_calls,
		[TIMELINE_COUNTER] = marks->n_counters,
		[TIMELINE_SNAPSHOT] = marks->n_snapshots,
		[TIMELINE_MEMORY] = marks->n_resources,
	};

	return counts[kind];
}

static int find_candidates(struct candidates *found, const struct mark_filter *filter,
			   enum timeline_kind kind)
{
	const struct profile *profile = filter->profile;
	const size_t n = count_of(&profile->marks, kind);

	found->entries = calloc(n + 1, sizeof(*found->entries));
	if (!found->entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct told told = told_of(filter, kind, i);

		if (told.is_in && view_has_time(filter->view, profile, told.run, told.time_ns))
			found->entries[found->n++] = (struct timeline_entry){
				.at_ns = mark_since_ns(profile, told.time_ns),
				.index = i,
				.kind = kind,
			};
	}
	qsort(found->entries, found->n, sizeof(*found->entries), compare_entries);
	return 0;
}

/* The kinds that need least are served first, so that what they leave can be shared. */
static void share_out(struct candidates *kinds, size_t max)
{
	bool is_served[TIMELINE_N_KINDS] = { false };

	for (size_t n_left = TIMELINE_N_KINDS; n_left > 0; n_left--) {
		size_t least = TIMELINE_N_KINDS;

		for (size_t i = 0; i < TIMELINE_N_KINDS; i++)
			if (!is_served[i] &&
			    (least == TIMELINE_N_KINDS || kinds[i].n < kinds[least].n))
				least = i;
		kinds[least].n_wanted = kinds[least].n < max / n_left ? kinds[least].n
								      : max / n_left;
		max -= kinds[least].n_wanted;
		is_served[least] = true;
	}
}

/* In front of the others, in order of time. */
static void keep_evenly(struct candidates *found)
{
	const size_t n_wanted = found->n_wanted;

	for (size_t i = 0; i < n_wanted; i++) {
		const double step = n_wanted > 1 ? (double)(found->n - 1) / (double)(n_wanted - 1)
						 : 0;

		found->entries[i] = found->entries[(size_t)((double)i * step + 0.5)];
	}
}

struct ranked {
	struct timeline_entry entry;
	uint64_t duration_ns;
	bool is_error;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	if (x->is_error != y->is_error)
		return x->is_error ? -1 : 1;
	if (x->duration_ns != y->duration_ns)
		return x->duration_ns > y->duration_ns ? -1 : 1;
	return compare_entries(&x->entry, &y->entry);
}

static int keep_notable(struct candidates *found, const struct marks *marks)
{
	struct ranked *ranks = calloc(found->n + 1, sizeof(*ranks));

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < found->n; i++) {
		const struct scope_call *call = &marks->calls[found->entries[i].index];

		ranks[i] = (struct ranked){
			.entry = found->entries[i],
			.duration_ns = call->duration_ns,
			.is_error = call->flags & SCOPE_CALL_ERROR,
		};
	}
	qsort(ranks, found->n, sizeof(*ranks), compare_ranks);
	for (size_t i = 0; i < found->n_wanted; i++)
		found->entries[i] = ranks[i].entry;
	free(ranks);
	return 0;
}

static int take(struct timeline *timeline, struct candidates *found, const struct marks *marks,
		enum timeline_kind kind)
{
	int r = 0;

	timeline->n_left_out[kind] = found->n - found->n_wanted;
	if (!found->n_wanted)
		return 0;
	if (found->n_wanted < found->n && kind == TIMELINE_SCOPE)
		r = keep_notable(found, marks);
	else if (found->n_wanted < found->n)
		keep_evenly(found);
	memcpy(&timeline->entries[timeline->n_entries], found->entries,
	       found->n_wanted * sizeof(*found->entries));
	timeline->n_entries += found->n_wanted;
	return r;
}

static int take_all(struct timeline *timeline, struct candidates *kinds, const struct marks *marks)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < TIMELINE_N_KINDS; i++)
		n += kinds[i].n_wanted;
	timeline->entries = calloc(n + 1, sizeof(*timeline->entries));
	if (!timeline->entries)
		return -ENOMEM;
	for (int i = 0; r == 0 && i < TIMELINE_N_KINDS; i++)
		r = take(timeline, &kinds[i], marks, (enum timeline_kind)i);
	qsort(timeline->entries, timeline->n_entries, sizeof(*timeline->entries), compare_entries);
	return r;
}

int timeline_build(struct timeline *timeline, const struct profile *profile,
		   const struct view *view, size_t max, struct error *err)
{
	struct candidates kinds[TIMELINE_N_KINDS] = { 0 };
	struct mark_filter filter;
	int r = mark_filter_init(&filter, profile, view, err);

	*timeline = (struct timeline){ 0 };
	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < TIMELINE_N_KINDS; i++)
		r = find_candidates(&kinds[i], &filter, (enum timeline_kind)i);
	share_out(kinds, max);
	if (r == 0)
		r = take_all(timeline, kinds, &profile->marks);
	for (size_t i = 0; i < TIMELINE_N_KINDS; i++)
		free(kinds[i].entries);
	mark_filter_release(&filter);
	if (r == 0)
		return 0;
	timeline_release(timeline);
	return error_set_no_memory(err);
}

void timeline_release(struct timeline *timeline)
{
	free(timeline->entries);
	*timeline = (struct timeline){ 0 };
}
