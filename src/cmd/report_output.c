/* The report's three formats, from the same tables. */
#include "cmd/report_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/escape.h"
#include "base/json_writer.h"
#include "base/units.h"
#include "cmd/profile_input.h"
#include "cmd/report_per_call.h"
#include "cmd/view_text.h"
#include "export/quality_json.h"
#include "export/run_list.h"

/* Words of `text`, broken into lines of at most `columns`. */
static void add_wrapped(struct buffer *out, const char *text, size_t columns)
{
	struct buffer word = BUFFER_INIT;
	size_t used = 0;

	while (*text) {
		const size_t size = strcspn(text, " ");
		size_t width;

		buffer_clear(&word);
		buffer_add(&word, text, size);
		width = utf8_columns(buffer_string(&word));
		if (used > 0 && used + 1 + width > columns) {
			buffer_add_char(out, '\n');
			used = 0;
		}
		buffer_add_string(out, used ? " " : "");
		buffer_add(out, buffer_string(&word), word.size);
		used += width + (used > 0);
		text += size;
		text += strspn(text, " ");
	}
	buffer_add_char(out, '\n');
	buffer_release(&word);
}

/* "worker/42: 1.20 s, 40.0 ± 3.1 % of the total" */
static void add_group_heading(struct buffer *out, const struct report_part *part, bool is_timed,
			      size_t columns)
{
	const struct measure *measure = &part->group.measure;
	char text[UNITS_TEXT_BYTES];

	escape_terminal_fit(out, part->group.name, columns > 60 ? columns - 40 : columns / 3);
	buffer_printf(out, ": %s%s, %.1f ± %.1f %% of the total",
		      is_timed ? units_duration(text, measure->weight)
			       : units_count(text, measure->weight),
		      is_timed ? "" : " samples", 100 * measure->share,
		      100 * interval_half_width(measure->interval));
}

static void add_heading(struct buffer *out, const struct report_part *part, bool is_timed,
			size_t columns)
{
	struct buffer heading = BUFFER_INIT;

	if (part->is_marks)
		buffer_printf(out, "%s\n", part->title);
	if (part->is_per_call) {
		report_per_call_heading(&heading, &part->per_call);
		add_wrapped(out, buffer_string(&heading), columns);
		buffer_clear(&heading);
	}
	if (part->has_group) {
		add_group_heading(&heading, part, is_timed, columns);
		add_wrapped(out, buffer_string(&heading), columns);
		buffer_clear(&heading);
	}
	if (part->function) {
		buffer_add_string(&heading,
				  part->kind == REPORT_CALLERS ? "Callers of " : "Callees of ");
		escape_terminal_fit(&heading, part->function,
				    columns > 20 ? columns - 12 : columns);
		buffer_add(out, buffer_string(&heading), heading.size);
		buffer_add_char(out, '\n');
	}
	if (part->has_group || part->function || part->is_per_call || part->is_marks)
		buffer_add_char(out, '\n');
	buffer_release(&heading);
}

/* What the numbers above mean, and what is not there. */
static void add_notes(struct buffer *out, const struct report_part *part,
		      const struct profile *profile, bool is_timed, size_t columns)
{
	struct buffer note = BUFFER_INIT;
	char count[UNITS_TEXT_BYTES];

	if (part->is_marks)
		buffer_add_string(&note, buffer_string(&part->note));
	else if (part->table.n_rows == 0)
		buffer_add_string(&note, "Nothing to show: the profile does not tell them apart.");
	else if (part->n_hidden)
		buffer_printf(&note, "… and %s more (--top 0 shows all)",
			      units_count(count, part->n_hidden));
	else if (part->is_per_call)
		report_per_call_note(&note, &part->per_call, profile);
	else if (part->is_breakdown && part->breakdown.tree->whole.waited_ns)
		buffer_add_string(&note, "Avg (μs): time of all threads, running or waiting, per "
					 "second of recording. "
					 "±: half the 95 % interval of what ran, in percent of "
					 "the total.");
	else if (part->is_breakdown && is_timed)
		buffer_add_string(&note, "Avg (μs): CPU time per second of recording. "
					 "±: half the 95 % interval, in percent of the total.");
	else if (part->is_breakdown)
		buffer_add_string(&note, "The profile has no times: samples are shown. "
					 "±: half the 95 % interval, in percent of the total.");
	if (note.size)
		add_wrapped(out, buffer_string(&note), columns);
	buffer_release(&note);
}

