/* Scopes: statistics, single calls, and what failed. */
#include "cmd/marks_scopes.h"

#include <errno.h>

#include "base/units.h"
#include "record/mark_calls.h"
#include "tree/call_rows.h"
#include "tree/mark_filter.h"
#include "tree/scope_rows.h"

/* What is in no row, whatever the view: nobody knows where it would have been. */
static void note_missing(struct report_part *part, const struct scope_tree *scopes)
{
	char count[UNITS_TEXT_BYTES];

	if (scopes->n_too_deep) {
		marks_part_note(part, "");
		buffer_printf(&part->note, "%s more %s nested too deep to be told.",
			      units_count(count, scopes->n_too_deep),
			      scopes->n_too_deep == 1 ? "call was" : "calls were");
	}
	if (scopes->n_unmatched_ends) {
		marks_part_note(part, "");
		buffer_printf(&part->note, "%s %s no beginning on the same thread.",
			      units_count(count, scopes->n_unmatched_ends),
			      scopes->n_unmatched_ends == 1 ? "end of a scope had"
							    : "ends of scopes had");
	}
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
		is_estimate |= rows->rows[i].is_self_estimate;
	}
	if (is_estimate)
		marks_part_note(part, "~: scaled back from a part of the calls.");
	if (n_open) {
		marks_part_note(part, "");
		buffer_printf(&part->note, "%s %s never ended (open) and %s in no other figure.",
			      units_count(count, n_open), n_open == 1 ? "call" : "calls",
			      n_open == 1 ? "is" : "are");
	}
	if (!n_cut)
		return;
	marks_part_note(part, "");
	buffer_printf(&part->note, "%s %s cut short by the end of a scope around.",
		      units_count(count, n_cut), n_cut == 1 ? "call was" : "calls were");
}

static int add_scope_table(const struct marks_maker *maker, bool is_tree, bool is_hot)
{
	struct report_part *part = marks_part_add(maker, is_hot ? "Scopes by self time" : "Scopes");
	const uint64_t top = is_hot ? marks_limit(maker->options->hot, MARKS_TOP) : maker->top;
	struct scope_rows rows;
	size_t n_hidden = 0;
	int r;

	if (!part)
		return -ENOMEM;
	r = scope_rows_build(&rows, maker->profile, maker->view, is_tree, maker->err);
	if (r < 0)
		return r;
	r = scope_rows_order(&rows, is_hot, marks_at_most(rows.n_rows, top), &n_hidden);
	if (r == 0)
		r = marks_table_scopes(&part->table, maker->profile, &rows, is_tree, is_hot);
	marks_part_note_nothing(part, "scopes");
	marks_part_note_rest(part, n_hidden, is_hot ? "--hot" : "--top");
	note_scopes(part, &rows);
	note_missing(part, &maker->profile->marks.scopes);
	scope_rows_release(&rows);
	return marks_part_finish(maker, r);
}

int marks_scopes_add(const struct marks_maker *maker)
{
	const struct report_marks_options *options = maker->options;
	int r = 0;

	if (options->as_tree || (options->with_scopes && options->hot == UINT64_MAX))
		r = add_scope_table(maker, options->as_tree, false);
	if (r == 0 && options->hot != UINT64_MAX)
		r = add_scope_table(maker, false, true);
	return r;
}

bool marks_scopes_have_all_calls(const struct marks *marks)
{
	uint64_t n_calls = 0;

	for (size_t i = 0; i < marks->scopes.n_nodes; i++)
		n_calls += marks->scopes.nodes[i].durations_ns.n_values +
			   marks->scopes.nodes[i].n_open;
	return marks->has_all_calls || marks->n_calls >= n_calls;
}

/* So many of each site are kept: the slowest of all, but perhaps not of a part. */
static bool may_miss_calls(const struct marks_maker *maker, size_t n_shown)
{
	const struct view *view = maker->view;

	return !marks_scopes_have_all_calls(&maker->profile->marks) &&
	       (n_shown > MARK_CALLS_SLOWEST || view_is_part(view) || view->in_scope ||
		view->category);
}

static void note_kept(struct report_part *part, const struct marks_maker *maker)
{
	if (part->table.n_rows && may_miss_calls(maker, part->table.n_rows))
		marks_part_note(
			part,
			"Of the calls that were kept: of each scope those that were the "
			"slowest of the whole run, or failed (record --keep-events keeps all).");
}

int marks_scopes_add_slowest(const struct marks_maker *maker)
{
	struct report_part *part = marks_part_add(maker, "Slowest calls");
	struct list_part shown = { 0 };
	struct call_rows rows;
	int r;

	if (!part)
		return -ENOMEM;
	r = call_rows_build(&rows, maker->profile, maker->view, CALLS_SLOWEST, maker->err);
	if (r < 0)
		return r;
	shown.n_first = marks_at_most(rows.n_calls,
				      marks_limit(maker->options->slowest, MARKS_TOP));
	rows.n_calls = shown.n_first;
	r = marks_table_calls(&part->table, "slowest", maker->profile, &rows, shown);
	marks_part_note_nothing(part, "calls");
	note_kept(part, maker);
	call_rows_release(&rows);
	return marks_part_finish(maker, r);
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
	struct report_part *part = marks_part_add(maker, "Calls that failed, by scope and reason");
	struct failure_rows rows;
	size_t n_shown;
	int r;

	if (!part)
		return -ENOMEM;
	r = failure_rows_build(&rows, maker->profile, failed);
	if (r < 0)
		return r;
	n_shown = marks_at_most(rows.n_rows, maker->top);
	r = marks_table_failures(&part->table, maker->profile, &rows, n_shown);
	marks_part_note_rest(part, rows.n_rows - n_shown, "--top");
	failure_rows_release(&rows);
	return r;
}

int marks_scopes_add_errors(const struct marks_maker *maker)
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
	part = r == 0 ? marks_part_add(maker, rows.n_calls ? "One by one" : "Calls that failed")
		      : NULL;
	if (part) {
		shown = list_part_of(rows.n_calls, maker->max);
		r = marks_table_calls(&part->table, "errors", maker->profile, &rows, shown);
		marks_part_note_gap(part, rows.n_calls, shown, "calls that failed");
		if (!view_is_part(maker->view) && n_errors > rows.n_calls) {
			marks_part_note(part, "");
			buffer_printf(&part->note, "%s calls failed, of which %s were kept.",
				      units_count(counted, n_errors),
				      units_count(kept, rows.n_calls));
		}
	}
	call_rows_release(&rows);
	return part ? marks_part_finish(maker, r) : -ENOMEM;
}
