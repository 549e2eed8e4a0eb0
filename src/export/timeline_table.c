/* What is told of single moments: the timeline, counters and snapshots. */
#include "export/marks_table.h"

#include <errno.h>
#include <inttypes.h>

#include "base/units.h"
#include "export/mark_cells.h"
#include "tree/mark_filter.h"

static const char *const kind_words[TIMELINE_N_KINDS] = {
	[TIMELINE_MILESTONE] = "milestone", [TIMELINE_SCOPE] = "scope",
	[TIMELINE_COUNTER] = "counter",	    [TIMELINE_SNAPSHOT] = "snapshot",
	[TIMELINE_MEMORY] = "memory",
};

/* In front of those of the thread. */
enum timeline_cell {
	TIMELINE_AT,
	TIMELINE_KIND,
	TIMELINE_NAME,
	TIMELINE_DETAILS,
	TIMELINE_CATEGORY,
	TIMELINE_DURATION,
	TIMELINE_DATA,
	TIMELINE_ARGUMENTS,
	TIMELINE_ERROR,
	TIMELINE_VALUE,
	TIMELINE_SNAPSHOT_ID,
	TIMELINE_SIZE,
	TIMELINE_RSS,
	TIMELINE_ANONYMOUS,
	N_TIMELINE_CELLS,
};

static const struct table_column timeline_columns[N_TIMELINE_CELLS] = {
	[TIMELINE_AT] = { "Time (s)", "at_ns", COLUMN_TIME },
	[TIMELINE_KIND] = { "What", "kind", COLUMN_TEXT },
	[TIMELINE_NAME] = { "Name", "name", COLUMN_TEXT },
	[TIMELINE_DETAILS] = { "Details", "details", COLUMN_TEXT },
	[TIMELINE_CATEGORY] = { NULL, "category", COLUMN_TEXT },
	[TIMELINE_DURATION] = { NULL, "duration_ns", COLUMN_DURATION },
	[TIMELINE_DATA] = { NULL, "data", COLUMN_TEXT },
	[TIMELINE_ARGUMENTS] = { NULL, "arguments", COLUMN_TEXT },
	[TIMELINE_ERROR] = { NULL, "error", COLUMN_TEXT },
	[TIMELINE_VALUE] = { NULL, "value", COLUMN_NUMBER },
	[TIMELINE_SNAPSHOT_ID] = { NULL, "snapshot", COLUMN_COUNT },
	[TIMELINE_SIZE] = { NULL, "size_bytes", COLUMN_BYTES },
	[TIMELINE_RSS] = { NULL, "rss_bytes", COLUMN_BYTES },
	[TIMELINE_ANONYMOUS] = { NULL, "anonymous_bytes", COLUMN_BYTES },
};

/* An entry with all that is told of it. */
struct timeline_line {
	struct table_cell cells[N_TIMELINE_CELLS + MARK_THREAD_CELLS];
	struct buffer details;
	uint32_t thread;
	uint32_t site;
};

static void add_milestone(struct timeline_line *line, const struct profile *profile, size_t index)
{
	const struct milestone *milestone = &profile->marks.milestones[index];

	line->thread = milestone->thread;
	line->site = milestone->site;
	line->cells[TIMELINE_DATA] = mark_text_cell(profile, milestone->data);
	buffer_add_string(&line->details, interner_get(&profile->strings, milestone->data));
}

static void add_call(struct timeline_line *line, const struct profile *profile, size_t index)
{
	const struct scope_call *call = &profile->marks.calls[index];
	const char *const arguments = interner_get(&profile->strings, call->arguments);
	const char *const error = interner_get(&profile->strings, call->error);
	char text[UNITS_TEXT_BYTES];

	line->thread = call->thread;
	line->site = call_site(profile, call);
	line->cells[TIMELINE_DURATION] = mark_number_cell(call->duration_ns);
	line->cells[TIMELINE_ARGUMENTS] = mark_text_cell(profile, call->arguments);
	line->cells[TIMELINE_ERROR] = mark_text_cell(profile, call->error);
	buffer_add_string(&line->details, units_duration(text, call->duration_ns));
	if (call->flags & SCOPE_CALL_OPEN)
		buffer_add_string(&line->details, ", open");
	if (call->flags & SCOPE_CALL_ERROR)
		buffer_printf(&line->details, ", failed%s%s", error[0] ? ": " : "", error);
	if (arguments[0])
		buffer_printf(&line->details, ", %s", arguments);
}

static void add_counter(struct timeline_line *line, const struct profile *profile, size_t index)
{
	const struct counter_value *counter = &profile->marks.counters[index];

	line->thread = counter->thread;
	line->site = counter->site;
	line->cells[TIMELINE_VALUE] = (struct table_cell){ .real = counter->value };
	buffer_printf(&line->details, "%.6g", counter->value);
}

