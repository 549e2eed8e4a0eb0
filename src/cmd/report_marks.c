/* The tables of marks: what is to be told, which of its rows, and what is said about them. */
#include "cmd/report_marks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/units.h"
#include "cmd/marks_part.h"
#include "cmd/marks_scopes.h"
#include "tree/mark_filter.h"

static int add_phases(const struct marks_maker *maker, const struct milestone_rows *rows)
{
	struct report_part *part = marks_part_add(maker, "Phases, from one milestone to the next");
	const size_t n_shown = marks_at_most(rows->n_phases, maker->top);
	int r;

	if (!part)
		return -ENOMEM;
	r = marks_table_phases(&part->table, maker->profile, rows, n_shown);
	marks_part_note_nothing(part, "phases");
	marks_part_note_rest(part, rows->n_phases - n_shown, "--top");
	if (part->table.n_rows)
		marks_part_note(part, "CPU: time sampled in them.");
	return r;
}

static int add_milestones(const struct marks_maker *maker)
{
	struct report_part *part = marks_part_add(maker, "Milestones");
	struct milestone_rows rows;
	struct list_part shown;
	int r;

	if (!part)
		return -ENOMEM;
	r = milestone_rows_build(&rows, maker->profile, maker->view, maker->err);
	if (r < 0)
		return r;
	shown = list_part_of(rows.n_rows, maker->max);
	r = marks_table_milestones(&part->table, maker->profile, &rows, shown);
	marks_part_note_gap(part, rows.n_rows, shown, "milestones");
	if (r == 0 && maker->output->format != REPORT_CSV)
		r = add_phases(maker, &rows);
	milestone_rows_release(&rows);
	return marks_part_finish(maker, r);
}

/* "Left out: 1,200 scopes and 30 counters …" */
static void note_timeline(struct report_part *part, const struct timeline *timeline)
{
	static const struct {
		const char *one;
		const char *many;
	} words[TIMELINE_N_KINDS] = {
		[TIMELINE_MILESTONE] = { "milestone", "milestones" },
		[TIMELINE_SCOPE] = { "call of a scope", "calls of scopes (the shortest)" },
		[TIMELINE_COUNTER] = { "value of a counter", "values of counters" },
		[TIMELINE_SNAPSHOT] = { "snapshot", "snapshots" },
		[TIMELINE_MEMORY] = { "measurement of memory", "measurements of memory" },
	};
	char count[UNITS_TEXT_BYTES];

	marks_part_note_nothing(part, "marks");
	for (size_t i = 0; i < TIMELINE_N_KINDS; i++) {
		const size_t n = timeline->n_left_out[i];

		if (!n)
			continue;
		buffer_printf(&part->note, "%s%s %s",
			      part->n_left_out ? ", " : "Left out: ", units_count(count, n),
			      n == 1 ? words[i].one : words[i].many);
		part->n_left_out += n;
	}
	if (part->n_left_out)
		buffer_add_string(&part->note, " (--max 0 shows all).");
}

static int add_timeline(const struct marks_maker *maker)
{
	struct report_part *part = marks_part_add(maker, "Timeline");
	struct timeline timeline;
	int r;

	if (!part)
		return -ENOMEM;
	r = timeline_build(&timeline, maker->profile, maker->view,
			   marks_at_most(SIZE_MAX, maker->max), maker->err);
	if (r < 0)
		return r;
	r = marks_table_timeline(&part->table, maker->profile, &timeline);
	note_timeline(part, &timeline);
	if (part->table.n_rows && !marks_scopes_have_all_calls(&maker->profile->marks))
		marks_part_note(part,
				"Of scopes only the slowest calls and those that failed were kept "
				"(record --keep-events keeps all).");
	timeline_release(&timeline);
	return marks_part_finish(maker, r);
}

static int add_counters(const struct marks_maker *maker)
{
	struct report_part *part = marks_part_add(maker, "Counters");
	const uint64_t n_dropped = maker->profile->marks.quality.n_counters_dropped;
	struct counter_rows rows;
	size_t n_shown;
	char count[UNITS_TEXT_BYTES];
	int r;

	if (!part)
		return -ENOMEM;
	r = counter_rows_build(&rows, maker->profile, maker->view, maker->err);
	if (r < 0)
		return r;
	n_shown = marks_at_most(rows.n_rows, maker->top);
	r = marks_table_counters(&part->table, maker->profile, &rows, n_shown);
	marks_part_note_nothing(part, "values of counters");
	marks_part_note_rest(part, rows.n_rows - n_shown, "--top");
	if (n_dropped) {
		marks_part_note(part, "");
		buffer_printf(&part->note,
			      "There were %s more values; of those an even choice was kept.",
			      units_count(count, n_dropped));
	}
	counter_rows_release(&rows);
	return marks_part_finish(maker, r);
}

