/* Rows of memory as cells; what a table shows of them is the list of its columns. */
#include "export/memory_table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "export/mark_cells.h"
#include "tree/view.h"

enum memory_cell {
	MEMORY_PROCESS,
	MEMORY_PID,
	MEMORY_RUN,
	MEMORY_READINGS,
	MEMORY_FROM,
	MEMORY_TO,
	MEMORY_FIRST,
	MEMORY_LAST,
	MEMORY_PEAK,
	MEMORY_PEAK_AT,
	MEMORY_PHASE,
	MEMORY_ANONYMOUS,
	MEMORY_PSS,
	MEMORY_HEAP,
	MEMORY_GROWTH,
	MEMORY_RATE,
	MEMORY_RATE_ERROR,
	MEMORY_R2,
	MEMORY_HALF_RATE,
	MEMORY_HALF_RATE_ERROR,
	MEMORY_HALF_R2,
	MEMORY_LEAK,
	MEMORY_MINOR_FAULTS,
	MEMORY_MAJOR_FAULTS,
	MEMORY_VOLUNTARY,
	MEMORY_INVOLUNTARY,
	N_MEMORY_CELLS,
	MEMORY_COURSE = N_MEMORY_CELLS, /* of text alone */
	N_MEMORY_CELLS_AND_COURSE,
};

static const struct table_column columns[N_MEMORY_CELLS_AND_COURSE] = {
	[MEMORY_PROCESS] = { "Process", "process", COLUMN_TEXT },
	[MEMORY_PID] = { NULL, "pid", COLUMN_COUNT },
	[MEMORY_RUN] = { NULL, "run", COLUMN_COUNT },
	[MEMORY_READINGS] = { NULL, "readings", COLUMN_COUNT },
	[MEMORY_FROM] = { NULL, "from_ns", COLUMN_TIME },
	[MEMORY_TO] = { NULL, "to_ns", COLUMN_TIME },
	[MEMORY_FIRST] = { "First", "first_rss_bytes", COLUMN_BYTES },
	[MEMORY_LAST] = { "Last", "last_rss_bytes", COLUMN_BYTES },
	[MEMORY_PEAK] = { "Peak", "peak_rss_bytes", COLUMN_BYTES },
	[MEMORY_PEAK_AT] = { "At", "peak_at_ns", COLUMN_DURATION },
	[MEMORY_PHASE] = { "In", "peak_phase", COLUMN_TEXT },
	[MEMORY_ANONYMOUS] = { NULL, "last_anonymous_bytes", COLUMN_BYTES },
	[MEMORY_PSS] = { NULL, "last_pss_bytes", COLUMN_BYTES },
	[MEMORY_HEAP] = { NULL, "last_heap_bytes", COLUMN_BYTES },
	[MEMORY_GROWTH] = { "Growth", "growth_bytes", COLUMN_SIGNED_BYTES },
	[MEMORY_RATE] = { "per s", "growth_bytes_per_s", COLUMN_SIGNED_BYTES },
	[MEMORY_RATE_ERROR] = { "±", "growth_error_bytes_per_s", COLUMN_BYTES },
	[MEMORY_R2] = { NULL, "growth_r2", COLUMN_NUMBER },
	[MEMORY_HALF_RATE] = { "late per s", "second_half_bytes_per_s", COLUMN_SIGNED_BYTES },
	[MEMORY_HALF_RATE_ERROR] = { NULL, "second_half_error_bytes_per_s", COLUMN_BYTES },
	[MEMORY_HALF_R2] = { "r²", "second_half_r2", COLUMN_NUMBER },
	[MEMORY_LEAK] = { "Leak?", "leak_suspected", COLUMN_TEXT },
	[MEMORY_MINOR_FAULTS] = { "Faults", "minor_faults", COLUMN_COUNT },
	[MEMORY_MAJOR_FAULTS] = { NULL, "major_faults", COLUMN_COUNT },
	[MEMORY_VOLUNTARY] = { NULL, "voluntary_switches", COLUMN_COUNT },
	[MEMORY_INVOLUNTARY] = { NULL, "involuntary_switches", COLUMN_COUNT },
	[MEMORY_COURSE] = { "Course", "course", COLUMN_TEXT },
};

