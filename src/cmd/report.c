/*
 * tsprof report: where the time went, as tables.  All tables are made first
 * and then rendered in one go, so that a failure prints no half of them.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "cmd/profile_input.h"
#include "cmd/report_output.h"
#include "export/report_table.h"
#include "tree/breakdown.h"
#include "tree/calltree.h"
#include "tree/components.h"
#include "tree/frame_table.h"
#include "tree/function_find.h"
#include "tree/measure.h"
#include "tree/view.h"

enum {
	REPORT_TOP = 20,       /* rows of a table, unless --top says another number */
	REPORT_TOP_INSIDE = 4, /* functions of a module in the breakdown, likewise */
};

struct report_options {
	const char *input;
	uint64_t top; /* UINT64_MAX: not given */
	bool with_threads;
	bool with_modules;
	bool with_lines;
	const char *callers_of;
	const char *callees_of;
	bool by_total;
	bool by_self;
	uint64_t from_ns;
	uint64_t to_ns;
	const char *thread;
	bool is_breakdown;
	const char *components;
	bool as_json;
	bool as_csv;
};

static const struct option report_options[] = {
	{ "input", 'i', OPTION_STRING, "FILE", "read FILE, or - for standard input",
	  offsetof(struct report_options, input), NULL },
	{ "top", 0, OPTION_COUNT, "N", "show the N heaviest rows (default 20; 0: all)",
	  offsetof(struct report_options, top), NULL },
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
	{ "from", 0, OPTION_DURATION, "TIME", "leave out what was before TIME",
	  offsetof(struct report_options, from_ns), NULL },
	{ "to", 0, OPTION_DURATION, "TIME", "leave out what was from TIME on",
	  offsetof(struct report_options, to_ns), NULL },
	{ "thread", 0, OPTION_STRING, "NAME|TID", "only the threads of that name or number",
	  offsetof(struct report_options, thread), NULL },
	{ "breakdown", 0, OPTION_FLAG, NULL, "a row per component, and what is unexplained",
	  offsetof(struct report_options, is_breakdown), NULL },
	{ "components", 0, OPTION_STRING, "FILE", "take the components from the rules in FILE",
	  offsetof(struct report_options, components), NULL },
	{ "json", 0, OPTION_FLAG, NULL, "write JSON", offsetof(struct report_options, as_json),
	  NULL },
	{ "csv", 0, OPTION_FLAG, NULL, "write CSV", offsetof(struct report_options, as_csv), NULL },
	{ 0 },
};

static struct view report_view(const struct report_options *options)
{
	struct view view = VIEW_INIT;

	view.with_process = false;
	view.from_ns = options->from_ns;
	view.to_ns = options->to_ns;
	view.thread = options->thread;
	return view;
}

static uint64_t report_top(const struct report_options *options, uint64_t usual)
{
	if (options->top == UINT64_MAX)
		return usual;
	return options->top ? options->top : UINT64_MAX;
}

/* The recorded time that the view looks at. */
static uint64_t report_duration_ns(const struct report_options *options,
				   const struct profile *profile)
{
	const uint64_t duration_ns = profile->info.duration_ns;
	const uint64_t end_ns = options->to_ns < duration_ns ? options->to_ns : duration_ns;

	return end_ns > options->from_ns ? end_ns - options->from_ns : 0;
}

/* The rows of one table, sorted, from a tree that is made for it. */
static int report_frames(struct frame_table *frames, enum report_kind kind,
			 const struct calltree *tree, const char *function, struct error *err)
{
	bool *is_wanted;
	int r;

	if (!function)
		return frame_table_build(frames, tree,
					 kind == REPORT_THREADS ? FRAME_ROWS_LABELS
								: FRAME_ROWS_CODE,
					 err);
	is_wanted = calloc(tree->n_frames + 1, sizeof(*is_wanted));
	if (!is_wanted)
		return error_set_no_memory(err);
	r = function_find(tree, function, is_wanted, err);
	if (r == 0 && kind == REPORT_CALLERS)
		r = frame_table_build_callers(frames, tree, is_wanted, err);
	else if (r == 0)
		r = frame_table_build_callees(frames, tree, is_wanted, err);
	free(is_wanted);
	return r;
}

static enum granularity granularity_of(enum report_kind kind)
{
	if (kind == REPORT_MODULES)
		return GRANULARITY_MODULE;
	return kind == REPORT_LINES ? GRANULARITY_LINE : GRANULARITY_FUNCTION;
}

