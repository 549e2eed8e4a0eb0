/* Single calls of scopes, and what failed. */
#include "export/marks_table.h"

#include <errno.h>

#include "export/mark_cells.h"
#include "tree/mark_filter.h"

enum { CALL_CELLS = 11 };

static void add_call_columns(struct table *table, const struct mark_threads *threads)
{
	table_add_column(table, (struct table_column){ "Start (s)", "start_ns", COLUMN_TIME });
	table_add_column(table,
			 (struct table_column){ "Duration", "duration_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ "Scope", "scope", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "category", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Arguments", "arguments", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Error", "error", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "End", "end", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "CPU", "cpu_ns", COLUMN_DURATION });
	table_add_column(table, (struct table_column){ NULL, "allocated_bytes", COLUMN_BYTES });
	table_add_column(table, (struct table_column){ NULL, "faults", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ NULL, "failed", COLUMN_COUNT });
	mark_threads_add_columns(table, threads);
}

/* How it ended, where that was not by itself. */
static const char *end_word(const struct scope_call *call)
{
	if (call->flags & SCOPE_CALL_OPEN)
		return "open";
	return call->flags & SCOPE_CALL_CUT ? "cut" : "";
}

static int add_call_row(struct table *table, const struct profile *profile,
			const struct scope_call *call, bool is_behind_gap)
{
	const struct mark_site *site = &profile->marks.sites[call_site(profile, call)];
	const bool has_costs = call->flags & SCOPE_CALL_COSTS;
	const bool has_failed = call->flags & SCOPE_CALL_ERROR;
	struct table_cell cells[CALL_CELLS + MARK_THREAD_CELLS] = {
		mark_number_cell(mark_since_ns(profile, call->start_ns)),
		mark_number_cell(call->duration_ns),
		mark_name_cell(profile, site->name),
		mark_text_cell(profile, site->category),
		mark_text_cell(profile, call->arguments),
		mark_text_cell(profile, call->error),
		mark_kept_cell(end_word(call)),
		mark_known_cell(call->cpu_ns, has_costs),
		mark_known_cell(call->allocated_bytes,
				has_costs && call->allocated_bytes != SCOPE_COST_UNKNOWN),
		mark_known_cell(call->n_faults, has_costs),
		mark_known_cell(1, has_failed),
	};

	if (has_failed && cells[5].is_empty)
		cells[5] = mark_kept_cell("[no message]");
	if (mark_threads_add_cells(table, profile, call->thread, &cells[CALL_CELLS]) < 0)
		return -ENOMEM;
	return table_add_row(table, (struct table_row){ .is_footer = is_behind_gap }, cells);
}

int marks_table_calls(struct table *table, const char *name, const struct profile *profile,
		      const struct call_rows *rows, struct list_part part)
{
	const size_t first_last = rows->n_calls - part.n_last;
	struct mark_threads threads = { 0 };
	int r = 0;

	*table = (struct table){ .name = name };
	for (size_t i = 0; i < rows->n_calls; i++)
		mark_threads_see(&threads, rows->calls[i]->thread);
	add_call_columns(table, &threads);
	for (size_t i = 0; r == 0 && i < part.n_first; i++)
		r = add_call_row(table, profile, rows->calls[i], false);
	for (size_t i = first_last; r == 0 && i < rows->n_calls; i++)
		r = add_call_row(table, profile, rows->calls[i], i == first_last);
	if (r < 0)
		table_release(table);
	return r;
}

int marks_table_failures(struct table *table, const struct profile *profile,
			 const struct failure_rows *rows, size_t top)
{
	int r = 0;

	*table = (struct table){ .name = "failures" };
	table_add_column(table, (struct table_column){ "Calls", "calls", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ "Scope", "scope", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Error", "error", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "First (s)", "first_ns", COLUMN_TIME });
	table_add_column(table, (struct table_column){ "Last (s)", "last_ns", COLUMN_TIME });
	for (size_t i = 0; r == 0 && i < rows->n_rows && i < top; i++) {
		const struct failure_row *row = &rows->rows[i];
		struct table_cell cells[] = {
			mark_number_cell(row->n_calls),	       mark_name_cell(profile, row->name),
			mark_text_cell(profile, row->message), mark_number_cell(row->first_ns),
			mark_number_cell(row->last_ns),
		};

		if (cells[2].is_empty)
			cells[2] = mark_kept_cell("[no message]");
		r = table_add_row(table, (struct table_row){ 0 }, cells);
	}
	if (r < 0)
		table_release(table);
	return r;
}
