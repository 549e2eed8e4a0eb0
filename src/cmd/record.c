/* tsprof record: run a command and write its profile. */
#include "cmd/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/units.h"
#include "cmd/record_options.h"
#include "cmd/record_probes.h"
#include "cmd/record_summary.h"
#include "model/profile.h"
#include "os/allocation_counter.h"
#include "os/perf_event.h"
#include "os/sampler_choice.h"
#include "record/recorder.h"
#include "record/resources.h"
#include "unwind/unwinder.h"

static const char *const event_choices[] = {
	"cpu-clock",	 "task-clock",	     "wall",	     "cycles", "instructions", "branches",
	"branch-misses", "cache-references", "cache-misses", NULL
};

static const char *const unwinder_choices[] = { "cfi", "fp", "libunwind", "libdw", "verify", NULL };

static const char *const engine_choices[] = { "auto", "perf", "sigprof", NULL };

static const struct option record_options[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_STRING,
	  .argument = "FILE",
	  .help = "write the profile to FILE (default profile.tsprof)",
	  .offset = offsetof(struct record_options, output) },
	{ .name = "rate",
	  .letter = 'F',
	  .kind = OPTION_RATE,
	  .argument = "HZ",
	  .help = "samples per second of CPU time (default 997)",
	  .offset = offsetof(struct record_options, rate_hz) },
	{ .name = "pid",
	  .letter = 'p',
	  .kind = OPTION_STRINGS,
	  .argument = "PID",
	  .help = "sample a process that runs already; may be repeated",
	  .offset = offsetof(struct record_options, processes) },
	{ .name = "system-wide",
	  .letter = 'a',
	  .kind = OPTION_FLAG,
	  .help = "sample all processes",
	  .offset = offsetof(struct record_options, is_system) },
	{ .name = "duration",
	  .kind = OPTION_DURATION,
	  .argument = "TIME",
	  .help = "stop sampling after TIME, such as 10s or 500ms",
	  .offset = offsetof(struct record_options, duration_ns) },
	{ .name = "delay",
	  .kind = OPTION_DURATION,
	  .argument = "TIME",
	  .help = "start sampling after TIME",
	  .offset = offsetof(struct record_options, delay_ns) },
	{ .name = "start-paused",
	  .kind = OPTION_FLAG,
	  .help = "start sampling when SIGUSR2 comes, which pauses it later",
	  .offset = offsetof(struct record_options, is_paused) },
	{ .name = "ready-fd",
	  .kind = OPTION_STRING,
	  .argument = "FD",
	  .help = "when samples are taken, write to FD where programs can mark",
	  .offset = offsetof(struct record_options, ready_text) },
	{ .name = "max-size",
	  .kind = OPTION_BYTES,
	  .argument = "BYTES",
	  .help = "drop the oldest samples when the profile gets larger",
	  .offset = offsetof(struct record_options, max_bytes) },
	{ .name = "engine",
	  .kind = OPTION_STRING,
	  .argument = "NAME",
	  .help = "how to take samples (default auto: what is permitted)",
	  .offset = offsetof(struct record_options, engine),
	  .choices = engine_choices },
	{ .name = "event",
	  .kind = OPTION_STRING,
	  .argument = "EVENT",
	  .help = "what to sample by (default cpu-clock)",
	  .offset = offsetof(struct record_options, event),
	  .choices = event_choices },
	{ .name = "kernel",
	  .kind = OPTION_FLAG,
	  .help = "fail unless the kernel's part of each stack can be recorded",
	  .offset = offsetof(struct record_options, with_kernel) },
	{ .name = "no-kernel",
	  .kind = OPTION_FLAG,
	  .help = "leave out the kernel's part of each stack",
	  .offset = offsetof(struct record_options, without_kernel) },
	{ .name = "off-cpu",
	  .kind = OPTION_FLAG,
	  .help = "record also where threads wait, and how long",
	  .offset = offsetof(struct record_options, with_waits) },
	{ .name = "mark-output",
	  .kind = OPTION_STRING,
	  .argument = "REGEX",
	  .help = "make a milestone of each line printed that matches, named by the first "
		  "group",
	  .offset = offsetof(struct record_options, mark_output) },
	{ .name = "count-allocations",
	  .kind = OPTION_FLAG,
	  .help = "count the bytes that scopes of TSPROF_SCOPE_FULL allocate",
	  .offset = offsetof(struct record_options, counts_allocations) },
	{ .name = "keep-events",
	  .kind = OPTION_FLAG,
	  .help = "keep every call of every scope, not only the slowest and failed",
	  .offset = offsetof(struct record_options, keeps_events) },
	{ .name = "snapshots",
	  .kind = OPTION_COUNT,
	  .argument = "N",
	  .help = "keep the last N snapshots of each name (default 100)",
	  .offset = offsetof(struct record_options, n_snapshots) },
	{ .name = "resources",
	  .kind = OPTION_COUNT,
	  .argument = "HZ",
	  .help = "read the target's memory so often a second (default 10; 0: never)",
	  .offset = offsetof(struct record_options, resources_hz) },
	{ .name = "mark-function",
	  .kind = OPTION_STRINGS,
	  .argument = "FUNCTION",
	  .help = "make a milestone each time that a function is entered, or returns "
		  "(NAME%return); may be repeated",
	  .offset = offsetof(struct record_options, marked_functions) },
	{ .name = "trace-function",
	  .kind = OPTION_STRINGS,
	  .argument = "FUNCTION",
	  .help = "make each call of a function a scope, with its arguments if their types "
		  "are given: 'NAME(int a, char *b)'; may be repeated",
	  .offset = offsetof(struct record_options, traced_functions) },
	{ .name = "stack-size",
	  .kind = OPTION_BYTES,
	  .argument = "BYTES",
	  .help = "stack to copy with each sample (default 65528, or what fits)",
	  .offset = offsetof(struct record_options, stack_bytes) },
	{ .name = "unwinder",
	  .kind = OPTION_STRING,
	  .argument = "NAME",
	  .help = "how to walk stacks (default cfi)",
	  .offset = offsetof(struct record_options, unwinder),
	  .choices = unwinder_choices },
	{ .name = "no-symbols",
	  .kind = OPTION_FLAG,
	  .help = "do not look up names: the file will hold addresses only",
	  .offset = offsetof(struct record_options, without_symbols) },
	{ .name = "strict",
	  .kind = OPTION_FLAG,
	  .help = "fail with status 1 when samples or marks were lost, a stack is cut or "
		  "there is no such event",
	  .offset = offsetof(struct record_options, is_strict) },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPTION_FLAG,
	  .help = "no status line and no summary",
	  .offset = offsetof(struct record_options, is_quiet) },
	{ 0 },
};

