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

/* By thread and by what its site says, at any time. */
bool mark_filter_has(const struct mark_filter *filter, uint32_t thread, uint32_t site);

/* … and by moment, in the run of the thread. */
bool mark_filter_has_at(const struct mark_filter *filter, uint32_t thread, uint32_t site,
			uint64_t time_ns);

/* Is a node of the scope tree in a scope that the view looks at? */
bool mark_filter_has_scope(const struct mark_filter *filter, uint32_t node);

/* The name of a site, an id in profile.strings; 0 for a site that there is not. */
uint32_t mark_name(const struct profile *profile, uint32_t site);

/* Since the start of the run; 0 for what was before. */
uint64_t mark_since_ns(const struct profile *profile, uint64_t time_ns);

#endif