static int report_add_frames(struct report_output *output, enum report_kind kind,
			     const struct report_options *options, const struct profile *profile,
			     const char *function, struct error *err)
{
	const bool is_by_total = options->by_total || function || kind == REPORT_THREADS;
	struct report_part *part = &output->parts[output->n_parts];
	struct view view = report_view(options);
	struct frame_table frames = { 0 };
	uint64_t n_rows;
	int r;

	view.granularity = granularity_of(kind);
	view.with_thread = kind == REPORT_THREADS;
	r = calltree_build(&part->tree, profile, &view, err);
	if (r < 0)
		return r;
	output->n_parts++;
	r = report_frames(&frames, kind, &part->tree, function, err);
	if (r < 0)
		return r;
	n_rows = report_top(options, REPORT_TOP);
	if (n_rows > frames.n_rows)
		n_rows = frames.n_rows;
	part->function = function;
	part->kind = kind;
	part->n_hidden = frames.n_rows - n_rows;
	if (frame_table_sort(&frames, is_by_total) < 0 ||
	    report_table_build(&part->table, kind, &frames, n_rows) < 0)
		r = error_set_no_memory(err);
	frame_table_release(&frames);
	return r;
}

static int report_add_breakdown(struct report_output *output, const struct report_options *options,
				const struct profile *profile, struct error *err)
{
	struct report_part *part = &output->parts[output->n_parts];
	const struct view view = report_view(options);
	const uint64_t n_inside = report_top(options, REPORT_TOP_INSIDE);
	int r = calltree_build(&part->tree, profile, &view, err);

	if (r < 0)
		return r;
	output->n_parts++;
	part->is_breakdown = true;
	if (options->components) {
		r = components_read(&part->components, options->components, err);
		if (r < 0)
			return r;
	}
	r = breakdown_build(&part->breakdown, &part->tree,
			    options->components ? &part->components : NULL, n_inside, err);
	if (r == 0 && report_table_build_breakdown(&part->table, &part->breakdown,
						   report_duration_ns(options, profile)) < 0)
		r = error_set_no_memory(err);
	return r;
}

/* One part for each table that was asked for, functions when none was. */
static int report_add_parts(struct report_output *output, const struct report_options *options,
			    const struct profile *profile, struct error *err)
{
	const struct {
		enum report_kind kind;
		bool is_asked;
		const char *function;
	} kinds[] = {
		{ REPORT_THREADS, options->with_threads, NULL },
		{ REPORT_MODULES, options->with_modules, NULL },
		{ REPORT_LINES, options->with_lines, NULL },
		{ REPORT_CALLERS, options->callers_of != NULL, options->callers_of },
		{ REPORT_CALLEES, options->callees_of != NULL, options->callees_of },
	};
	int r = 0;

	if (options->is_breakdown)
		r = report_add_breakdown(output, options, profile, err);
	for (size_t i = 0; r == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].is_asked)
			r = report_add_frames(output, kinds[i].kind, options, profile,
					      kinds[i].function, err);
	if (r == 0 && output->n_parts == 0)
		r = report_add_frames(output, REPORT_FUNCTIONS, options, profile, NULL, err);
	return r;
}

static int report_check_options(struct app *app, const struct report_options *options)
{
	const int n_tables = options->is_breakdown + options->with_threads + options->with_modules +
			     options->with_lines + (options->callers_of != NULL) +
			     (options->callees_of != NULL);

	if (options->as_json && options->as_csv)
		app_say(app, "report: --json and --csv exclude each other; see 'tsprof report -h'");
	else if (options->by_total && options->by_self)
		app_say(app,
			"report: --children and --self exclude each other; see 'tsprof report -h'");
	else if (options->as_csv && n_tables > 1)
		app_say(app, "report: --csv takes one table at a time (--json takes several); "
			     "see 'tsprof report -h'");
	else
		return EXIT_OK;
	return EXIT_USAGE;
}

static int report_profile(struct app *app, const struct report_options *options,
			  const struct profile *profile, struct error *err)
{
	const struct view view = report_view(options);
	struct report_output output = {
		.profile = profile,
		.format = options->as_json  ? REPORT_JSON
			  : options->as_csv ? REPORT_CSV
					    : REPORT_TEXT,
		.view = view,
	};
	int r = view_check(&view, profile, err);

	if (r == 0)
		r = report_add_parts(&output, options, profile, err);
	if (r == 0)
		r = report_output_write(&output, app, err);
	report_output_release(&output);
	return r;
}

static int report_run(struct app *app, int argc, char **argv)
{
	struct report_options options = { .top = UINT64_MAX, .to_ns = UINT64_MAX };
	const int n_operands = options_parse(app, &command_report, &options, argc, argv, false);
	struct error err = ERROR_INIT;
	struct profile profile;
	int r;

	if (n_operands == OPTIONS_HELP)
		return EXIT_OK;
	if (n_operands < 0)
		return EXIT_USAGE;
	if (n_operands > 0) {
		app_say(app,
			"report: takes no operands; name the file with -i; see 'tsprof report -h'");
		return EXIT_USAGE;
	}
	options.is_breakdown |= options.components != NULL;
	if (report_check_options(app, &options) != EXIT_OK)
		return EXIT_USAGE;
	r = profile_input_read(app, &profile, options.input, &err);
	if (r < 0)
		return app_fail(app, EXIT_FAILED, &err);
	r = report_profile(app, &options, &profile, &err);
	profile_release(&profile);
	return r < 0 ? app_fail(app, EXIT_FAILED, &err) : EXIT_OK;
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
