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

/* How many changes were until then. */
static size_t count_until(const struct scope_history *history, uint64_t time_ns)
{
	size_t low = 0;
	size_t high = history->n_changes;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (change_at(history, middle)->time_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void drop(struct scope_history *history, size_t n)
{
	const struct scope_change *change;

	if (!n)
		return;
	change = change_at(history, n - 1);
	history->known_from_ns = change->time_ns;
	history->node = change->node;
	history->first += n;
	history->n_changes -= n;
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

int scope_history_reserve(struct scope_history *history, size_t n, uint64_t horizon_ns)
{
	if (history->n_changes && change_at(history, 0)->time_ns <= horizon_ns)
		drop(history, count_until(history, horizon_ns));
	while (history->capacity < SCOPE_HISTORY_MAX_ENTRIES &&
	       history->capacity - history->n_changes < n)
		if (grow(history) < 0)
			return -ENOMEM;
	if (history->capacity - history->n_changes < n)
		drop(history, n - (history->capacity - history->n_changes));
	return 0;
}

int scope_history_add(struct scope_history *history, uint64_t time_ns, uint32_t node,
		      uint64_t horizon_ns)
{
	int r = scope_history_reserve(history, 1, horizon_ns);

	if (r == 0)
		scope_history_append(history, time_ns, node, horizon_ns);
	return r;
}

bool scope_history_find(const struct scope_history *history, uint64_t time_ns, uint32_t *ret_node)
{
	const size_t n = count_until(history, time_ns);

	*ret_node = n ? change_at(history, n - 1)->node : history->node;
	return n || time_ns >= history->known_from_ns;
}