static const uint8_t sizes_cells[] = { MEMORY_PROCESS, MEMORY_FIRST, MEMORY_LAST,  MEMORY_PEAK,
				       MEMORY_PEAK_AT, MEMORY_PHASE, MEMORY_COURSE };
static const uint8_t growth_cells[] = { MEMORY_PROCESS,	   MEMORY_GROWTH,    MEMORY_RATE,
					MEMORY_RATE_ERROR, MEMORY_HALF_RATE, MEMORY_HALF_R2,
					MEMORY_LEAK };

void memory_table_add_name(struct buffer *out, const struct profile *profile,
			   const struct memory_row *row)
{
	const size_t start = out->size;

	if (!row->pid) {
		buffer_add_string(out, "all processes");
		return;
	}
	if (row->thread != MARK_NO_THREAD)
		view_add_group(out, VIEW_BY_PROCESS, profile, row->thread);
	if (out->size == start)
		buffer_printf(out, "%" PRIu32, row->pid);
}

static struct table_cell kept_cell(struct table *table, struct buffer *text)
{
	const char *kept = text->is_failed ? NULL : table_keep_text(table, buffer_string(text));

	buffer_release(text);
	return mark_kept_cell(kept);
}

static struct table_cell name_cell(struct table *table, const struct profile *profile,
				   const struct memory_row *row)
{
	struct buffer text = BUFFER_INIT;

	memory_table_add_name(&text, profile, row);
	return kept_cell(table, &text);
}

/* "loaded → ready", as views by phase call it; nothing where there are no milestones. */
static struct table_cell phase_cell(struct table *table, const struct profile *profile,
				    const struct memory_row *row)
{
	struct buffer text = BUFFER_INIT;

	if (row->peak_after || row->peak_before)
		buffer_printf(&text, "%s → %s",
			      row->peak_after ? interner_get(&profile->strings, row->peak_after)
					      : "start",
			      row->peak_before ? interner_get(&profile->strings, row->peak_before)
					       : "end");
	return kept_cell(table, &text);
}

static struct table_cell course_cell(struct table *table, const struct memory_row *row)
{
	static const char *const levels[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < MEMORY_COURSE_STEPS; i++)
		buffer_add_string(&text, levels[row->course[i]]);
	return kept_cell(table, &text);
}

static struct table_cell real_cell(double number, bool is_known)
{
	return (struct table_cell){ .real = number, .is_empty = !is_known };
}

/* Whole bytes are exact enough. */
static struct table_cell error_cell(double bytes, bool is_known)
{
	const bool fits = bytes >= 0 && bytes < (double)INT64_MAX;

	return mark_known_cell(fits ? (uint64_t)llround(bytes) : 0, is_known && fits);
}

static struct table_cell r2_cell(const struct linear_fit *fit, bool is_known)
{
	return real_cell(round(fit->r2 * 1000) / 1000, is_known);
}

/* What is calculated from the series. */
static void fill_growth(struct table_cell *cells, const struct memory_row *row)
{
	cells[MEMORY_GROWTH] = real_cell((double)row->last_bytes - (double)row->first_bytes, true);
	cells[MEMORY_RATE] = real_cell(row->growth.slope, row->has_growth);
	cells[MEMORY_RATE_ERROR] = error_cell(row->growth.slope_error, row->has_growth);
	cells[MEMORY_R2] = r2_cell(&row->growth, row->has_growth);
	cells[MEMORY_HALF_RATE] = real_cell(row->half.slope, row->has_half);
	cells[MEMORY_HALF_RATE_ERROR] = error_cell(row->half.slope_error, row->has_half);
	cells[MEMORY_HALF_R2] = r2_cell(&row->half, row->has_half);
	cells[MEMORY_LEAK] = mark_kept_cell(row->is_leak_suspected ? "yes" : "no");
	cells[MEMORY_LEAK].is_empty = !row->pid;
}

