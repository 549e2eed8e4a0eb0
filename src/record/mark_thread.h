#ifndef TSPROF_RECORD_MARK_THREAD_H
#define TSPROF_RECORD_MARK_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"
#include "record/marks_store.h"
#include "record/process_table.h"
#include "record/scope_history.h"

struct mark_ring;

/*
 * One thread as one program marks it: its open scopes, and in which it was
 * lately.  Marks come in order of time; one that claims to be older than the last counts
 * as just as old.
 *
 * Functions that return int return 0 or -ENOMEM.
 */
struct mark_thread {
	struct live_thread *live;
	uint64_t start_ns; /* of `live`; another one has its number when that is another */
	const void *owner; /* whoever tells of it: a process's program, or what else there is */
	struct mark_thread *next; /* of the same live thread, told by another owner */
	struct scope_stack stack;
	struct open_call *calls; /* what is known of the open scopes; NULL: nothing of any */
	struct scope_history history;
	uint64_t last_ns;
	uint32_t entry; /* in profile.threads, as of `has_entry` */
	bool has_entry;
	bool has_milestone; /* … whose data may still come */
	bool has_ended;
	struct milestone milestone;
	struct mark_ring *ring; /* what it writes to now; NULL: nothing */
	uint64_t ended_ns;	/* by the recorder's clock, when it may be forgotten soon */
	struct mark_thread *next_ended;
};

/* The thread as `owner` tells of it, made when new; NULL when memory is short. */
struct mark_thread *mark_thread_get(struct live_thread *live, const void *owner);

/*
 * Its process was forked inside that scope, which goes on for it: its samples
 * are inside, and an end there is no surprise; but the call is its parent's.
 */
int mark_thread_inherit(struct mark_thread *thread, const struct scope_tree *tree, uint32_t node);

/* What is left of it is nobody's any more. */
void mark_thread_free(struct mark_thread *thread);

int mark_thread_begin(struct mark_thread *thread, struct marks_store *store, uint32_t site,
		      uint64_t time_ns);
int mark_thread_end(struct mark_thread *thread, struct marks_store *store, uint32_t site,
		    uint64_t time_ns);

/* A begin or an end of a scope. */
struct mark_step {
	uint64_t time_ns; /* not before the last */
	uint32_t site;
	bool is_end;
};

/* Many of them, as if one by one, at less cost for each. */
int mark_thread_steps(struct mark_thread *thread, struct marks_store *store,
		      const struct mark_step *steps, size_t n_steps);

/* Of the innermost open scope. */
int mark_thread_arguments(struct mark_thread *thread, struct mark_text text);
int mark_thread_error(struct mark_thread *thread, struct mark_text text);

/* Of the innermost open scope of that site; bytes may be SCOPE_COST_UNKNOWN. */
int mark_thread_costs(struct mark_thread *thread, uint32_t site, uint64_t cpu_ns,
		      uint64_t allocated_bytes, uint64_t n_faults);

/* A milestone is not in the profile before its data came or no longer can. */
int mark_thread_milestone(struct mark_thread *thread, struct marks_store *store, uint32_t site,
			  uint64_t time_ns);
int mark_thread_data(struct mark_thread *thread, struct marks_store *store, struct mark_text text);
int mark_thread_settle(struct mark_thread *thread, struct marks_store *store);

int mark_thread_counter(struct mark_thread *thread, struct marks_store *store, uint32_t site,
			uint64_t time_ns, double value);
int mark_thread_snapshot(struct mark_thread *thread, struct marks_store *store,
			 const struct snapshot *snapshot, const void *bytes);

/* It ended at that time, or the program did: what is open never ends. */
int mark_thread_finish(struct mark_thread *thread, struct marks_store *store, uint64_t time_ns);

/* The scope that it was in; false when that is no longer known, and then a guess. */
bool mark_thread_scope(const struct mark_thread *thread, uint64_t time_ns, uint32_t *ret_node);

#endif