static void show_progress(void *context, const struct recorder_progress *progress)
{
	struct app *app = context;
	char elapsed[UNITS_TEXT_BYTES];
	char samples[UNITS_TEXT_BYTES];
	char lost[UNITS_TEXT_BYTES];
	char size[UNITS_TEXT_BYTES];

	(void)fprintf(app->messages, "\r\033[K%s: %s%s, %s samples, %s lost, %s", app->program,
		      progress->is_paused ? "paused, " : "",
		      units_duration(elapsed, progress->elapsed_ns),
		      units_count(samples, progress->n_samples),
		      units_count(lost, progress->n_lost), units_bytes(size, progress->file_bytes));
	(void)fflush(app->messages);
}

struct record {
	struct app *app;
	const struct record_options *options;
	bool has_status_line;
};

/* The profile is there; a command that is still running is waited for. */
static void show_written(void *context, const struct profile *profile,
			 const struct recorder_result *result)
{
	const struct record *record = context;
	struct app *app = record->app;

	if (record->has_status_line)
		(void)fputs("\r\033[K", app->messages);
	if (!record->options->is_quiet)
		record_summary_show(app, profile, result, record->options->output);
	if (record->options->max_bytes && result->file_bytes > record->options->max_bytes)
		app_say(app,
			"--max-size could not be kept: names and stacks alone need most of it");
	if (result->statement)
		app_say(app, "%s", result->statement);
}

/*
 * Whoever waits learns that nothing will come, and the number of the reason.  After the message,
 * which they may read next.
 */
static void tell_failure(const struct record_options *options, int code)
{
	if (options->ready_fd >= 0)
		(void)dprintf(options->ready_fd, "%d", code);
}

static int run_recorder(struct record *record, const struct recorder_options *recorder_options)
{
	const struct record_options *options = record->options;
	struct app *app = record->app;
	struct recorder_result result;
	struct profile profile;
	struct error err = ERROR_INIT;
	int status;
	int r;

	if (profile_init(&profile) < 0) {
		(void)error_set_no_memory(&err);
		return app_fail(app, EXIT_FAILED, &err);
	}
	r = recorder_run(&profile, &result, recorder_options, &err);
	if (r < 0 && record->has_status_line && result.has_started)
		(void)fputs("\r\033[K", app->messages);
	if (r == 0)
		status = options->is_strict && record_summary_check(&profile, &result, &err) < 0
				 ? app_fail(app, EXIT_FAILED, &err)
				 : result.exit_status;
	else if (!result.has_started && result.exit_status)
		status = app_fail(app, result.exit_status, &err);
	else
		status = app_fail(app, EXIT_FAILED, &err);
	if (r < 0 && !result.has_started)
		tell_failure(options, r);
	if (r < 0 && result.has_started)
		app_say(app, "what was recorded until then can be read from %s.part",
			options->output);
	free(result.remark);
	free(result.statement);
	profile_release(&profile);
	return status;
}