static int fill_cells(struct table_cell *cells, struct table *table, const struct profile *profile,
		      const struct memory_row *row)
{
	cells[MEMORY_PROCESS] = name_cell(table, profile, row);
	cells[MEMORY_PID] = mark_known_cell(row->pid, row->pid);
	cells[MEMORY_RUN] = mark_known_cell(row->run + UINT64_C(1), profile->n_runs > 1);
	cells[MEMORY_READINGS] = mark_number_cell(row->n_readings);
	cells[MEMORY_FROM] = mark_number_cell(row->first_ns);
	cells[MEMORY_TO] = mark_number_cell(row->last_ns);
	cells[MEMORY_FIRST] = mark_number_cell(row->first_bytes);
	cells[MEMORY_LAST] = mark_number_cell(row->last_bytes);
	cells[MEMORY_PEAK] = mark_number_cell(row->peak_bytes);
	cells[MEMORY_PEAK_AT] = mark_number_cell(row->peak_ns);
	cells[MEMORY_PHASE] = phase_cell(table, profile, row);
	cells[MEMORY_ANONYMOUS] = mark_number_cell(row->anonymous_bytes);
	cells[MEMORY_PSS] = mark_known_cell(row->pss_bytes, row->pss_bytes);
	cells[MEMORY_HEAP] = mark_known_cell(row->heap_bytes, row->heap_bytes);
	fill_growth(cells, row);
	cells[MEMORY_MINOR_FAULTS] = mark_number_cell(row->n_minor_faults);
	cells[MEMORY_MAJOR_FAULTS] = mark_number_cell(row->n_major_faults);
	cells[MEMORY_VOLUNTARY] = mark_number_cell(row->n_voluntary_switches);
	cells[MEMORY_INVOLUNTARY] = mark_number_cell(row->n_involuntary_switches);
	cells[MEMORY_COURSE] = course_cell(table, row);
	return cells[MEMORY_PROCESS].text && cells[MEMORY_COURSE].text ? 0 : -ENOMEM;
}

static int add_row(struct table *table, const struct profile *profile, const struct memory_row *row,
		   const uint8_t *shown, size_t n_shown)
{
	struct table_cell all[N_MEMORY_CELLS_AND_COURSE];
	struct table_cell cells[N_MEMORY_CELLS_AND_COURSE];
	const int r = fill_cells(all, table, profile, row);

	for (size_t i = 0; i < n_shown; i++)
		cells[i] = all[shown[i]];
	return r == 0 ? table_add_row(table, (struct table_row){ .is_footer = !row->pid }, cells)
		      : r;
}

static int build(struct table *table, const char *name, const struct profile *profile,
		 const struct memory_rows *rows, size_t top, const uint8_t *shown, size_t n_shown)
{
	int r = 0;

	*table = (struct table){ .name = name };
	for (size_t i = 0; i < n_shown; i++)
		table_add_column(table, columns[shown[i]]);
	for (size_t i = 0; r == 0 && i < rows->n_rows; i++)
		if (i < top || !rows->rows[i].pid)
			r = add_row(table, profile, &rows->rows[i], shown, n_shown);
	if (r < 0)
		table_release(table);
	return r;
}

int memory_table_sizes(struct table *table, const struct profile *profile,
		       const struct memory_rows *rows, size_t top)
{
	return build(table, "memory", profile, rows, top, sizes_cells, sizeof(sizes_cells));
}

int memory_table_growth(struct table *table, const struct profile *profile,
			const struct memory_rows *rows, size_t top)
{
	return build(table, "growth", profile, rows, top, growth_cells, sizeof(growth_cells));
}

int memory_table_all(struct table *table, const struct profile *profile,
		     const struct memory_rows *rows, size_t top)
{
	uint8_t all[N_MEMORY_CELLS];

	for (uint8_t i = 0; i < N_MEMORY_CELLS; i++)
		all[i] = i;
	return build(table, "memory", profile, rows, top, all, N_MEMORY_CELLS);
}
