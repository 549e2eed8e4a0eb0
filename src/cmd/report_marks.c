/* The tables of marks: what is to be told, which of its rows, and what is said about them. */
#include "cmd/report_marks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/units.h"
#include "export/marks_table.h"
#include "tree/mark_filter.h"

enum {
	MARKS_TOP = 20, /* rows of what is sorted by size, unless --top says another number */
	MARKS_MAX = 50, /* … by time, unless --max does */
};

/* What making any of the tables needs. */
struct marks_maker {
	struct report_output *output;
	const struct report_marks_options *options;
	const struct profile *profile;
	const struct view *view;
	uint64_t top;
	uint64_t max;
	struct error *err;
};

static uint64_t limit(uint64_t asked, uint64_t usual)
{
	if (asked == UINT64_MAX)
		return usual;
	return asked ? asked : UINT64_MAX;
}

static size_t at_most(size_t n, uint64_t max)
{
	return n < max ? n : (size_t)max;
}

static struct report_part *add_part(const struct marks_maker *maker, const char *title)
{
	struct report_part *part = report_output_add_part(maker->output);

	if (!part) {
		(void)error_set_no_memory(maker->err);
		return NULL;
	}
	part->is_marks = true;
	part->title = title;
	return part;
}

/* What came of building the table, as an error of the report. */
static int finish_part(const struct marks_maker *maker, int r)
{
	return r == -ENOMEM ? error_set_no_memory(maker->err) : r;
}

static void note_nothing(struct report_part *part, const char *what)
{
	if (part->table.n_rows == 0)
		buffer_printf(&part->note, "There are no %s in what is looked at.", what);
}

/* A list that shows its beginning and its end. */
static void note_gap(struct report_part *part, size_t n, struct list_part shown, const char *what)
{
	char all[UNITS_TEXT_BYTES];
	char left_out[UNITS_TEXT_BYTES];

	part->n_left_out = shown.n_last || shown.n_first < n ? n - shown.n_first - shown.n_last : 0;
	note_nothing(part, what);
	if (part->n_left_out)
		buffer_printf(&part->note,
			      "%s of %s %s are left out, between the first and the last "
			      "(--max 0 shows all).",
			      units_count(left_out, part->n_left_out), units_count(all, n), what);
}

/* A list that shows the largest. */
static void note_rest(struct report_part *part, size_t n_hidden, const char *option)
{
	char count[UNITS_TEXT_BYTES];

	part->n_left_out = n_hidden;
	if (n_hidden)
		buffer_printf(&part->note, "… and %s more (%s 0 shows all).",
			      units_count(count, n_hidden), option);
}

static void note_more(struct report_part *part, const char *text)
{
	if (part->note.size)
		buffer_add_char(&part->note, ' ');
	buffer_add_string(&part->note, text);
}

static int add_phases(const struct marks_maker *maker, const struct milestone_rows *rows)
{
	struct report_part *part = add_part(maker, "Phases, from one milestone to the next");
	const size_t n_shown = at_most(rows->n_phases, maker->top);
	int r;

	if (!part)
		return -ENOMEM;
	r = marks_table_phases(&part->table, maker->profile, rows, n_shown);
	note_nothing(part, "phases");
	note_rest(part, rows->n_phases - n_shown, "--top");
	if (part->table.n_rows)
		note_more(part, "CPU: time sampled in them.");
	return r;
}

static int add_milestones(const struct marks_maker *maker)
{
	struct report_part *part = add_part(maker, "Milestones");
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
	note_gap(part, rows.n_rows, shown, "milestones");
	if (r == 0 && maker->output->format != REPORT_CSV)
		r = add_phases(maker, &rows);
	milestone_rows_release(&rows);
	return finish_part(maker, r);
}

