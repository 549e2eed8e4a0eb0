/* The breakdown's table; its rows are in order already. */
#include "export/report_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/units.h"
#include "tree/measure.h"

enum {
	BREAKDOWN_N_COLUMNS = 14,
	BREAKDOWN_MAX_DEPTH = COMPONENTS_MAX_DEPTH + 2,
};

static void add_breakdown_columns(struct table *table, bool is_timed)
{
	table_add_column(table, (struct table_column){ "Component", "component", COLUMN_FUNCTION });
	table_add_column(table,
			 is_timed ? (struct table_column){ "Time", "time_ns", COLUMN_DURATION }
				  : (struct table_column){ "Samples", "samples", COLUMN_COUNT });
	table_add_column(table,
			 (struct table_column){ "Avg (μs)", "cpu_ns_per_s", COLUMN_MICROSECONDS });
	table_add_column(table, (struct table_column){ "% Total", "share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ "±", "error", COLUMN_SHARE_ERROR });
	table_add_column(table, (struct table_column){ NULL, "low", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ NULL, "high", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ NULL, "kind", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "parent", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "depth", COLUMN_COUNT });
}

static void add_group_columns(struct table *table, bool is_timed)
{
	table_add_column(table, (struct table_column){ NULL, "group", COLUMN_TEXT });
	table_add_column(table,
			 is_timed ? (struct table_column){ NULL, "group_ns", COLUMN_DURATION }
				  : (struct table_column){ NULL, "group_samples", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ NULL, "group_share", COLUMN_SHARE });
	table_add_column(table, (struct table_column){ NULL, "group_error", COLUMN_SHARE_ERROR });
}

/* By row: is it the last of its siblings?  A row's parts lie between it and the next sibling. */
static void find_last_siblings(const struct breakdown *breakdown, bool *is_last)
{
	bool is_seen[BREAKDOWN_MAX_DEPTH + 2] = { false };

	for (size_t i = breakdown->n_rows; i-- > 0;) {
		const unsigned int depth = breakdown->rows[i].depth;

		if (depth > BREAKDOWN_MAX_DEPTH)
			continue;
		is_last[i] = !is_seen[depth];
		is_seen[depth] = true;
		is_seen[depth + 1] = false;
	}
}

static uint64_t per_second(uint64_t weight_ns, uint64_t duration_ns)
{
	return (uint64_t)((double)weight_ns * (double)NS_PER_S / (double)duration_ns + 0.5);
}

/* What all rows of a table have in common. */
struct breakdown_context {
	const struct breakdown *breakdown;
	const struct report_group *group;
	uint64_t duration_ns;
};

static int add_breakdown_row(struct table *table, const struct breakdown_context *context,
			     size_t at, bool is_last)
{
	static const struct report_group no_group = { .name = "" };
	const struct breakdown *breakdown = context->breakdown;
	const struct report_group *group = context->group ? context->group : &no_group;
	const uint64_t duration_ns = context->duration_ns;
	const struct breakdown_row *row = &breakdown->rows[at];
	const struct measure measure = measure_of(breakdown->tree, &row->value);
	const bool has_average = calltree_is_timed(breakdown->tree) && duration_ns > 0;
	const bool is_total = row->kind == BREAKDOWN_TOTAL;
	const struct breakdown_row *parent = row->parent == BREAKDOWN_TOP
						     ? NULL
						     : &breakdown->rows[row->parent];
	const struct table_cell cells[BREAKDOWN_N_COLUMNS] = {
		{ .text = row->name },
		{ .number = measure.weight },
		{ .number = has_average ? per_second(measure.weight, duration_ns) : 0,
		  .is_empty = !has_average },
		{ .share = measure.share },
		{ .share = interval_half_width(measure.interval), .is_empty = is_total },
		{ .share = measure.interval.low, .is_empty = is_total },
		{ .share = measure.interval.high, .is_empty = is_total },
		{ .text = breakdown_kind_key(row->kind) },
		{ .text = parent ? parent->name : "", .is_empty = !parent },
		{ .number = row->depth },
		/* Without a group there are no columns for these. */
		{ .text = group->name },
		{ .number = group->measure.weight },
		{ .share = group->measure.share },
		{ .share = interval_half_width(group->measure.interval) },
	};
	const struct table_row made = {
		.depth = row->depth,
		.is_last = is_last,
		.is_footer = row->depth == 0 && (is_total || row->kind == BREAKDOWN_UNEXPLAINED),
	};

	return table_add_row(table, made, cells);
}

int report_table_build_breakdown(struct table *table, const struct breakdown *breakdown,
				 uint64_t duration_ns, const struct report_group *group)
{
	const struct breakdown_context context = { breakdown, group, duration_ns };
	bool *is_last = calloc(breakdown->n_rows + 1, sizeof(*is_last));
	int r = is_last ? 0 : -ENOMEM;

	*table = (struct table){ .name = "components" };
	add_breakdown_columns(table, calltree_is_timed(breakdown->tree));
	if (group)
		add_group_columns(table, calltree_is_timed(breakdown->tree));
	if (r == 0)
		find_last_siblings(breakdown, is_last);
	for (size_t i = 0; r == 0 && i < breakdown->n_rows; i++)
		r = add_breakdown_row(table, &context, i, is_last[i]);
	free(is_last);
	if (r < 0)
		table_release(table);
	return r;
}
