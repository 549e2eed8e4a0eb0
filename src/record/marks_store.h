#ifndef TSPROF_RECORD_MARKS_STORE_H
#define TSPROF_RECORD_MARKS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/profile.h"
#include "record/mark_calls.h"
#include "record/mark_counters.h"
#include "record/mark_sites.h"
#include "record/mark_snapshots.h"
#include "record/process_table.h"

/*
 * What becomes of marks, whoever they come from: the library, a command, a line
 * of output, a probe.  Milestones and the statistics of scopes are in the
 * profile at once, all else at the end.
 */
struct marks_store {
	struct profile *profile;	 /* borrowed */
	struct process_table *processes; /* borrowed */
	struct mark_sites sites;
	struct mark_calls calls;
	struct mark_counters counters;
	struct mark_snapshots snapshots;
	uint64_t text_bytes; /* of milestones' data */
	/* Nobody asks any more in which scope a thread was before. */
	uint64_t horizon_ns;
	/*
	 * Calls that began before are none: there was a pause.  Scopes are followed
	 * while it lasts, and milestones kept, but nothing else.
	 */
	uint64_t counted_from_ns;
	bool is_paused;
};

struct marks_store_options {
	bool keeps_all_calls;
	uint64_t n_snapshots; /* of each name */
};

enum { MARKS_STORE_TEXT_BYTES = 64 << 20 };

void marks_store_init(struct marks_store *store, struct profile *profile,
		      struct process_table *processes, const struct marks_store_options *options);
void marks_store_release(struct marks_store *store);

/* From `time_ns` on marks are wanted or not. */
void marks_store_set_paused(struct marks_store *store, bool is_paused, uint64_t time_ns);

/*
 * A milestone, with `data` for its own; `thread` may be MARK_NO_THREAD.  Beyond
 * MARKS_MAX_MILESTONES they are dropped and counted.  Returns 0 or -ENOMEM.
 */
int marks_store_milestone(struct marks_store *store, const struct milestone *milestone,
			  struct mark_text data);

/* The recording is over.  Returns 0 or -ENOMEM. */
int marks_store_finish(struct marks_store *store);

#endif
