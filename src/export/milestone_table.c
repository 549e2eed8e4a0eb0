/* Milestones one by one, and the phases between them. */
#include "export/marks_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "export/mark_cells.h"
#include "tree/mark_filter.h"

static const char *const source_words[] = {
	[MARK_SOURCE_LIBRARY] = "library",
	[MARK_SOURCE_COMMAND] = "command",
	[MARK_SOURCE_OUTPUT] = "output",
	[MARK_SOURCE_PROBE] = "probe",
};

struct list_part list_part_of(size_t n, uint64_t max)
{
	if (n <= max)
		return (struct list_part){ .n_first = n };
	return (struct list_part){ .n_first = (size_t)(max + 1) / 2, .n_last = (size_t)max / 2 };
}

static void add_milestone_columns(struct table *table, const struct mark_threads *threads)
{
	table_add_column(table, (struct table_column){ "Time (s)", "at_ns", COLUMN_TIME });
	table_add_column(table, (struct table_column){ "Since last", "delta_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ "CPU", "cpu_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ "CPU %", "cpu_share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ "Milestone", "name", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Data", "data", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "category", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "source", COLUMN_TEXT });
	mark_threads_add_columns(table, threads);
}

static int add_milestone_row(struct table *table, const struct profile *profile,
			     const struct milestone_row *row, bool is_behind_gap)
{
	const struct marks *marks = &profile->marks;
	const struct milestone *milestone = row->milestone;
	const struct mark_site *site = &marks->sites[milestone->site];
	struct table_cell cells[8 + MARK_THREAD_CELLS] = {
		mark_number_cell(row->at_ns),
		mark_number_cell(row->delta_ns),
		mark_number_cell(row->cpu_ns),
		mark_share_cell(row->cpu_ns, row->delta_ns),
		mark_name_cell(profile, site->name),
		mark_text_cell(profile, milestone->data),
		mark_text_cell(profile, site->category),
		mark_kept_cell(site->source <= MARK_SOURCE_PROBE ? source_words[site->source]
								 : NULL),
	};

	if (mark_threads_add_cells(table, profile, milestone->thread, &cells[8]) < 0)
		return -ENOMEM;
	return table_add_row(table, (struct table_row){ .is_footer = is_behind_gap }, cells);
}

int marks_table_milestones(struct table *table, const struct profile *profile,
			   const struct milestone_rows *rows, struct list_part part)
{
	const size_t first_last = rows->n_rows - part.n_last;
	struct mark_threads threads = { 0 };
	int r = 0;

	*table = (struct table){ .name = "milestones" };
	for (size_t i = 0; i < rows->n_rows; i++)
		mark_threads_see(&threads, rows->rows[i].milestone->thread);
	add_milestone_columns(table, &threads);
	for (size_t i = 0; r == 0 && i < part.n_first; i++)
		r = add_milestone_row(table, profile, &rows->rows[i], false);
	for (size_t i = first_last; r == 0 && i < rows->n_rows; i++)
		r = add_milestone_row(table, profile, &rows->rows[i], i == first_last);
	if (r < 0)
		table_release(table);
	return r;
}

/* Once each, all of these but the total are the same. */
static void add_phase_columns(struct table *table, bool is_repeated)
{
	table_add_column(table, (struct table_column){ "Phase", "phase", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "from", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "to", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ is_repeated ? "Count" : NULL, "count",
						       COLUMN_COUNT });
	table_add_column(table, (struct table_column){ "Total", "total_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ "% Run", "share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ "CPU", "cpu_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ "CPU %", "cpu_share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ is_repeated ? "Mean" : NULL, "mean_ns",
						       COLUMN_DURATION });
	table_add_column(table, (struct table_column){ is_repeated ? "Median" : NULL, "median_ns",
						       COLUMN_DURATION });
	table_add_column(table, (struct table_column){ is_repeated ? "Max" : NULL, "max_ns",
						       COLUMN_DURATION });
	table_add_column(table, (struct table_column){ is_repeated ? "p95" : NULL, "p95_ns",
						       COLUMN_DURATION });
	table_add_column(table, (struct table_column){ is_repeated ? "Min" : NULL, "min_ns",
						       COLUMN_DURATION });
}

static struct table_cell edge_cell(const struct profile *profile, uint32_t edge)
{
	if (edge == PHASE_EDGE)
		return (struct table_cell){ .is_empty = true };
	return mark_name_cell(profile, edge);
}

static const char *phase_name(struct table *table, const struct table_cell *from,
			      const struct table_cell *to)
{
	struct buffer text = BUFFER_INIT;
	const char *kept = NULL;

	buffer_add_string(&text, from->is_empty ? "start" : from->text);
	buffer_add_string(&text, " → ");
	buffer_add_string(&text, to->is_empty ? "end" : to->text);
	if (!text.is_failed)
		kept = table_keep_text(table, buffer_string(&text));
	buffer_release(&text);
	return kept;
}

static int add_phase_row(struct table *table, const struct profile *profile,
			 const struct phase_row *row, uint64_t duration_ns)
{
	const struct table_cell from = edge_cell(profile, row->from);
	const struct table_cell to = edge_cell(profile, row->to);
	const struct table_cell cells[] = {
		mark_kept_cell(phase_name(table, &from, &to)),
		from,
		to,
		mark_number_cell(row->n_times),
		mark_number_cell(row->total_ns),
		mark_share_cell(row->total_ns, duration_ns),
		mark_number_cell(row->cpu_ns),
		mark_share_cell(row->cpu_ns, row->total_ns),
		mark_number_cell(row->total_ns / (row->n_times ? row->n_times : 1)),
		mark_number_cell(row->median_ns),
		mark_number_cell(row->max_ns),
		mark_number_cell(row->p95_ns),
		mark_number_cell(row->min_ns),
	};

	if (!cells[0].text)
		return -ENOMEM;
	return table_add_row(table, (struct table_row){ 0 }, cells);
}

struct phase_order {
	uint64_t total_ns;
	size_t at;
};

static int compare_phases(const void *a, const void *b)
{
	const struct phase_order *x = a;
	const struct phase_order *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* By index: is it one of the longest? */
static bool *find_longest(const struct milestone_rows *rows, size_t top)
{
	struct phase_order *order = calloc(rows->n_phases + 1, sizeof(*order));
	bool *is_kept = calloc(rows->n_phases + 1, sizeof(*is_kept));

	for (size_t i = 0; order && i < rows->n_phases; i++)
		order[i] = (struct phase_order){ rows->phases[i].total_ns, i };
	if (order)
		qsort(order, rows->n_phases, sizeof(*order), compare_phases);
	for (size_t i = 0; order && is_kept && i < rows->n_phases && i < top; i++)
		is_kept[order[i].at] = true;
	if (!order) {
		free(is_kept);
		is_kept = NULL;
	}
	free(order);
	return is_kept;
}

int marks_table_phases(struct table *table, const struct profile *profile,
		       const struct milestone_rows *rows, size_t top)
{
	bool *is_kept = find_longest(rows, top);
	bool is_repeated = false;
	int r = is_kept ? 0 : -ENOMEM;

	*table = (struct table){ .name = "phases", .min_text_columns = 24 };
	for (size_t i = 0; i < rows->n_phases; i++)
		is_repeated |= rows->phases[i].n_times > 1;
	add_phase_columns(table, is_repeated);
	for (size_t i = 0; r == 0 && i < rows->n_phases; i++)
		if (is_kept[i])
			r = add_phase_row(table, profile, &rows->phases[i], rows->duration_ns);
	free(is_kept);
	if (r < 0)
		table_release(table);
	return r;
}
