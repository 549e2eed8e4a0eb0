#ifndef TSPROF_TREE_VIEW_WINDOW_H
#define TSPROF_TREE_VIEW_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/moments.h"

/*
 * Times of a run between milestones, since its start: half open, in order and
 * apart from each other, for each run of the profile its own.
 */
struct view_span {
	uint64_t from_ns;
	uint64_t to_ns;	    /* UINT64_MAX: to the end */
	uint64_t before_ns; /* the length of all before it in its run */
};

struct view_window {
	struct view_span *spans;
	size_t n_spans, capacity;
	size_t *first; /* by run, and one more: where its spans begin; NULL: no window */
	size_t n_runs;
};

/* What was typed; NULL where nothing was. */
struct view_window_texts {
	const char *from;
	const char *to;
	const char *phase;
};

/*
 * An end of a window is a TIME since the start ("1.5s"), the NAME of a
 * milestone (the first one of it), NAME#N (the Nth), or `start` or `end` where no
 * milestone is called that; "milestone:NAME" is never anything else.  As `to`, a NAME
 * is the first one after `from`.
 *
 * A phase "A..B" is from each A to the next B after it, "A.." to the end, and
 * "..B" from the start.  All that is given applies together.  In a merged
 * profile each run has its own milestones; one that lacks them has no spans.
 *
 * -EINVAL for what is unknown, saying what there is, and where nothing is left.
 */
int view_window_init(struct view_window *window, const struct moments *moments,
		     const struct view_window_texts *texts, struct error *err);
void view_window_release(struct view_window *window);

bool view_window_has(const struct view_window *window, uint32_t run, uint64_t since_ns);

/* How much of [from_ns, to_ns) it has. */
uint64_t view_window_overlap_ns(const struct view_window *window, uint32_t run, uint64_t from_ns,
				uint64_t to_ns);

#endif
