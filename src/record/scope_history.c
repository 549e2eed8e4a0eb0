/* Changes in order of time; what falls off at the front is where the rest begins. */
#include "record/scope_history.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void scope_history_release(struct scope_history *history)
{
	free(history->changes);
	*history = (struct scope_history){ 0 };
}

static struct scope_change *change_at(const struct scope_history *history, size_t i)
{
	return &history->changes[(history->first + i) & (history->capacity - 1)];
}

static void drop_first(struct scope_history *history)
{
	const struct scope_change *change = change_at(history, 0);

	history->known_from_ns = change->time_ns;
	history->node = change->node;
	history->first++;
	history->n_changes--;
}

static int grow(struct scope_history *history)
{
	const size_t capacity = history->capacity ? 2 * history->capacity : FIRST_CAPACITY;
	struct scope_change *changes = malloc(capacity * sizeof(*changes));

	if (!changes)
		return -ENOMEM;
	for (size_t i = 0; i < history->n_changes; i++)
		changes[i] = *change_at(history, i);
	free(history->changes);
	history->changes = changes;
	history->capacity = capacity;
	history->first = 0;
	return 0;
}

int scope_history_add(struct scope_history *history, uint64_t time_ns, uint32_t node,
		      uint64_t horizon_ns)
{
	int r = 0;

	while (history->n_changes && change_at(history, 0)->time_ns <= horizon_ns)
		drop_first(history);
	if (!history->n_changes && time_ns <= horizon_ns) {
		history->known_from_ns = time_ns;
		history->node = node;
		return 0;
	}
	if (history->n_changes == history->capacity) {
		if (history->capacity == SCOPE_HISTORY_MAX_ENTRIES)
			drop_first(history);
		else
			r = grow(history);
	}
	if (r < 0)
		return r;
	*change_at(history, history->n_changes++) = (struct scope_change){ .time_ns = time_ns,
									   .node = node };
	return 0;
}

bool scope_history_find(const struct scope_history *history, uint64_t time_ns, uint32_t *ret_node)
{
	size_t low = 0;
	size_t high = history->n_changes;

	/* The first change after it. */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (change_at(history, middle)->time_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_node = low ? change_at(history, low - 1)->node : history->node;
	return low || time_ns >= history->known_from_ns;
}