/* What the table's figures do not say of themselves. */
static void note_scopes(struct report_part *part, const struct scope_rows *rows)
{
	uint64_t n_cut = 0;
	uint64_t n_open = 0;
	bool is_estimate = false;
	char count[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < rows->n_rows; i++) {
		n_cut += rows->rows[i].n_cut;
		n_open += rows->rows[i].n_open;
		is_estimate |= rows->rows[i].is_estimate;
	}
	if (is_estimate)
		note_more(part, "~: scaled back from a part of the calls.");
	if (n_open) {
		note_more(part, "");
		buffer_printf(&part->note, "%s %s never ended (open) and %s in no other figure.",
			      units_count(count, n_open), n_open == 1 ? "call" : "calls",
			      n_open == 1 ? "is" : "are");
	}
	if (!n_cut)
		return;
	note_more(part, "");
	buffer_printf(&part->note, "%s %s cut short by the end of a scope around.",
		      units_count(count, n_cut), n_cut == 1 ? "call was" : "calls were");
}

static int add_scope_table(const struct marks_maker *maker, bool is_tree, bool is_hot)
{
	struct report_part *part = add_part(maker, is_hot ? "Scopes by self time" : "Scopes");
	const uint64_t top = is_hot ? limit(maker->options->hot, MARKS_TOP) : maker->top;
	struct scope_rows rows;
	size_t n_hidden = 0;
	int r;

	if (!part)
		return -ENOMEM;
	r = scope_rows_build(&rows, maker->profile, maker->view, is_tree, maker->err);
	if (r < 0)
		return r;
	r = scope_rows_order(&rows, is_hot, at_most(rows.n_rows, top), &n_hidden);
	if (r == 0)
		r = marks_table_scopes(&part->table, maker->profile, &rows, is_tree, is_hot);
	note_nothing(part, "scopes");
	note_rest(part, n_hidden, is_hot ? "--hot" : "--top");
	note_scopes(part, &rows);
	scope_rows_release(&rows);
	return finish_part(maker, r);
}

static int add_scopes(const struct marks_maker *maker)
{
	const struct report_marks_options *options = maker->options;
	int r = 0;

	if (options->as_tree || (options->with_scopes && options->hot == UINT64_MAX))
		r = add_scope_table(maker, options->as_tree, false);
	if (r == 0 && options->hot != UINT64_MAX)
		r = add_scope_table(maker, false, true);
	return r;
}

/* Of short runs all are among the slowest. */
static bool has_all_calls(const struct marks *marks)
{
	uint64_t n_calls = 0;

	for (size_t i = 0; i < marks->scopes.n_nodes; i++)
		n_calls += marks->scopes.nodes[i].durations_ns.n_values +
			   marks->scopes.nodes[i].n_open;
	return marks->has_all_calls || marks->n_calls >= n_calls;
}

static void note_kept(struct report_part *part, const struct marks_maker *maker)
{
	if (part->table.n_rows && !has_all_calls(&maker->profile->marks) &&
	    view_is_part(maker->view))
		note_more(part, "Of the calls that were kept: those that were the slowest of the "
				"whole run, or failed (record --keep-events keeps all).");
}

static int add_slowest(const struct marks_maker *maker)
{
	struct report_part *part = add_part(maker, "Slowest calls");
	struct list_part shown = { 0 };
	struct call_rows rows;
	int r;

	if (!part)
		return -ENOMEM;
	r = call_rows_build(&rows, maker->profile, maker->view, CALLS_SLOWEST, maker->err);
	if (r < 0)
		return r;
	shown.n_first = at_most(rows.n_calls, limit(maker->options->slowest, MARKS_TOP));
	rows.n_calls = shown.n_first;
	r = marks_table_calls(&part->table, "slowest", maker->profile, &rows, shown);
	note_nothing(part, "calls");
	note_kept(part, maker);
	call_rows_release(&rows);
	return finish_part(maker, r);
}

static uint64_t count_errors(const struct marks *marks)
{
	uint64_t n_errors = 0;

	for (size_t i = 0; i < marks->scopes.n_nodes; i++)
		n_errors += marks->scopes.nodes[i].n_errors;
	return n_errors;
}

static int add_failures(const struct marks_maker *maker, const struct call_rows *failed)
{
	struct report_part *part = add_part(maker, "Calls that failed, by scope and reason");
	struct failure_rows rows;
	size_t n_shown;
	int r;

	if (!part)
		return -ENOMEM;
	r = failure_rows_build(&rows, maker->profile, failed);
	if (r < 0)
		return r;
	n_shown = at_most(rows.n_rows, maker->top);
	r = marks_table_failures(&part->table, maker->profile, &rows, n_shown);
	note_rest(part, rows.n_rows - n_shown, "--top");
	failure_rows_release(&rows);
	return r;
}

