/* The tables of marks of whatever a file says. */
#include "mark_tables.h"

#include <stdlib.h>

#include "export/marks_table.h"

enum { MAX_ROWS = 5 };

static void write_table(struct buffer *out, struct table *table, int r)
{
	struct json_writer json = { .out = out };

	if (r < 0)
		return;
	table_write_text(out, table, TABLE_PLAIN, 80);
	table_write_csv(out, table);
	json_open_object(&json, NULL);
	table_write_json(&json, table);
	json_close_object(&json);
	table_release(table);
	buffer_clear(out);
}

static void write_milestones(struct buffer *out, const struct profile *profile,
			     const struct view *view)
{
	struct milestone_rows rows;
	struct table table;

	if (milestone_rows_build(&rows, profile, view, NULL) < 0)
		return;
	write_table(out, &table,
		    marks_table_milestones(&table, profile, &rows,
					   list_part_of(rows.n_rows, MAX_ROWS)));
	write_table(out, &table, marks_table_phases(&table, profile, &rows, MAX_ROWS));
	milestone_rows_release(&rows);
}

static void write_scopes(struct buffer *out, const struct profile *profile, const struct view *view)
{
	for (int i = 0; i < 4; i++) {
		const bool is_tree = i & 1;
		const bool is_hot = i & 2;
		struct scope_rows rows;
		struct table table;
		size_t n_hidden;

		if (scope_rows_build(&rows, profile, view, is_tree, NULL) < 0)
			return;
		if (scope_rows_order(&rows, is_hot, MAX_ROWS, &n_hidden) == 0)
			write_table(out, &table,
				    marks_table_scopes(&table, profile, &rows, is_tree, is_hot));
		scope_rows_release(&rows);
	}
}

static void write_calls(struct buffer *out, const struct profile *profile, const struct view *view)
{
	struct call_rows rows;
	struct failure_rows failures;
	struct table table;

	for (enum call_choice choice = CALLS_SLOWEST; choice <= CALLS_IN_ORDER; choice++) {
		if (call_rows_build(&rows, profile, view, choice, NULL) < 0)
			return;
		write_table(out, &table,
			    marks_table_calls(&table, "calls", profile, &rows,
					      list_part_of(rows.n_calls, MAX_ROWS)));
		if (failure_rows_build(&failures, profile, &rows) == 0) {
			write_table(out, &table,
				    marks_table_failures(&table, profile, &failures, MAX_ROWS));
			failure_rows_release(&failures);
		}
		call_rows_release(&rows);
	}
}

static void write_moments(struct buffer *out, const struct profile *profile,
			  const struct view *view)
{
	struct timeline timeline;
	struct counter_rows counters;
	struct table table;

	if (timeline_build(&timeline, profile, view, MAX_ROWS, NULL) == 0) {
		write_table(out, &table, marks_table_timeline(&table, profile, &timeline));
		timeline_release(&timeline);
	}
	if (counter_rows_build(&counters, profile, view, NULL) == 0) {
		write_table(out, &table,
			    marks_table_counters(&table, profile, &counters, MAX_ROWS));
		counter_rows_release(&counters);
	}
}

void mark_tables_write_all(struct buffer *out, const struct profile *profile)
{
	for (int i = 0; i < 3; i++) {
		struct view view = VIEW_INIT;

		view.from = i == 1 ? "1us" : NULL;
		view.in_scope = i == 2 ? "*" : NULL;
		if (view_resolve(&view, profile, NULL) == 0) {
			write_milestones(out, profile, &view);
			write_scopes(out, profile, &view);
			write_calls(out, profile, &view);
			write_moments(out, profile, &view);
		}
		view_release(&view);
	}
}
