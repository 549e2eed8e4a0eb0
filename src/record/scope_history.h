#ifndef TSPROF_RECORD_SCOPE_HISTORY_H
#define TSPROF_RECORD_SCOPE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * In which scope a thread was, for samples that arrive some milliseconds after
 * the marks.  Only what can still be asked for is kept, and never more than
 * SCOPE_HISTORY_MAX_ENTRIES.  All zero at first.
 */
enum { SCOPE_HISTORY_MAX_ENTRIES = 1 << 20 };

struct scope_history {
	struct scope_change {
		uint64_t time_ns;
		uint32_t node;
	} * changes; /* a ring of `capacity`, a power of two */
	size_t capacity;
	size_t first; /* counts for ever */
	size_t n_changes;
	uint64_t known_from_ns; /* what is asked of before is not known any more … */
	uint32_t node;		/* … and from then until the first change it was here */
};

/*
 * From `time_ns` on the thread was in `node`; times do not go back.  Nobody will
 * ask for what was before `horizon_ns`.  Returns 0 or -ENOMEM.
 */
int scope_history_add(struct scope_history *history, uint64_t time_ns, uint32_t node,
		      uint64_t horizon_ns);

/*
 * The same for many: have room for `n`, which is at most SCOPE_HISTORY_MAX_ENTRIES, and append
 * them, with the horizon that was told.  Returns 0 or -ENOMEM.
 */
int scope_history_reserve(struct scope_history *history, size_t n, uint64_t horizon_ns);

static inline void scope_history_append(struct scope_history *history, uint64_t time_ns,
					uint32_t node, uint64_t horizon_ns)
{
	if (time_ns <= horizon_ns) {
		history->known_from_ns = time_ns;
		history->node = node;
		return;
	}
	history->changes[(history->first + history->n_changes++) & (history->capacity - 1)] =
		(struct scope_change){ .time_ns = time_ns, .node = node };
}

/* The node at that time; false when it is no longer known, and then a guess. */
bool scope_history_find(const struct scope_history *history, uint64_t time_ns, uint32_t *ret_node);

void scope_history_release(struct scope_history *history);

#endif