/* Is it of an average call?  Its heading tells of the scope, and its rows of both states. */
static bool is_per_call(const struct report_output *output)
{
	return output->n_parts && output->parts[0]->is_per_call;
}

/* "Shown: from loaded, thread worker: 99 samples, …", when that is not all. */
static void add_view(struct buffer *out, const struct report_output *output, size_t columns)
{
	struct buffer line = BUFFER_INIT;
	struct buffer what = BUFFER_INIT;
	struct view beside = output->view;

	if (is_per_call(output))
		beside.in_scope = NULL;
	view_text_add(&what, &beside);
	if (what.size) {
		buffer_printf(&line, "Shown: %s", buffer_string(&what));
		if (output->n_trees) {
			buffer_add_string(&line, ": ");
			view_text_add_size(&line, &output->view, &output->trees[0]);
		}
		add_wrapped(out, buffer_string(&line), columns);
	}
	out->is_failed |= line.is_failed || what.is_failed;
	buffer_release(&line);
	buffer_release(&what);
}

/* Which of running and waiting is shown, where both were recorded. */
static void add_states(struct buffer *out, const struct report_output *output, size_t columns)
{
	const struct quality *quality = &output->profile->quality;
	const unsigned int states = view_states(&output->view, output->profile);
	struct buffer line = BUFFER_INIT;
	char text[UNITS_TEXT_BYTES];

	if (!quality->n_waits || is_per_call(output))
		return;
	buffer_printf(&line, "State: %s", view_states_text(states));
	if (!(states & SAMPLE_STATES_WAITING))
		buffer_printf(&line,
			      "; %s of waiting is left out (--state waiting or all shows it)",
			      units_duration(text, quality->waited_ns));
	add_wrapped(out, buffer_string(&line), columns);
	buffer_release(&line);
}

static void write_text(struct buffer *out, const struct report_output *output, size_t columns)
{
	const bool is_timed = output->n_trees && calltree_is_timed(&output->trees[0]);
	struct buffer line = BUFFER_INIT;

	profile_quality_line(&line, output->profile);
	add_wrapped(out, buffer_string(&line), columns);
	buffer_release(&line);
	run_list_write_text(out, output->profile, columns);
	add_states(out, output, columns);
	add_view(out, output, columns);
	for (size_t i = 0; i < output->n_parts; i++) {
		const struct report_part *part = output->parts[i];

		buffer_add_char(out, '\n');
		add_heading(out, part, is_timed, columns);
		table_write_text(out, &part->table, part->is_breakdown ? TABLE_BOXED : TABLE_PLAIN,
				 columns);
		add_notes(out, part, output->profile, is_timed, columns);
	}
}

static void json_add_view(struct json_writer *json, const struct report_output *output)
{
	json_open_object(json, "view");
	view_text_write_json(json, &output->view, output->profile,
			     output->n_trees ? &output->trees[0] : NULL);
	if (output->view.thread)
		json_string(json, "thread", output->view.thread);
	if (output->view.process)
		json_string(json, "process", output->view.process);
	if (output->profile->quality.n_waits)
		json_string(json, "state",
			    view_states_text(view_states(&output->view, output->profile)));
	if (output->view.by)
		json_string(json, "by", view_by_words[output->view.by - VIEW_BY_PROCESS]);
	json_close_object(json);
}

/* The tables of all groups are one array: the groups are in its rows. */
static void json_add_tables(struct json_writer *json, const struct report_output *output)
{
	const char *name = "";

	for (size_t i = 0; i < output->n_parts; i++) {
		const struct table *table = &output->parts[i]->table;

		if (strcmp(name, table->name) != 0) {
			if (i > 0)
				json_close_array(json);
			name = table->name;
			json_open_array(json, name);
		}
		table_write_json_rows(json, table);
	}
	if (output->n_parts)
		json_close_array(json);
}

