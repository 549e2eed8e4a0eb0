/* Values sorted by name and time are rows of one value each, which are put together. */
#include "tree/counter_rows.h"

#include <math.h>
#include <stdlib.h>

#include "tree/mark_filter.h"

static int compare_names(const struct counter_row *x, const struct counter_row *y)
{
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->category < y->category ? -1 : x->category > y->category;
}

static int compare_values(const void *a, const void *b)
{
	const struct counter_row *x = a;
	const struct counter_row *y = b;
	const int order = compare_names(x, y);

	if (order)
		return order;
	return x->last_ns < y->last_ns ? -1 : x->last_ns > y->last_ns;
}

static void add_value(struct counter_row *row, const struct counter_row *value)
{
	row->n_values++;
	row->min = fmin(row->min, value->min);
	row->max = fmax(row->max, value->max);
	row->last = value->last;
	row->last_ns = value->last_ns;
}

/* The sum of values of one name is in more digits than theirs, and does not overflow. */
static void join_values(struct counter_rows *rows)
{
	long double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < rows->n_rows; i++) {
		struct counter_row *last = n ? &rows->rows[n - 1] : NULL;
		const double value = rows->rows[i].last;

		if (last && compare_names(last, &rows->rows[i]) == 0) {
			add_value(last, &rows->rows[i]);
			sum += value;
		} else {
			last = &rows->rows[n++];
			*last = rows->rows[i];
			sum = value;
		}
		last->mean = (double)(sum / (long double)last->n_values);
	}
	rows->n_rows = n;
}

static void find_values(struct counter_rows *rows, const struct mark_filter *filter)
{
	const struct profile *profile = filter->profile;
	const struct marks *marks = &profile->marks;

	for (size_t i = 0; i < marks->n_counters; i++) {
		const struct counter_value *counter = &marks->counters[i];
		const double value = counter->value;

		if (isnan(value) ||
		    !mark_filter_has_at(filter, counter_place(counter), counter->time_ns))
			continue;
		rows->rows[rows->n_rows++] = (struct counter_row){
			.name = marks->sites[counter->site].name,
			.category = marks->sites[counter->site].category,
			.n_values = 1,
			.min = value,
			.mean = value,
			.max = value,
			.last = value,
			.last_ns = mark_since_ns(profile, counter->time_ns),
		};
	}
}

int counter_rows_build(struct counter_rows *rows, const struct profile *profile,
		       const struct view *view, struct error *err)
{
	struct mark_filter filter;
	int r = mark_filter_init(&filter, profile, view, err);

	*rows = (struct counter_rows){ 0 };
	if (r < 0)
		return r;
	rows->rows = calloc(profile->marks.n_counters + 1, sizeof(*rows->rows));
	if (rows->rows)
		find_values(rows, &filter);
	mark_filter_release(&filter);
	if (!rows->rows)
		return error_set_no_memory(err);
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_values);
	join_values(rows);
	return 0;
}

void counter_rows_release(struct counter_rows *rows)
{
	free(rows->rows);
	*rows = (struct counter_rows){ 0 };
}
