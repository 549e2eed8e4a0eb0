/*
 * Statistics of scopes.  Their columns are in order of importance, as those
 * furthest to the right go first where a terminal is narrow; what is zero
 * everywhere, or not known, has no column in text.
 */
#include "export/marks_table.h"

#include <errno.h>
#include <stdlib.h>

#include "export/mark_cells.h"

enum scope_field {
	SCOPE_CALLS,
	SCOPE_ERRORS,
	SCOPE_TOTAL,
	SCOPE_SHARE,
	SCOPE_SELF,
	SCOPE_MEAN,
	SCOPE_CPU,
	SCOPE_ALLOCATED,
	SCOPE_FAULTS,
	SCOPE_P95,
	SCOPE_MAX,
	SCOPE_OPEN,
	SCOPE_MEDIAN,
	SCOPE_P99,
	SCOPE_MIN,
	SCOPE_DEVIATION,
	SCOPE_CATEGORY,
	SCOPE_RECORDED,
	SCOPE_CUT,
	SCOPE_COST_CALLS,
	SCOPE_FILE,
	SCOPE_LINE,
	SCOPE_PARENT,
	SCOPE_DEPTH,
	N_SCOPE_FIELDS,
};

static const struct table_column scope_columns[N_SCOPE_FIELDS] = {
	[SCOPE_CALLS] = { "Calls", "calls", COLUMN_COUNT },
	[SCOPE_ERRORS] = { "Errors", "errors", COLUMN_COUNT },
	[SCOPE_OPEN] = { "Open", "open", COLUMN_COUNT },
	[SCOPE_TOTAL] = { "Total", "total_ns", COLUMN_DURATION },
	[SCOPE_SHARE] = { "% Run", "share", COLUMN_SHARE },
	[SCOPE_SELF] = { "Self", "self_ns", COLUMN_DURATION },
	[SCOPE_MEAN] = { "Mean", "mean_ns", COLUMN_DURATION },
	[SCOPE_CPU] = { "CPU/call", "cpu_ns_per_call", COLUMN_DURATION },
	[SCOPE_ALLOCATED] = { "Alloc/call", "allocated_bytes_per_call", COLUMN_BYTES },
	[SCOPE_FAULTS] = { "Faults/call", "faults_per_call", COLUMN_NUMBER },
	[SCOPE_P95] = { "p95", "p95_ns", COLUMN_DURATION },
	[SCOPE_MAX] = { "Max", "max_ns", COLUMN_DURATION },
	[SCOPE_MEDIAN] = { "Median", "median_ns", COLUMN_DURATION },
	[SCOPE_P99] = { "p99", "p99_ns", COLUMN_DURATION },
	[SCOPE_MIN] = { "Min", "min_ns", COLUMN_DURATION },
	[SCOPE_DEVIATION] = { "Std dev", "deviation_ns", COLUMN_DURATION },
	[SCOPE_CATEGORY] = { "Category", "category", COLUMN_TEXT },
	[SCOPE_RECORDED] = { NULL, "recorded_calls", COLUMN_COUNT },
	[SCOPE_CUT] = { NULL, "cut", COLUMN_COUNT },
	[SCOPE_COST_CALLS] = { NULL, "cost_calls", COLUMN_COUNT },
	[SCOPE_FILE] = { NULL, "file", COLUMN_TEXT },
	[SCOPE_LINE] = { NULL, "line", COLUMN_COUNT },
	[SCOPE_PARENT] = { NULL, "parent", COLUMN_TEXT },
	[SCOPE_DEPTH] = { NULL, "depth", COLUMN_COUNT },
};

static const enum scope_field hot_order[] = { SCOPE_CALLS, SCOPE_ERRORS, SCOPE_SELF, SCOPE_TOTAL };

/* The field that is column `at`, behind the name. */
static enum scope_field field_at(size_t at, bool is_hot)
{
	const size_t n_hot = sizeof(hot_order) / sizeof(hot_order[0]);

	if (!is_hot || at > n_hot)
		return (enum scope_field)at;
	return at == n_hot ? SCOPE_SHARE : hot_order[at];
}

