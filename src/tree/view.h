#ifndef TSPROF_TREE_VIEW_H
#define TSPROF_TREE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/profile.h"

/* Which samples are looked at, and what becomes one frame of the tree. */
enum granularity {
	GRANULARITY_FUNCTION, /* function and module */
	GRANULARITY_LINE,     /* … and file:line */
	GRANULARITY_ADDRESS,  /* … and the vaddr */
	GRANULARITY_MODULE,   /* the module alone; neighbours of one module are one frame */
};

/* What samples are told apart by: the group of a sample is its outermost frame. */
enum view_by {
	VIEW_BY_NONE,
	VIEW_BY_PROCESS,  /* "name/pid" */
	VIEW_BY_THREAD,	  /* "name/tid" */
	VIEW_BY_COMM,	  /* the thread's name alone, whatever process it is in */
	VIEW_BY_STATE,	  /* "running", "waiting: lock", …, above the process name; so are: */
	VIEW_BY_PHASE,	  /* "loaded → ready": the milestones before and after it */
	VIEW_BY_SCOPE,	  /* the innermost scope */
	VIEW_BY_CATEGORY, /* of the innermost scope that has one */
};

/* The words for them on the command line, from VIEW_BY_PROCESS on, ended by NULL. */
extern const char *const view_by_words[];

struct view {
	enum granularity granularity;
	uint64_t from_ns;    /* since the start of the run */
	uint64_t to_ns;	     /* UINT64_MAX: to the end; else the first instant outside */
	const char *thread;  /* borrowed; a name or a tid; NULL: all */
	const char *process; /* borrowed; a name or a pid; NULL: all */
	const char *from; /* borrowed, like the next; as tree/view_window.h has them; NULL: all */
	const char *to;
	const char *phase;
	const char *in_scope; /* borrowed; a glob for the name of a scope; NULL: all */
	const char *category; /* … and for its category */
	unsigned int states;  /* enum sample_state_set; 0: what view_states() says */
	enum view_by by;   /* unless NONE: the group is the outermost frame, not the process name */
	bool with_process; /* the process name is the outermost frame */
	bool with_thread;  /* "name/tid" is a frame below it */
	bool with_scopes; /* by scope: all scopes around the sample are frames, not the innermost */
	bool with_scopes_inside;  /* all scopes around the sample are frames below all of these */
	struct view_marks *marks; /* what view_resolve found; borrowed by copies of the view */
};

#define VIEW_INIT ((struct view){ .to_ns = UINT64_MAX, .with_process = true })

/* VIEW_BY_NONE for a word that is none of them, or NULL. */
enum view_by view_by_find(const char *word);

/*
 * Finds the milestones and scopes that the view names; before that it is of the
 * whole profile, but for from_ns and to_ns.  -EINVAL for what there is not, listing what
 * there is, and for what leaves nothing; and where view_check fails.  To be released in any case.
 */
int view_resolve(struct view *view, const struct profile *profile, struct error *err);
void view_release(struct view *view);

/*
 * -EINVAL, listing the threads or processes there are, when `view->thread` or
 * `view->process` matches none; also for an empty time window, for any window when the
 * profile has no times, and for groups that it does not tell apart.
 */
int view_check(const struct view *view, const struct profile *profile, struct error *err);

/* Does it look at a part of the time only?  Then: */
bool view_is_window(const struct view *view);

/* The recorded time that is looked at; of a merged profile, that of the run with most. */
uint64_t view_duration_ns(const struct view *view, const struct profile *profile);

/* By its own name and that of its process, and the numbers of both; `thread` is an index into
 * profile.threads. */
bool view_has_thread(const struct view *view, const struct profile *profile, uint32_t thread);

/*
 * "name/pid", "name/tid" or "name": what `view->by` puts the thread in.  Where
 * the profile has several runs, whose numbers may coincide, " [RUN]" follows a
 * number.  Nothing is added where the profile does not know.
 */
void view_add_group(struct buffer *out, enum view_by by, const struct profile *profile,
		    uint32_t thread);

/*
 * The states that are looked at.  Unless the view says it, all of them where
 * they are told apart or the recording was of wall time, and else only running: waiting that was
 * recorded besides CPU time is never added to it unasked.
 */
unsigned int view_states(const struct view *view, const struct profile *profile);

/* "running", "waiting", "all", then the reasons for waiting, ended by NULL. */
extern const char *const view_state_words[];

/* The set that one of these words stands for; 0 for NULL. */
unsigned int view_states_of(const char *word);

/* In words: "running and waiting", "waiting", "waiting: lock". */
const char *view_states_text(unsigned int states);

/* Does it look at running and waiting as one?  Then waits end in a frame that says so. */
bool view_is_mixed(const struct view *view, const struct profile *profile);

/*
 * What of a sample is in the view, its moment, its scope and its state: all of
 * it or, of a wait that reaches over ends of the time window, the parts inside.
 * False when nothing is.
 */
bool view_clip(const struct view *view, const struct profile *profile, struct sample *sample);

/* How much of a run's time [from_ns, to_ns), since its start, is in the view. */
uint64_t view_overlap_ns(const struct view *view, uint32_t run, uint64_t from_ns, uint64_t to_ns);

/* A time from before the start counts as one at the start. */
bool view_has_time(const struct view *view, const struct profile *profile, uint32_t run,
		   uint64_t time_ns);

/* The same for a sample's time; when time was not sampled is not known: it is in no window. */
bool view_has_moment(const struct view *view, const struct profile *profile,
		     const struct sample *sample);

/* Its moment, its scope, its state and its thread. */
bool view_has_sample(const struct view *view, const struct profile *profile,
		     const struct sample *sample);

#endif
