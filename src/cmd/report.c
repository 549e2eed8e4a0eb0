/*
 * tsprof report: where the time went, as tables.  All tables are made first
 * and then rendered in one go, so that a failure prints no half of them.
 */
#include "cmd/command.h"

#include <stddef.h>

#include "cmd/profile_input.h"
#include "cmd/report_output.h"
#include "cmd/report_parts.h"
#include "cmd/report_snapshot.h"
#include "cmd/view_options.h"

static const struct option report_options[] = {
	VIEW_OPTION_INPUT(report_options),
	{ "top", 0, OPTION_COUNT, "N", "show the N heaviest rows (default 20; 0: all)",
	  offsetof(struct report_options, top), NULL },
	{ "processes", 0, OPTION_FLAG, NULL, "a row per process",
	  offsetof(struct report_options, with_processes), NULL },
	{ "threads", 0, OPTION_FLAG, NULL, "a row per thread",
	  offsetof(struct report_options, with_threads), NULL },
	{ "modules", 0, OPTION_FLAG, NULL, "a row per executable or library",
	  offsetof(struct report_options, with_modules), NULL },
	{ "lines", 0, OPTION_FLAG, NULL, "a row per source line",
	  offsetof(struct report_options, with_lines), NULL },
	{ "callers", 0, OPTION_STRING, "FUNC", "what called FUNC: a name, a part of it or a regex",
	  offsetof(struct report_options, callers_of), NULL },
	{ "callees", 0, OPTION_STRING, "FUNC", "what FUNC called",
	  offsetof(struct report_options, callees_of), NULL },
	{ "children", 0, OPTION_FLAG, NULL, "sort by total time, callees included",
	  offsetof(struct report_options, by_total), NULL },
	{ "self", 0, OPTION_FLAG, NULL, "sort by the time in the row itself (default)",
	  offsetof(struct report_options, by_self), NULL },
	VIEW_OPTIONS_CHOICE(report_options),
	{ "breakdown", 0, OPTION_FLAG, NULL, "a row per component, and what is unexplained",
	  offsetof(struct report_options, is_breakdown), NULL },
	{ "components", 0, OPTION_STRING, "FILE", "take the components from the rules in FILE",
	  offsetof(struct report_options, components), NULL },
	{ "per", 0, OPTION_STRING, "SCOPE", "the breakdown of an average call of SCOPE",
	  offsetof(struct report_options, per), NULL },
	REPORT_MARKS_OPTIONS(report_options),
	{ "memory", 0, OPTION_FLAG, NULL, "the memory of processes over time, and its growth",
	  offsetof(struct report_options, with_memory), NULL },
	{ "output", 'o', OPTION_STRING, "FILE", "the file that --snapshot writes",
	  offsetof(struct report_options, output), NULL },
	{ "json", 0, OPTION_FLAG, NULL, "write JSON", offsetof(struct report_options, as_json),
	  NULL },
	{ "csv", 0, OPTION_FLAG, NULL, "write CSV", offsetof(struct report_options, as_csv), NULL },
	{ 0 },
};

static int report_check_options(struct app *app, const struct report_options *options)
{
	const int n_tables = options->is_breakdown + options->with_processes +
			     options->with_threads + options->with_modules + options->with_lines +
			     (options->callers_of != NULL) + (options->callees_of != NULL) +
			     report_marks_n_tables(&options->marks) + options->with_memory;
	const char *const other = options->view.by	   ? "--by"
				  : options->view.state	   ? "--state"
				  : options->view.in_scope ? "--in-scope"
				  : options->view.category ? "--category"
							   : NULL;

	const char *const of_process = options->view.thread	? "--thread"
				       : options->view.in_scope ? "--in-scope"
				       : options->view.category ? "--category"
								: NULL;

	if (options->as_json && options->as_csv)
		app_say(app, "report: --json and --csv exclude each other; see 'tsprof report -h'");
	else if (options->by_total && options->by_self)
		app_say(app,
			"report: --children and --self exclude each other; see 'tsprof report -h'");
	else if (options->as_csv && n_tables > 1)
		app_say(app, "report: --csv takes one table at a time (--json takes several); "
			     "see 'tsprof report -h'");
	else if (options->marks.snapshot && (n_tables || options->as_json || options->as_csv))
		app_say(app, "report: --snapshot writes the bytes of one, and no tables; see "
			     "'tsprof report -h'");
	else if (options->view.by && report_marks_n_tables(&options->marks))
		app_say(app, "report: --by does not split tables of marks (leave it out); see "
			     "'tsprof report -h'");
	else if (options->output && !options->marks.snapshot)
		app_say(app, "report: -o goes with --snapshot (redirect other output); see "
			     "'tsprof report -h'");
	else if (options->with_memory && of_process)
		app_say(app,
			"report: --memory is of processes: leave %s out; see 'tsprof report -h'",
			of_process);
	else if (options->per && n_tables > 1)
		app_say(app, "report: --per is of the breakdown alone: leave other tables out; "
			     "see 'tsprof report -h'");
	else if (options->per && other)
		app_say(app,
			"report: --per is of a whole call: leave %s out; see 'tsprof report -h'",
			other);
	else
		return EXIT_OK;
	return EXIT_USAGE;
}

static int report_profile(struct app *app, const void *data, const struct profile *profile,
			  struct error *err)
{
	const struct report_options *options = data;
	struct report_output output = {
		.profile = profile,
		.format = options->as_json  ? REPORT_JSON
			  : options->as_csv ? REPORT_CSV
					    : REPORT_TEXT,
		.view = view_options_view(&options->view),
	};
	int r;

	if (options->marks.snapshot)
		return report_snapshot_write(app, profile, options->marks.snapshot, options->output,
					     options->marks.is_forced, err);
	if (options->per)
		output.view.in_scope = options->per;
	r = view_resolve(&output.view, profile, err);

	if (r == 0)
		r = report_parts_add(&output, options, profile, err);
	if (r == 0)
		r = report_output_write(&output, app, err);
	report_output_release(&output);
	return r;
}

static int report_run(struct app *app, int argc, char **argv)
{
	struct report_options options = { .view = VIEW_OPTIONS_INIT,
					  .top = UINT64_MAX,
					  .marks = REPORT_MARKS_OPTIONS_INIT };
	const int status = view_options_status(app, &command_report,
					       options_parse(app, &command_report, &options, argc,
							     argv, false));

	if (status != VIEW_OPTIONS_GO_ON)
		return status;
	options.is_breakdown |= options.components != NULL || options.per != NULL;
	if (report_check_options(app, &options) != EXIT_OK)
		return EXIT_USAGE;
	return profile_input_show(app, options.view.input, report_profile, &options);
}

const struct command command_report = {
	.name = "report",
	.summary = "show where the time went, by function, line, thread or component",
	.operands = "",
	.details =
		"Self is the time in a row itself, Total includes what it called; a recursive\n"
		"function counts once.  ± is half of the 95 % confidence interval, in percent of\n"
		"the whole.  The input is profile.tsprof unless -i names another, a profile or\n"
		"folded text; without times in it, samples are shown.  --breakdown makes a\n"
		"component of every module unless --components names a rules file.",
	.options = report_options,
	.run = report_run,
};