static int add_errors(const struct marks_maker *maker)
{
	struct report_part *part;
	struct list_part shown;
	struct call_rows rows;
	uint64_t n_errors = count_errors(&maker->profile->marks);
	char counted[UNITS_TEXT_BYTES];
	char kept[UNITS_TEXT_BYTES];
	int r = call_rows_build(&rows, maker->profile, maker->view, CALLS_FAILED, maker->err);

	if (r < 0)
		return r;
	if (rows.n_calls && maker->output->format != REPORT_CSV)
		r = add_failures(maker, &rows);
	part = r == 0 ? add_part(maker, rows.n_calls ? "One by one" : "Calls that failed") : NULL;
	if (part) {
		shown = list_part_of(rows.n_calls, maker->max);
		r = marks_table_calls(&part->table, "errors", maker->profile, &rows, shown);
		note_gap(part, rows.n_calls, shown, "calls that failed");
		if (!view_is_part(maker->view) && n_errors > rows.n_calls) {
			note_more(part, "");
			buffer_printf(&part->note, "%s calls failed, of which %s were kept.",
				      units_count(counted, n_errors),
				      units_count(kept, rows.n_calls));
		}
	}
	call_rows_release(&rows);
	return part ? finish_part(maker, r) : -ENOMEM;
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

	note_nothing(part, "marks");
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
	struct report_part *part = add_part(maker, "Timeline");
	struct timeline timeline;
	int r;

	if (!part)
		return -ENOMEM;
	r = timeline_build(&timeline, maker->profile, maker->view, at_most(SIZE_MAX, maker->max),
			   maker->err);
	if (r < 0)
		return r;
	r = marks_table_timeline(&part->table, maker->profile, &timeline);
	note_timeline(part, &timeline);
	if (part->table.n_rows && !has_all_calls(&maker->profile->marks))
		note_more(part, "Of scopes only the slowest calls and those that failed were kept "
				"(record --keep-events keeps all).");
	timeline_release(&timeline);
	return finish_part(maker, r);
}

static int add_counters(const struct marks_maker *maker)
{
	struct report_part *part = add_part(maker, "Counters");
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
	n_shown = at_most(rows.n_rows, maker->top);
	r = marks_table_counters(&part->table, maker->profile, &rows, n_shown);
	note_nothing(part, "values of counters");
	note_rest(part, rows.n_rows - n_shown, "--top");
	if (n_dropped) {
		note_more(part, "");
		buffer_printf(&part->note,
			      "There were %s more values; of those an even choice was kept.",
			      units_count(count, n_dropped));
	}
	counter_rows_release(&rows);
	return finish_part(maker, r);
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
		if (mark_filter_has_at(&filter, marks->snapshots[i].thread,
				       marks->snapshots[i].site, marks->snapshots[i].time_ns))
			found[n++] = i;
	mark_filter_release(&filter);
	*ret_found = found;
	*ret_n = n;
	return r == 0 && !found ? error_set_no_memory(maker->err) : r;
}

static int add_snapshots(const struct marks_maker *maker)
{
	struct report_part *part = add_part(maker, "Snapshots");
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
	note_gap(part, n_found, shown, "snapshots");
	if (n_found)
		note_more(part, "report --snapshot ID writes one.");
	if (n_dropped) {
		note_more(part, "");
		buffer_printf(&part->note, "%s older ones gave way to newer ones of their name.",
			      units_count(count, n_dropped));
	}
	free(found);
	return finish_part(maker, r);
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
		.top = limit(top, MARKS_TOP),
		.max = limit(options->max, MARKS_MAX),
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
		  has_scopes, no_scopes, mark_scopes, add_scopes },
		{ options->slowest != UINT64_MAX, has_scopes, no_scopes, mark_scopes, add_slowest },
		{ options->with_errors, has_scopes, no_scopes, mark_scopes, add_errors },
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