/* What shares are of; tables of marks are not made from samples. */
static void json_add_whole(struct json_writer *json, const struct report_output *output)
{
	const struct calltree *tree = &output->trees[0];

	json_string(json, "unit", calltree_is_timed(tree) ? "ns" : "samples");
	json_unsigned(json, "total", calltree_weight(tree, &tree->nodes[0].total));
}

/* How many rows of marks --top and --max kept out, by table. */
static void json_add_left_out(struct json_writer *json, const struct report_output *output)
{
	bool is_open = false;

	for (size_t i = 0; i < output->n_parts; i++) {
		const struct report_part *part = output->parts[i];

		if (!part->n_left_out)
			continue;
		if (!is_open)
			json_open_object(json, "left_out");
		is_open = true;
		json_unsigned(json, part->table.name, part->n_left_out);
	}
	if (is_open)
		json_close_object(json);
}

static void write_json(struct buffer *out, const struct report_output *output)
{
	struct json_writer json = { .out = out };

	json_open_object(&json, NULL);
	json_string(&json, "schema", "tsprof.report/1");
	quality_json_write(&json, "quality", output->profile);
	run_list_write_json(&json, output->profile);
	json_add_view(&json, output);
	if (output->n_trees)
		json_add_whole(&json, output);
	for (size_t i = 0; i < output->n_parts; i++)
		if (output->parts[i]->is_per_call)
			report_per_call_json(&json, &output->parts[i]->per_call);
	json_add_tables(&json, output);
	json_add_left_out(&json, output);
	json_close_object(&json);
}

/* The tables of all groups are one: the groups are in its rows. */
static void write_csv(struct buffer *out, const struct report_output *output)
{
	if (output->n_parts)
		table_write_csv(out, &output->parts[0]->table);
	for (size_t i = 1; i < output->n_parts; i++)
		table_write_csv_rows(out, &output->parts[i]->table);
}

static void write_format(struct buffer *out, const struct report_output *output, size_t columns)
{
	struct buffer text = BUFFER_INIT;

	switch (output->format) {
	case REPORT_JSON:
		write_json(out, output);
		break;
	case REPORT_CSV:
		write_csv(out, output);
		break;
	case REPORT_TEXT:
		write_text(&text, output, columns);
		if (app_is_utf8())
			buffer_add(out, buffer_string(&text), text.size);
		else
			table_add_ascii(out, buffer_string(&text));
		if (text.is_failed)
			out->is_failed = true;
		break;
	}
	buffer_release(&text);
}

int report_output_write(const struct report_output *output, struct app *app, struct error *err)
{
	struct buffer out = BUFFER_INIT;
	int r;

	write_format(&out, output, app_columns(app));
	r = out.is_failed ? error_set_no_memory(err)
			  : app_write(app, buffer_string(&out), out.size, err);
	if (r == 0 && output->n_trees && calltree_value_is_empty(&output->trees[0].nodes[0].total))
		app_say(app, "report: there are no samples to report");
	buffer_release(&out);
	return r;
}

struct report_part *report_output_add_part(struct report_output *output)
{
	struct report_part **grown = array_grown(output->parts, &output->parts_capacity,
						 output->n_parts + 1, sizeof(*grown));
	struct report_part *part = grown ? calloc(1, sizeof(*part)) : NULL;

	if (grown)
		output->parts = grown;
	if (part)
		grown[output->n_parts++] = part;
	return part;
}

void report_output_drop_part(struct report_output *output)
{
	struct report_part *part = output->parts[--output->n_parts];

	table_release(&part->table);
	buffer_release(&part->note);
	breakdown_release(&part->breakdown);
	per_call_release(&part->per_call);
	free(part);
}

void report_output_release(struct report_output *output)
{
	while (output->n_parts)
		report_output_drop_part(output);
	free(output->parts);
	for (size_t i = 0; i < output->n_trees; i++)
		calltree_release(&output->trees[i]);
	components_release(&output->components);
	view_release(&output->view);
	output->n_trees = 0;
}