static void add_snapshot(struct timeline_line *line, const struct profile *profile, size_t index)
{
	const struct snapshot *snapshot = &profile->marks.snapshots[index];
	char text[UNITS_TEXT_BYTES];

	line->thread = snapshot->thread;
	line->site = snapshot->site;
	line->cells[TIMELINE_SNAPSHOT_ID] = mark_number_cell(index + 1);
	line->cells[TIMELINE_SIZE] = mark_number_cell(snapshot->size_bytes);
	buffer_printf(&line->details, "%zu: %s%s%s", index + 1,
		      units_bytes(text, snapshot->size_bytes), snapshot->is_text ? " of text" : "",
		      snapshot->is_cut ? ", cut" : "");
}

static void add_memory(struct timeline_line *line, const struct profile *profile, size_t index)
{
	const struct resource_sample *resource = &profile->marks.resources[index];
	char rss[UNITS_TEXT_BYTES];
	char anonymous[UNITS_TEXT_BYTES];

	line->cells[TIMELINE_RSS] = mark_number_cell(resource->rss_bytes);
	line->cells[TIMELINE_ANONYMOUS] = mark_number_cell(resource->anonymous_bytes);
	buffer_printf(&line->details, "%s resident, %s anonymous",
		      units_bytes(rss, resource->rss_bytes),
		      units_bytes(anonymous, resource->anonymous_bytes));
}

/* The cells that are for one kind only. */
static void add_kind(struct timeline_line *line, const struct profile *profile,
		     const struct timeline_entry *entry)
{
	switch (entry->kind) {
	case TIMELINE_MILESTONE:
		add_milestone(line, profile, entry->index);
		return;
	case TIMELINE_SCOPE:
		add_call(line, profile, entry->index);
		return;
	case TIMELINE_COUNTER:
		add_counter(line, profile, entry->index);
		return;
	case TIMELINE_SNAPSHOT:
		add_snapshot(line, profile, entry->index);
		return;
	case TIMELINE_MEMORY:
	case TIMELINE_N_KINDS:
		add_memory(line, profile, entry->index);
		return;
	}
}

/* Of memory the process is known and no thread: any of its own names it. */
static uint32_t thread_of_process(const struct profile *profile,
				  const struct resource_sample *resource)
{
	for (uint32_t i = 0; i < profile->n_threads; i++)
		if (profile->threads[i].pid == resource->pid &&
		    profile_run_of(profile, i) == resource->run)
			return i;
	return MARK_NO_THREAD;
}

static int add_memory_cells(struct table *table, const struct profile *profile,
			    const struct resource_sample *resource, struct table_cell *cells)
{
	const uint32_t thread = thread_of_process(profile, resource);
	struct table_cell *threads = &cells[N_TIMELINE_CELLS];

	if (mark_threads_add_cells(table, profile, thread, threads) < 0)
		return -ENOMEM;
	threads[0] = threads[3] = (struct table_cell){ .is_empty = true };
	threads[2] = mark_number_cell(resource->pid);
	if (thread == MARK_NO_THREAD)
		return 0;
	cells[TIMELINE_NAME] = mark_group_cell(table, profile, VIEW_BY_PROCESS, thread);
	return cells[TIMELINE_NAME].text ? 0 : -ENOMEM;
}

static int add_entry(struct table *table, const struct profile *profile,
		     const struct timeline_entry *entry)
{
	const struct marks *marks = &profile->marks;
	struct timeline_line line = { .details = BUFFER_INIT, .site = UINT32_MAX };
	const char *details;
	int r;

	for (size_t i = 0; i < N_TIMELINE_CELLS; i++)
		line.cells[i].is_empty = true;
	add_kind(&line, profile, entry);
	details = line.details.is_failed ? NULL
					 : table_keep_text(table, buffer_string(&line.details));
	buffer_release(&line.details);
	if (!details)
		return -ENOMEM;
	line.cells[TIMELINE_AT] = mark_number_cell(entry->at_ns);
	line.cells[TIMELINE_KIND] = mark_kept_cell(kind_words[entry->kind]);
	line.cells[TIMELINE_DETAILS] = mark_kept_cell(details);
	if (line.site < marks->n_sites) {
		line.cells[TIMELINE_NAME] = mark_name_cell(profile, marks->sites[line.site].name);
		line.cells[TIMELINE_CATEGORY] = mark_text_cell(profile,
							       marks->sites[line.site].category);
	}
	r = entry->kind == TIMELINE_MEMORY
		    ? add_memory_cells(table, profile, &marks->resources[entry->index], line.cells)
		    : mark_threads_add_cells(table, profile, line.thread,
					     &line.cells[N_TIMELINE_CELLS]);
	return r < 0 ? r : table_add_row(table, (struct table_row){ 0 }, line.cells);
}

