/* Choose, then sort: pointers, as there may be as many calls as fit a file. */
#include "tree/call_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "tree/mark_filter.h"

uint32_t call_site(const struct profile *profile, const struct scope_call *call)
{
	const struct scope_tree *scopes = &profile->marks.scopes;

	return call->node && call->node < scopes->n_nodes ? scopes->nodes[call->node].site
							  : UINT32_MAX;
}

struct mark_place call_place(const struct profile *profile, const struct scope_call *call)
{
	return (struct mark_place){ call->thread, call->node, call_site(profile, call) };
}

static int compare_times(const void *a, const void *b)
{
	const struct scope_call *x = *(const struct scope_call *const *)a;
	const struct scope_call *y = *(const struct scope_call *const *)b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int compare_durations(const void *a, const void *b)
{
	const struct scope_call *x = *(const struct scope_call *const *)a;
	const struct scope_call *y = *(const struct scope_call *const *)b;

	if (x->duration_ns != y->duration_ns)
		return x->duration_ns > y->duration_ns ? -1 : 1;
	return compare_times(a, b);
}

int call_rows_build(struct call_rows *rows, const struct profile *profile, const struct view *view,
		    enum call_choice choice, struct error *err)
{
	const struct marks *marks = &profile->marks;
	struct mark_filter filter;
	int r = mark_filter_init(&filter, profile, view, err);

	*rows = (struct call_rows){ 0 };
	if (r < 0)
		return r;
	rows->calls = calloc(marks->n_calls + 1, sizeof(*rows->calls));
	for (size_t i = 0; rows->calls && i < marks->n_calls; i++) {
		const struct scope_call *call = &marks->calls[i];

		if (choice == CALLS_FAILED && !(call->flags & SCOPE_CALL_ERROR))
			continue;
		if (mark_filter_has_at(&filter, call_place(profile, call), call->start_ns))
			rows->calls[rows->n_calls++] = call;
	}
	mark_filter_release(&filter);
	if (!rows->calls)
		return error_set_no_memory(err);
	qsort(rows->calls, rows->n_calls, sizeof(*rows->calls),
	      choice == CALLS_SLOWEST ? compare_durations : compare_times);
	return 0;
}

void call_rows_release(struct call_rows *rows)
{
	free(rows->calls);
	*rows = (struct call_rows){ 0 };
}

static int compare_likes(const void *a, const void *b)
{
	const struct failure_row *x = a;
	const struct failure_row *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->message < y->message ? -1 : x->message > y->message;
}

static int compare_counts(const void *a, const void *b)
{
	const struct failure_row *x = a;
	const struct failure_row *y = b;

	if (x->n_calls != y->n_calls)
		return x->n_calls > y->n_calls ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return compare_likes(a, b);
}

/* Sorted rows of one call each become one row for each kind. */
static void join_likes(struct failure_rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n_rows; i++) {
		const struct failure_row *row = &rows->rows[i];
		struct failure_row *last = n ? &rows->rows[n - 1] : NULL;

		if (!last || compare_likes(last, row) != 0) {
			rows->rows[n++] = *row;
			continue;
		}
		last->n_calls++;
		if (row->first_ns < last->first_ns)
			last->first_ns = row->first_ns;
		if (row->last_ns > last->last_ns)
			last->last_ns = row->last_ns;
	}
	rows->n_rows = n;
}

int failure_rows_build(struct failure_rows *rows, const struct profile *profile,
		       const struct call_rows *failed)
{
	*rows = (struct failure_rows){ .n_rows = failed->n_calls };
	rows->rows = calloc(failed->n_calls + 1, sizeof(*rows->rows));
	if (!rows->rows)
		return -ENOMEM;
	for (size_t i = 0; i < failed->n_calls; i++) {
		const struct scope_call *call = failed->calls[i];
		const uint64_t at_ns = mark_since_ns(profile, call->start_ns);

		rows->rows[i] = (struct failure_row){
			.name = mark_name(profile, call_site(profile, call)),
			.message = call->error,
			.n_calls = 1,
			.first_ns = at_ns,
			.last_ns = at_ns,
		};
	}
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_likes);
	join_likes(rows);
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_counts);
	return 0;
}

void failure_rows_release(struct failure_rows *rows)
{
	free(rows->rows);
	*rows = (struct failure_rows){ 0 };
}