/* Indices in order of time. */
static int find_snapshots(size_t **ret_found, size_t *ret_n, const struct marks_maker *maker)
{
	const struct marks *marks = &maker->profile->marks;
	size_t *found = calloc(marks->n_snapshots + 1, sizeof(*found));
	struct mark_filter filter;
	size_t n = 0;
	int r = mark_filter_init(&filter, maker->profile, maker->view, maker->err);

	for (size_t i = 0; r == 0 && found && i < marks->n_snapshots; i++)
		if (mark_filter_has_at(&filter, snapshot_place(&marks->snapshots[i]),
				       marks->snapshots[i].time_ns))
			found[n++] = i;
	mark_filter_release(&filter);
	*ret_found = found;
	*ret_n = n;
	return r == 0 && !found ? error_set_no_memory(maker->err) : r;
}

static int add_snapshots(const struct marks_maker *maker)
{
	struct report_part *part = marks_part_add(maker, "Snapshots");
	const uint64_t n_dropped = maker->profile->marks.quality.n_snapshots_dropped;
	struct list_part shown;
	size_t *found = NULL;
	size_t n_found = 0;
	char count[UNITS_TEXT_BYTES];
	int r = part ? find_snapshots(&found, &n_found, maker) : -ENOMEM;

	if (r < 0) {
		free(found);
		return r;
	}
	shown = list_part_of(n_found, maker->max);
	r = marks_table_snapshots(&part->table, maker->profile, found, n_found, shown);
	marks_part_note_gap(part, n_found, shown, "snapshots");
	if (n_found)
		marks_part_note(part, "report --snapshot ID writes one.");
	if (n_dropped) {
		marks_part_note(part, "");
		buffer_printf(&part->note, "The oldest gave way to newer ones of their name: %s.",
			      units_count(count, n_dropped));
	}
	free(found);
	return marks_part_finish(maker, r);
}

/* One of the tables: is it asked for, is there anything for it, and who makes it. */
struct marks_request {
	bool is_asked;
	bool is_there;
	const char *what;
	const char *how;
	int (*add)(const struct marks_maker *maker);
};

static int add_requests(const struct marks_maker *maker, const struct marks_request *requests,
			size_t n_requests)
{
	const struct marks_request *missing = NULL;
	bool is_there = false;
	int r = 0;

	for (size_t i = 0; i < n_requests; i++) {
		is_there |= requests[i].is_asked && requests[i].is_there;
		if (requests[i].is_asked && !missing)
			missing = &requests[i];
	}
	if (missing && !is_there)
		return error_set(maker->err, -ENODATA, "%s (%s; see docs/marks.md)", missing->what,
				 missing->how);
	for (size_t i = 0; r == 0 && i < n_requests; i++)
		if (requests[i].is_asked)
			r = requests[i].add(maker);
	return r;
}

int report_marks_n_tables(const struct report_marks_options *options)
{
	const bool is_hot = options->hot != UINT64_MAX;

	return options->with_milestones + (options->as_tree || (options->with_scopes && !is_hot)) +
	       is_hot + (options->slowest != UINT64_MAX) + options->with_errors +
	       options->with_timeline + options->with_counters + options->with_snapshots;
}

int report_marks_add(struct report_output *output, const struct report_marks_options *options,
		     uint64_t top, struct error *err)
{
	const struct marks *marks = &output->profile->marks;
	const struct marks_maker maker = {
		.output = output,
		.options = options,
		.profile = output->profile,
		.view = &output->view,
		.top = marks_limit(top, MARKS_TOP),
		.max = marks_limit(options->max, MARKS_MAX),
		.err = err,
	};
	const bool has_scopes = marks->scopes.n_nodes > 1;
	const char *const no_scopes = "no scopes were marked";
	const char *const mark_scopes = "TSPROF_SCOPE in the program marks them";
	const struct marks_request requests[] = {
		{ options->with_milestones, marks->n_milestones > 0, "no milestones were marked",
		  "TSPROF_MILESTONE in the program marks them, 'tsprof mark' elsewhere",
		  add_milestones },
		{ options->with_scopes || options->as_tree || options->hot != UINT64_MAX,
		  has_scopes, no_scopes, mark_scopes, marks_scopes_add },
		{ options->slowest != UINT64_MAX, has_scopes, no_scopes, mark_scopes,
		  marks_scopes_add_slowest },
		{ options->with_errors, has_scopes, no_scopes, mark_scopes,
		  marks_scopes_add_errors },
		{ options->with_timeline, marks_are_there(marks) || marks->n_resources > 0,
		  "nothing was marked", "TSPROF_MILESTONE and others in the program mark",
		  add_timeline },
		{ options->with_counters, marks->n_counters > 0, "no counters were marked",
		  "TSPROF_COUNTER in the program marks them", add_counters },
		{ options->with_snapshots, marks->n_snapshots > 0, "no snapshots were taken",
		  "TSPROF_SNAPSHOT in the program takes them", add_snapshots },
	};

	return add_requests(&maker, requests, sizeof(requests) / sizeof(requests[0]));
}