static int record(struct app *app, const struct record_options *options,
		  const struct probe_plan *probes, char *const *argv)
{
	struct record record = {
		.app = app,
		.options = options,
		.has_status_line = !options->is_quiet && isatty(fileno(app->messages)),
	};
	struct recorder_options recorder_options = {
		.output_path = options->output,
		.sampler = {
			.event = perf_event_kind_find(options->event),
			.is_event_required = options->is_strict,
			.rate_hz = options->rate_hz,
			.stack_bytes = options->stack_bytes & ~UINT64_C(7),
			.is_paused = options->is_paused || options->delay_ns,
			.is_attaching = !argv,
			.is_system = options->is_system,
			.kernel = options->with_kernel	  ? SAMPLER_KERNEL_REQUIRED
				  : options->without_kernel ? SAMPLER_KERNEL_NONE
							    : SAMPLER_KERNEL_AUTO,
			.command = argv ? argv[0] : NULL,
			.probes = probes->points,
			.n_probes = probes->n_points,
			.with_switches = options->with_waits ||
					 perf_event_kind_find(options->event)->is_wall,
		},
		.target = { .argv = argv, .pids = options->pids, .n_pids = options->n_pids },
		.control = {
			.delay_ns = options->delay_ns,
			.duration_ns = options->duration_ns,
			.is_paused = options->is_paused,
		},
		.unwinder = unwind_backend_find(options->unwinder),
		.probes = probes,
		.without_symbols = options->without_symbols,
		.ready_fd = options->ready_fd,
		.resources_hz = options->resources_hz != RESOURCES_UNSET ? options->resources_hz
				: options->is_system			 ? 0
									 : RESOURCES_DEFAULT_HZ,
		.max_file_bytes = options->max_bytes,
		.marks = { .keeps_all_calls = options->keeps_events,
			   .n_snapshots = options->n_snapshots },
		.mark_output = options->has_output_pattern ? &options->output_pattern : NULL,
		.written = show_written,
		.written_context = &record,
		.progress = record.has_status_line ? show_progress : NULL,
		.progress_context = app,
	};
	struct sampler_choice choice;
	struct error err = ERROR_INIT;
	bool is_other_event;
	int r;

	r = options->counts_allocations ? allocation_counter_preload(&err) : 0;
	if (r == 0)
		r = sampler_choose(&choice, options->engine, &recorder_options.sampler, &err);
	if (r < 0) {
		(void)app_fail(app, EXIT_FAILED, &err);
		tell_failure(options, r);
		return EXIT_FAILED;
	}
	recorder_options.engine = choice.engine;
	recorder_options.engine_reason = choice.reason;
	is_other_event = choice.event != recorder_options.sampler.event;
	recorder_options.sampler.event = choice.event;
	if (choice.is_fallback && (is_other_event || !options->is_quiet))
		app_say(app, "sampling by %s with the engine %s: %s", choice.event->name,
			choice.engine->name, choice.reason);
	return run_recorder(&record, &recorder_options);
}

static int record_run(struct app *app, int argc, char **argv)
{
	struct record_options options = {
		.output = "profile.tsprof",
		.rate_hz = 997,
		.engine = "auto",
		.resources_hz = RESOURCES_UNSET,
		.ready_fd = -1,
		.event = perf_event_kinds[0].name,
		.n_snapshots = MARKS_SNAPSHOTS_PER_NAME,
		.unwinder = unwind_backends[0]->name,
	};
	const int n_operands = options_parse(app, &command_record, &options, argc, argv, true);
	struct error err = ERROR_INIT;
	int status;

	if (n_operands == OPTIONS_HELP) {
		status = EXIT_OK;
	} else if (n_operands == OPTIONS_ERROR) {
		status = EXIT_USAGE;
	} else if (record_options_check(&options, n_operands, &err) < 0) {
		app_say(app, "record: %s", err.message);
		status = EXIT_USAGE;
	} else {
		struct probe_plan probes;

		argv[n_operands + 1] = NULL;
		status = record_probes_plan(app, &probes,
					    &(struct probe_request){
						    .marks = options.marked_functions.strings,
						    .n_marks = options.marked_functions.n_strings,
						    .traces = options.traced_functions.strings,
						    .n_traces = options.traced_functions.n_strings,
						    .command = n_operands ? argv[1] : NULL,
						    .pid = options.n_pids ? options.pids[0] : 0,
					    },
					    options.is_quiet);
		if (status == EXIT_OK)
			status = record(app, &options, &probes, n_operands ? argv + 1 : NULL);
		probe_plan_release(&probes);
	}
	record_options_release(&options);
	return status;
}

const struct command command_record = {
	.name = "record",
	.summary = "run a command and write its profile",
	.operands = "[[--] COMMAND [ARG...]]",
	.details = "Samples the command with all its threads and children until it ends.  Its\n"
		   "standard input, output and error are its own.  The exit status is the\n"
		   "command's; 128 + n when signal n killed it, 127 when it was not found, 126\n"
		   "when it could not be run, 1 when tsprof failed, 2 for wrong usage.",
	.options = record_options,
	.run = record_run,
};