static int compare_names(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Are there scopes that only the category tells apart?  A tree may have a name twice anyway. */
static bool has_same_names(const struct scope_rows *rows)
{
	uint32_t *names = calloc(rows->n_rows + 1, sizeof(*names));
	bool is_found = false;

	for (size_t i = 0; names && i < rows->n_rows; i++)
		names[i] = rows->rows[i].name;
	if (names)
		qsort(names, rows->n_rows, sizeof(*names), compare_names);
	for (size_t i = 1; names && i < rows->n_rows; i++)
		is_found |= names[i] == names[i - 1];
	free(names);
	return is_found;
}

static void find_shown(bool is_shown[N_SCOPE_FIELDS], const struct scope_rows *rows, bool is_tree)
{
	for (size_t i = 0; i < N_SCOPE_FIELDS; i++)
		is_shown[i] = true;
	is_shown[SCOPE_ERRORS] = is_shown[SCOPE_OPEN] = is_shown[SCOPE_CPU] = false;
	is_shown[SCOPE_ALLOCATED] = is_shown[SCOPE_FAULTS] = false;
	is_shown[SCOPE_CATEGORY] = !is_tree && has_same_names(rows);
	for (size_t i = 0; i < rows->n_rows; i++) {
		const struct scope_row *row = &rows->rows[i];

		is_shown[SCOPE_ERRORS] |= row->n_errors > 0;
		is_shown[SCOPE_OPEN] |= row->n_open > 0;
		is_shown[SCOPE_CPU] |= row->n_costs > 0;
		is_shown[SCOPE_ALLOCATED] |= scope_cost_known(row->allocated_bytes) > 0;
		is_shown[SCOPE_FAULTS] |= row->n_faults > 0;
	}
}

static struct table_cell duration_cell(uint64_t duration_ns, const struct scope_row *row)
{
	return mark_known_cell(duration_ns, row->n_recorded > 0);
}

/* A file may say anything of it: no less than nothing, no more than fits. */
static uint64_t rounded_ns(double duration_ns)
{
	if (!(duration_ns > 0))
		return 0;
	return duration_ns < (double)UINT64_MAX ? (uint64_t)(duration_ns + 0.5) : UINT64_MAX;
}

static struct table_cell estimate_cell(struct table_cell cell, bool is_estimate)
{
	cell.is_estimate = is_estimate && !cell.is_empty && (cell.number || cell.share > 0);
	return cell;
}

static struct table_cell per_call_cell(uint64_t sum, const struct scope_row *row)
{
	const uint64_t n = row->n_costs ? row->n_costs : 1;

	return mark_known_cell(sum / n + (sum % n >= n - n / 2), row->n_costs > 0);
}

/* What the profile knows of it besides numbers. */
static struct table_cell place_cell(const struct profile *profile, const struct scope_rows *rows,
				    const struct scope_row *row, enum scope_field field)
{
	const struct marks *marks = &profile->marks;
	static const struct mark_site unknown = { 0 };
	const struct mark_site *site = row->site < marks->n_sites ? &marks->sites[row->site]
								  : &unknown;

	if (field == SCOPE_CATEGORY)
		return mark_text_cell(profile, row->category);
	if (field == SCOPE_FILE)
		return mark_text_cell(profile, site->file);
	if (field == SCOPE_LINE)
		return mark_known_cell(site->line, site->line > 0);
	if (field == SCOPE_PARENT && row->parent != SCOPE_ROW_NONE)
		return mark_name_cell(profile, rows->rows[row->parent].name);
	return (struct table_cell){ .is_empty = true };
}

static struct table_cell cell_of(const struct profile *profile, const struct scope_rows *rows,
				 const struct scope_row *row, enum scope_field field)
{
	switch (field) {
	case SCOPE_CALLS:
		return estimate_cell(mark_number_cell(row->n_calls), row->is_estimate);
	case SCOPE_ERRORS:
		return estimate_cell(mark_number_cell(row->n_errors), row->is_estimate);
	case SCOPE_OPEN:
		return mark_number_cell(row->n_open);
	case SCOPE_TOTAL:
		return estimate_cell(duration_cell(row->total_ns, row), row->is_estimate);
	case SCOPE_SHARE:
		return estimate_cell(mark_share_cell(row->total_ns, rows->duration_ns),
				     row->is_estimate);
	case SCOPE_SELF:
		return estimate_cell(duration_cell(row->self_ns, row), row->is_self_estimate);
	case SCOPE_MEAN:
		return duration_cell(rounded_ns(row->mean_ns), row);
	case SCOPE_CPU:
		return per_call_cell(row->cpu_ns, row);
	case SCOPE_ALLOCATED:
		return row->allocated_bytes != SCOPE_COST_UNKNOWN
			       ? per_call_cell(row->allocated_bytes, row)
			       : mark_known_cell(0, false);
	case SCOPE_FAULTS:
		return (struct table_cell){
			.real = row->n_costs ? (double)row->n_faults / (double)row->n_costs : 0,
			.is_empty = !row->n_costs,
		};
	case SCOPE_P95:
		return duration_cell(row->p95_ns, row);
	case SCOPE_MAX:
		return duration_cell(row->max_ns, row);
	case SCOPE_MEDIAN:
		return duration_cell(row->median_ns, row);
	case SCOPE_P99:
		return duration_cell(row->p99_ns, row);
	case SCOPE_MIN:
		return duration_cell(row->min_ns, row);
	case SCOPE_DEVIATION:
		return mark_known_cell(rounded_ns(row->deviation_ns), row->n_recorded > 1);
	case SCOPE_RECORDED:
		return mark_known_cell(row->n_recorded, row->is_estimate);
	case SCOPE_CUT:
		return mark_number_cell(row->n_cut);
	case SCOPE_COST_CALLS:
		return mark_known_cell(row->n_costs, row->n_costs > 0);
	case SCOPE_DEPTH:
		return mark_number_cell(row->depth);
	case SCOPE_CATEGORY:
	case SCOPE_FILE:
	case SCOPE_LINE:
	case SCOPE_PARENT:
	case N_SCOPE_FIELDS:
		break;
	}
	return place_cell(profile, rows, row, field);
}

/* By row: does no sibling follow?  One that is in it does not count. */
static void find_last_siblings(const struct scope_rows *rows, bool *is_last)
{
	uint32_t *last = calloc(rows->n_rows + 1, sizeof(*last));

	for (size_t i = 0; last && i < rows->n_rows; i++)
		last[rows->rows[i].parent == SCOPE_ROW_NONE ? rows->n_rows : rows->rows[i].parent] =
			(uint32_t)i;
	for (size_t i = 0; last && i < rows->n_rows; i++)
		is_last[i] = last[rows->rows[i].parent == SCOPE_ROW_NONE ? rows->n_rows
									 : rows->rows[i].parent] ==
			     i;
	free(last);
}

int marks_table_scopes(struct table *table, const struct profile *profile,
		       const struct scope_rows *rows, bool is_tree, bool is_hot)
{
	const size_t n_fields = is_tree ? N_SCOPE_FIELDS : SCOPE_PARENT;
	bool *is_last = calloc(rows->n_rows + 1, sizeof(*is_last));
	bool is_shown[N_SCOPE_FIELDS];
	int r = is_last ? 0 : -ENOMEM;

	*table = (struct table){ .name = is_tree ? "scope_tree" : "scopes",
				 .min_text_columns = 24 };
	table_add_column(table, (struct table_column){ "Scope", "scope", COLUMN_TEXT });
	find_shown(is_shown, rows, is_tree);
	for (size_t i = 0; i < n_fields; i++) {
		struct table_column column = scope_columns[field_at(i, is_hot)];

		column.title = is_shown[field_at(i, is_hot)] ? column.title : NULL;
		table_add_column(table, column);
	}
	if (is_last && is_tree)
		find_last_siblings(rows, is_last);
	for (size_t i = 0; r == 0 && i < rows->n_rows; i++) {
		const struct scope_row *row = &rows->rows[i];
		struct table_cell cells[1 + N_SCOPE_FIELDS] = { mark_name_cell(profile,
									       row->name) };

		for (size_t n = 0; n < n_fields; n++)
			cells[1 + n] = cell_of(profile, rows, row, field_at(n, is_hot));
		r = table_add_row(table,
				  (struct table_row){ .depth = row->depth, .is_last = is_last[i] },
				  cells);
	}
	free(is_last);
	if (r < 0)
		table_release(table);
	return r;
}
