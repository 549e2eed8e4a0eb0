/* The table of what a call takes; its rows are in order already. */
#include "export/report_table.h"

#include <errno.h>
#include <stdbool.h>

static void add_columns(struct table *table)
{
	static const struct table_column columns[] = {
		{ "Component", "component", COLUMN_FUNCTION },
		{ "Avg (μs)", "mean_ns", COLUMN_FINE_MICROSECONDS },
		{ "±", "error_ns", COLUMN_FINE_MICROSECONDS },
		{ NULL, "low_ns", COLUMN_FINE_MICROSECONDS },
		{ NULL, "high_ns", COLUMN_FINE_MICROSECONDS },
		{ "% Total", "share", COLUMN_SHARE },
		{ "Samples", "samples", COLUMN_COUNT },
		{ NULL, "kind", COLUMN_TEXT },
		{ NULL, "parent", COLUMN_TEXT },
		{ NULL, "depth", COLUMN_COUNT },
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		table_add_column(table, columns[i]);
}

/* Whatever follows at this depth before the parent's rows are over is a sibling. */
static bool is_last_sibling(const struct per_call *per_call, size_t at)
{
	const unsigned int depth = per_call->rows[at].depth;

	for (size_t i = at + 1; i < per_call->n_rows && per_call->rows[i].depth >= depth; i++)
		if (per_call->rows[i].depth == depth)
			return false;
	return true;
}

static int add_row(struct table *table, const struct per_call *per_call, size_t at)
{
	const struct per_call_row *row = &per_call->rows[at];
	const struct per_call_row *parent = row->parent == BREAKDOWN_TOP
						    ? NULL
						    : &per_call->rows[row->parent];
	const bool is_sampled = row->kind != BREAKDOWN_WAITING && row->kind != BREAKDOWN_DIFFERENCE;
	const struct table_cell cells[] = {
		{ .text = row->name },
		{ .real = row->mean_ns },
		{ .real = interval_half_width(row->interval_ns), .is_empty = !row->has_interval },
		{ .real = row->interval_ns.low, .is_empty = !row->has_interval },
		{ .real = row->interval_ns.high, .is_empty = !row->has_interval },
		{ .share = row->share },
		{ .number = row->n_samples, .is_empty = !is_sampled },
		{ .text = breakdown_kind_key(row->kind) },
		{ .text = parent ? parent->name : "", .is_empty = !parent },
		{ .number = row->depth },
	};
	const struct table_row made = {
		.depth = row->depth,
		.is_last = is_last_sibling(per_call, at),
		.is_footer = row->depth == 0 &&
			     (row->kind == BREAKDOWN_TOTAL || row->kind == BREAKDOWN_UNEXPLAINED),
	};

	return table_add_row(table, made, cells);
}

int report_table_build_per_call(struct table *table, const struct per_call *per_call)
{
	int r = 0;

	*table = (struct table){ .name = "per_call" };
	add_columns(table);
	for (size_t i = 0; r == 0 && i < per_call->n_rows; i++)
		r = add_row(table, per_call, i);
	if (r < 0)
		table_release(table);
	return r;
}