static uint32_t entry_thread(const struct marks *marks, const struct timeline_entry *entry)
{
	switch (entry->kind) {
	case TIMELINE_MILESTONE:
		return marks->milestones[entry->index].thread;
	case TIMELINE_SCOPE:
		return marks->calls[entry->index].thread;
	case TIMELINE_COUNTER:
		return marks->counters[entry->index].thread;
	case TIMELINE_SNAPSHOT:
		return marks->snapshots[entry->index].thread;
	case TIMELINE_MEMORY:
	case TIMELINE_N_KINDS:
		break;
	}
	return MARK_NO_THREAD;
}

int marks_table_timeline(struct table *table, const struct profile *profile,
			 const struct timeline *timeline)
{
	struct mark_threads threads = { 0 };
	int r = 0;

	*table = (struct table){ .name = "timeline" };
	for (size_t i = 0; i < timeline->n_entries; i++)
		if (timeline->entries[i].kind != TIMELINE_MEMORY)
			mark_threads_see(&threads,
					 entry_thread(&profile->marks, &timeline->entries[i]));
	for (size_t i = 0; i < N_TIMELINE_CELLS; i++)
		table_add_column(table, timeline_columns[i]);
	mark_threads_add_columns(table, &threads);
	for (size_t i = 0; r == 0 && i < timeline->n_entries; i++)
		r = add_entry(table, profile, &timeline->entries[i]);
	if (r < 0)
		table_release(table);
	return r;
}

int marks_table_counters(struct table *table, const struct profile *profile,
			 const struct counter_rows *rows, size_t top)
{
	int r = 0;

	*table = (struct table){ .name = "counters", .min_text_columns = 24 };
	table_add_column(table, (struct table_column){ "Counter", "counter", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "category", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Values", "values", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ "Min", "min", COLUMN_NUMBER });
	table_add_column(table, (struct table_column){ "Mean", "mean", COLUMN_NUMBER });
	table_add_column(table, (struct table_column){ "Max", "max", COLUMN_NUMBER });
	table_add_column(table, (struct table_column){ "Last", "last", COLUMN_NUMBER });
	table_add_column(table, (struct table_column){ "Last at (s)", "last_at_ns", COLUMN_TIME });
	for (size_t i = 0; r == 0 && i < rows->n_rows && i < top; i++) {
		const struct counter_row *row = &rows->rows[i];
		const struct table_cell cells[] = {
			mark_name_cell(profile, row->name),
			mark_text_cell(profile, row->category),
			mark_number_cell(row->n_values),
			{ .real = row->min },
			{ .real = row->mean },
			{ .real = row->max },
			{ .real = row->last },
			mark_number_cell(row->last_ns),
		};

		r = table_add_row(table, (struct table_row){ 0 }, cells);
	}
	if (r < 0)
		table_release(table);
	return r;
}

static int add_snapshot_row(struct table *table, const struct profile *profile, size_t index,
			    bool is_behind_gap)
{
	const struct snapshot *snapshot = &profile->marks.snapshots[index];
	const struct mark_site *site = &profile->marks.sites[snapshot->site];
	struct table_cell cells[7 + MARK_THREAD_CELLS] = {
		mark_number_cell(index + 1),
		mark_number_cell(mark_since_ns(profile, snapshot->time_ns)),
		mark_number_cell(snapshot->size_bytes),
		mark_kept_cell(snapshot->is_text ? "text" : "bytes"),
		mark_name_cell(profile, site->name),
		mark_text_cell(profile, site->category),
		mark_kept_cell(snapshot->is_cut ? "cut" : ""),
	};

	if (mark_threads_add_cells(table, profile, snapshot->thread, &cells[7]) < 0)
		return -ENOMEM;
	return table_add_row(table, (struct table_row){ .is_footer = is_behind_gap }, cells);
}

int marks_table_snapshots(struct table *table, const struct profile *profile,
			  const size_t *snapshots, size_t n_snapshots, struct list_part part)
{
	const size_t first_last = n_snapshots - part.n_last;
	struct mark_threads threads = { 0 };
	int r = 0;

	*table = (struct table){ .name = "snapshots" };
	for (size_t i = 0; i < n_snapshots; i++)
		mark_threads_see(&threads, profile->marks.snapshots[snapshots[i]].thread);
	table_add_column(table, (struct table_column){ "Id", "id", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ "Time (s)", "at_ns", COLUMN_TIME });
	table_add_column(table, (struct table_column){ "Size", "size_bytes", COLUMN_BYTES });
	table_add_column(table, (struct table_column){ "Kind", "kind", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Name", "name", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "category", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ "Cut", "cut", COLUMN_TEXT });
	mark_threads_add_columns(table, &threads);
	for (size_t i = 0; r == 0 && i < part.n_first; i++)
		r = add_snapshot_row(table, profile, snapshots[i], false);
	for (size_t i = first_last; r == 0 && i < n_snapshots; i++)
		r = add_snapshot_row(table, profile, snapshots[i], i == first_last);
	if (r < 0)
		table_release(table);
	return r;
}
