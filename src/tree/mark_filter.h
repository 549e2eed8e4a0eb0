#ifndef TSPROF_TREE_MARK_FILTER_H
#define TSPROF_TREE_MARK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * What a view lets through of marks.  Prepared once, since there can be
 * millions of them.  A mark that no thread is known of is in no view of a
 * thread or process.
 */
struct mark_filter {
	const struct profile *profile; /* borrowed, as is the view */
	const struct view *view;
	bool *has_thread; /* by index into profile.threads */
	bool has_all_threads;
};

/* Of a part of the time or of the threads? */
bool view_is_part(const struct view *view);

/* -ENOMEM, or 0. */
int mark_filter_init(struct mark_filter *filter, const struct profile *profile,
		     const struct view *view, struct error *err);
void mark_filter_release(struct mark_filter *filter);

/* `thread` may be MARK_NO_THREAD. */
bool mark_filter_has_thread(const struct mark_filter *filter, uint32_t thread);

/* Is a node of the scope tree in a scope that the view looks at? */
bool mark_filter_has_scope(const struct mark_filter *filter, uint32_t node);

/* Who marked, in which scope, and where. */
struct mark_place {
	uint32_t thread;
	uint32_t scope;
	uint32_t site;
};

struct mark_place milestone_place(const struct milestone *milestone);
struct mark_place counter_place(const struct counter_value *counter);
struct mark_place snapshot_place(const struct snapshot *snapshot);

/* By thread, scope and whether there is such a site, at any time. */
bool mark_filter_has(const struct mark_filter *filter, struct mark_place place);

/* … and by moment, in the run of the thread. */
bool mark_filter_has_at(const struct mark_filter *filter, struct mark_place place,
			uint64_t time_ns);

/* The name of a site, an id in profile.strings; 0 for a site that there is not. */
uint32_t mark_name(const struct profile *profile, uint32_t site);

/* Since the start of the run; 0 for what was before. */
uint64_t mark_since_ns(const struct profile *profile, uint64_t time_ns);

#endif
