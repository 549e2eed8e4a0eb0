/* What was merged.  Names of commands and hosts come from files and may hold anything. */
#include "export/run_list.h"

#include <time.h>

#include "base/escape.h"
#include "base/units.h"

/* So many lines at most: the rest is in the JSON. */
enum { RUN_LIST_LINES = 10 };

static void add_run(struct buffer *out, const struct profile *profile, size_t at, size_t columns)
{
	const struct profile_info *run = &profile->runs[at];
	const char *const host = interner_get(&profile->strings, run->host);
	const time_t start = (time_t)(run->start_epoch_ns / NS_PER_S);
	struct buffer line = BUFFER_INIT;
	char text[UNITS_TEXT_BYTES];
	char date[32];
	struct tm tm;

	buffer_printf(&line, "Run [%zu]: %s", at + 1,
		      interner_get(&profile->strings, run->command));
	if (host[0])
		buffer_printf(&line, " on %s", host);
	if (start && localtime_r(&start, &tm) &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm))
		buffer_printf(&line, ", %s", date);
	if (run->duration_ns)
		buffer_printf(&line, ", %s", units_duration(text, run->duration_ns));
	buffer_add_string(&line, run->is_cut ? ", was cut" : "");
	escape_terminal_fit(out, buffer_string(&line), columns);
	buffer_add_char(out, '\n');
	out->is_failed |= line.is_failed;
	buffer_release(&line);
}

void run_list_write_text(struct buffer *out, const struct profile *profile, size_t columns)
{
	char text[UNITS_TEXT_BYTES];

	if (profile->n_runs < 2)
		return;
	for (size_t i = 0; i < profile->n_runs && i < RUN_LIST_LINES; i++)
		add_run(out, profile, i, columns);
	if (profile->n_runs > RUN_LIST_LINES)
		buffer_printf(out, "… and %s more runs (--json lists all)\n",
			      units_count(text, profile->n_runs - RUN_LIST_LINES));
}

static void add_text(struct json_writer *json, const char *key, const struct profile *profile,
		     uint32_t text)
{
	if (text)
		json_string(json, key, interner_get(&profile->strings, text));
}

static void add_number(struct json_writer *json, const char *key, uint64_t number)
{
	if (number)
		json_unsigned(json, key, number);
}

void run_list_write_json(struct json_writer *json, const struct profile *profile)
{
	if (!profile->n_runs)
		return;
	json_open_array(json, "runs");
	for (size_t i = 0; i < profile->n_runs; i++) {
		const struct profile_info *run = &profile->runs[i];

		json_open_object(json, NULL);
		add_text(json, "command", profile, run->command);
		add_text(json, "host", profile, run->host);
		add_text(json, "kernel", profile, run->kernel);
		add_text(json, "tool", profile, run->tool);
		add_text(json, "engine", profile, run->engine);
		add_text(json, "event", profile, run->event);
		add_text(json, "unwinder", profile, run->unwinder);
		json_bool(json, "is_cut", run->is_cut);
		add_number(json, "period_ns", run->period_ns);
		add_number(json, "start_epoch_ns", run->start_epoch_ns);
		add_number(json, "duration_ns", run->duration_ns);
		json_close_object(json);
	}
	json_close_array(json);
}
