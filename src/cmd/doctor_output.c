/* Texts that explain are wrapped, commands are not: see cmd/wrapped_rows.h. */
#include "cmd/doctor_output.h"

#include <string.h>

#include "base/escape.h"
#include "base/json_writer.h"
#include "cmd/wrapped_rows.h"

#define REMEDY_MARK "    > "

enum {
	VERDICT_COLUMNS = 6,
	VALUE_MAX_COLUMNS = 20,
	LAST_MIN_COLUMNS = 16,
};

static const char *verdict_word(enum machine_verdict verdict)
{
	switch (verdict) {
	case MACHINE_YES:
		return "yes";
	case MACHINE_PARTLY:
		return "partly";
	case MACHINE_NO:
		break;
	}
	return "no";
}

static void larger(size_t *width, const char *text)
{
	const size_t columns = utf8_columns(text);

	if (columns > *width)
		*width = columns;
}

/* The last column takes what the others leave; where that is too little, they are narrowed. */
static void give_rest(struct wrapped_layout *layout, size_t columns)
{
	const size_t last = layout->n_columns - 1;

	for (;;) {
		size_t used = 0;
		size_t widest = 0;

		for (size_t i = 0; i < last; i++) {
			used += layout->widths[i] + 2;
			if (layout->widths[i] > layout->widths[widest])
				widest = i;
		}
		if (columns >= used + LAST_MIN_COLUMNS || layout->widths[widest] <= 1) {
			layout->widths[last] = columns > used ? columns - used : 1;
			return;
		}
		layout->widths[widest]--;
	}
}

static void add_paragraph(struct buffer *out, const char *text, size_t columns)
{
	const struct wrapped_layout layout = { .n_columns = 1, .widths = { columns } };

	wrapped_rows_add(out, &layout, &text);
}

static void add_remedies(struct buffer *out, const struct machine_check *check, size_t columns)
{
	for (size_t i = 0; i < check->n_remedies; i++) {
		const struct machine_remedy *remedy = &check->remedies[i];
		const struct wrapped_layout layout = {
			.n_columns = 2,
			.widths = { strlen(REMEDY_MARK) - 2, columns - strlen(REMEDY_MARK) }
		};
		const char *const cells[] = { "", remedy->gain };

		buffer_add_string(out, REMEDY_MARK);
		escape_terminal(out, remedy->command);
		buffer_add_char(out, '\n');
		wrapped_rows_add(out, &layout, cells);
	}
}

static void add_checks(struct buffer *out, const struct machine_checks *checks, size_t columns)
{
	static const char *const titles[] = { "Check", "Here", "Why" };
	struct wrapped_layout layout = { .n_columns = 3, .widths = { 1, VERDICT_COLUMNS } };

	for (size_t i = 0; i < checks->n_items; i++)
		larger(&layout.widths[0], checks->items[i].name);
	give_rest(&layout, columns);
	wrapped_rows_add(out, &layout, titles);
	wrapped_rows_add_rule(out, &layout);
	for (size_t i = 0; i < checks->n_items; i++) {
		const struct machine_check *check = &checks->items[i];
		const char *const cells[] = { check->name, verdict_word(check->verdict),
					      check->why };

		wrapped_rows_add(out, &layout, cells);
		add_remedies(out, check, columns);
	}
}

static void add_all_capabilities(struct buffer *out, const struct machine_checks *checks,
				 size_t columns)
{
	if (!checks->all_capabilities[0])
		return;
	buffer_add_char(out, '\n');
	add_paragraph(out,
		      "Each command with capabilities replaces what another one gave.  All of them "
		      "at once:",
		      columns);
	buffer_add_string(out, REMEDY_MARK);
	escape_terminal(out, checks->all_capabilities);
	buffer_add_char(out, '\n');
}

static void add_values(struct buffer *out, const struct machine_values *values, size_t columns)
{
	static const char *const titles[] = { "Setting", "Value", "Meaning" };
	struct wrapped_layout layout = { .n_columns = 3, .widths = { 1, 1 } };

	for (size_t i = 0; i < values->n_items; i++) {
		larger(&layout.widths[0], values->items[i].name);
		larger(&layout.widths[1], values->items[i].value);
	}
	if (layout.widths[1] > VALUE_MAX_COLUMNS && columns < 120)
		layout.widths[1] = VALUE_MAX_COLUMNS;
	give_rest(&layout, columns);
	wrapped_rows_add(out, &layout, titles);
	wrapped_rows_add_rule(out, &layout);
	for (size_t i = 0; i < values->n_items; i++) {
		const struct machine_value *value = &values->items[i];
		const char *const cells[] = { value->name, value->value, value->meaning };

		wrapped_rows_add(out, &layout, cells);
	}
}

void doctor_output_text(struct buffer *out, const struct machine_checks *checks,
			const struct machine_values *values, size_t columns)
{
	struct buffer verdict = BUFFER_INIT;

	if (checks->engine)
		buffer_printf(&verdict, "tsprof record takes the engine %s here: %s.",
			      checks->engine, checks->reason);
	else
		buffer_printf(&verdict, "tsprof record cannot work here: %s.", checks->reason);
	if (verdict.is_failed)
		out->is_failed = true;
	add_paragraph(out, buffer_string(&verdict), columns);
	buffer_release(&verdict);
	buffer_add_char(out, '\n');
	add_checks(out, checks, columns);
	add_all_capabilities(out, checks, columns);
	buffer_add_char(out, '\n');
	add_values(out, values, columns);
}

static void json_add_checks(struct json_writer *json, const struct machine_checks *checks)
{
	json_open_array(json, "checks");
	for (size_t i = 0; i < checks->n_items; i++) {
		const struct machine_check *check = &checks->items[i];

		json_open_object(json, NULL);
		json_string(json, "key", check->key);
		json_string(json, "name", check->name);
		json_string(json, "verdict", verdict_word(check->verdict));
		json_string(json, "why", check->why);
		json_open_array(json, "remedies");
		for (size_t k = 0; k < check->n_remedies; k++) {
			json_open_object(json, NULL);
			json_string(json, "command", check->remedies[k].command);
			json_string(json, "gain", check->remedies[k].gain);
			json_close_object(json);
		}
		json_close_array(json);
		json_close_object(json);
	}
	json_close_array(json);
}

void doctor_output_json(struct buffer *out, const struct machine_checks *checks,
			const struct machine_values *values)
{
	struct json_writer json = { .out = out };

	json_open_object(&json, NULL);
	json_string(&json, "schema", "tsprof.doctor/1");
	json_bool(&json, "can_record", checks->engine != NULL);
	if (checks->engine)
		json_string(&json, "engine", checks->engine);
	json_string(&json, "reason", checks->reason);
	json_add_checks(&json, checks);
	if (checks->all_capabilities[0])
		json_string(&json, "all_capabilities", checks->all_capabilities);
	json_open_array(&json, "settings");
	for (size_t i = 0; i < values->n_items; i++) {
		json_open_object(&json, NULL);
		json_string(&json, "key", values->items[i].key);
		json_string(&json, "value", values->items[i].value);
		json_string(&json, "meaning", values->items[i].meaning);
		json_close_object(&json);
	}
	json_close_array(&json);
	json_close_object(&json);
}
