/* tsprof record: run a command and write its profile. */
#include "cmd/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/units.h"
#include "model/profile.h"
#include "os/perf_event.h"
#include "record/recorder.h"
#include "unwind/unwinder.h"

enum {
	STACK_MIN_BYTES = 1024,
};

struct record_options {
	const char *output;
	uint64_t rate_hz;
	const char *event;
	uint64_t stack_bytes;
	const char *unwinder;
	bool without_symbols;
	bool is_strict;
	bool is_quiet;
};

static const char *const event_choices[] = { "cpu-clock",	 "task-clock",	 "cycles",
					     "instructions",	 "branches",	 "branch-misses",
					     "cache-references", "cache-misses", NULL };

static const char *const unwinder_choices[] = { "cfi", "fp", "libunwind", "libdw", "verify", NULL };

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
	{ .name = "event",
	  .kind = OPTION_STRING,
	  .argument = "EVENT",
	  .help = "what to sample by (default cpu-clock)",
	  .offset = offsetof(struct record_options, event),
	  .choices = event_choices },
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
	  .help = "fail with status 1 when samples were lost or a stack is cut",
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

	(void)fprintf(app->messages, "\r\033[K%s: %s, %s samples, %s lost, %s", app->program,
		      units_duration(elapsed, progress->elapsed_ns),
		      units_count(samples, progress->n_samples),
		      units_count(lost, progress->n_lost), units_bytes(size, progress->file_bytes));
	(void)fflush(app->messages);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t n_complete(const struct quality *quality)
{
	return quality->n_by_end[STACK_COMPLETE] + quality->n_by_end[STACK_KERNEL_ONLY];
}

/* Never "100.0 %" of what is not all. */
static double percent_complete(const struct quality *quality)
{
	const double share = percent(n_complete(quality), quality->n_samples);

	return n_complete(quality) < quality->n_samples && share > 99.9 ? 99.9 : share;
}

static void show_summary(struct app *app, const struct profile *profile,
			 const struct recorder_result *result, const char *path)
{
	const struct quality *quality = &profile->quality;
	struct buffer line = BUFFER_INIT;
	char text[UNITS_TEXT_BYTES];

	buffer_printf(&line, "%s samples, ", units_count(text, quality->n_samples));
	buffer_printf(&line, "%s lost, ", units_count(text, quality->n_lost));
	if (quality->n_samples)
		buffer_printf(&line, "%.1f %% complete stacks, %.1f %% unresolved, ",
			      percent_complete(quality),
			      percent(quality->n_unresolved, quality->n_samples));
	if (quality->target_cpu_ns)
		buffer_printf(&line, "own CPU time %.1f %% of %s, ",
			      percent(quality->recorder_cpu_ns, quality->target_cpu_ns),
			      units_duration(text, quality->target_cpu_ns));
	buffer_printf(&line, "%s in %s", units_bytes(text, result->file_bytes), path);
	app_say(app, "%s", buffer_string(&line));
	buffer_release(&line);
}

/* What limits the result and can be changed. */
static void show_limits(struct app *app, const struct profile *profile,
			const struct recorder_result *result)
{
	const struct quality *quality = &profile->quality;
	const uint64_t n_cut = quality->n_by_end[STACK_TRUNCATED_DUMP];

	if (!quality->n_samples)
		app_say(app, "the command used too little CPU time for a single sample (raise the "
			     "rate with -F)");
	if (!result->sampler.has_kernel)
		app_say(app, "time in the kernel was not recorded: it is not permitted (as root: "
			     "sysctl kernel.perf_event_paranoid=1)");
	if (n_cut && result->sampler.stack_bytes < PERF_EVENT_STACK_MAX_BYTES)
		app_say(app,
			"%" PRIu64 " stacks are longer than the %" PRIu64
			" bytes copied (see --stack-size; without privileges /proc/sys/kernel/"
			"perf_event_mlock_kb and ulimit -l decide how much fits)",
			n_cut, result->sampler.stack_bytes);
	if (quality->n_samples &&
	    quality->not_sampled_ns > (quality->sampled_ns + quality->not_sampled_ns) / 20)
		app_say(app,
			"%.0f %% of the CPU time was not sampled: threads that ended before their "
			"first tick (raise the rate with -F)",
			percent(quality->not_sampled_ns,
				quality->sampled_ns + quality->not_sampled_ns));
	if (quality->n_throttled)
		app_say(app,
			"the kernel paused sampling %" PRIu64 " times (lower the rate with -F)",
			quality->n_throttled);
	if (result->n_unreadable_modules)
		app_say(app,
			"%" PRIu32 " mapped files could not be read or were replaced meanwhile",
			result->n_unreadable_modules);
}

static int finish(struct app *app, const struct record_options *options,
		  const struct profile *profile, const struct recorder_result *result)
{
	const struct quality *quality = &profile->quality;

	if (!options->is_quiet) {
		show_summary(app, profile, result, options->output);
		show_limits(app, profile, result);
	}
	if (result->statement)
		app_say(app, "%s", result->statement);
	if (options->is_strict &&
	    (quality->n_lost || quality->n_lost_events || n_complete(quality) < quality->n_samples))
		return EXIT_FAILED;
	return result->exit_status;
}

static int record(struct app *app, const struct record_options *options, char *const *argv)
{
	const bool has_status_line = !options->is_quiet && isatty(fileno(app->messages));
	const struct recorder_options recorder_options = {
		.output_path = options->output,
		.engine = &sampler_engine_perf,
		.event = perf_event_kind_find(options->event),
		.rate_hz = options->rate_hz,
		.stack_bytes = options->stack_bytes & ~UINT64_C(7),
		.unwinder = unwind_backend_find(options->unwinder),
		.without_symbols = options->without_symbols,
		.argv = argv,
		.progress = has_status_line ? show_progress : NULL,
		.progress_context = app,
	};
	struct recorder_result result;
	struct profile profile;
	struct error err = ERROR_INIT;
	int status;
	int r;

	if (profile_init(&profile) < 0) {
		(void)error_set_no_memory(&err);
		return app_fail(app, EXIT_FAILED, &err);
	}
	r = recorder_run(&profile, &result, &recorder_options, &err);
	if (has_status_line && result.has_started)
		(void)fputs("\r\033[K", app->messages);
	if (r == 0)
		status = finish(app, options, &profile, &result);
	else if (!result.has_started && result.exit_status)
		status = app_fail(app, result.exit_status, &err);
	else
		status = app_fail(app, EXIT_FAILED, &err);
	if (r < 0 && result.has_started)
		app_say(app, "what was recorded until then can be read from %s.part",
			options->output);
	free(result.statement);
	profile_release(&profile);
	return status;
}

static int record_run(struct app *app, int argc, char **argv)
{
	struct record_options options = {
		.output = "profile.tsprof",
		.rate_hz = 997,
		.event = perf_event_kinds[0].name,
		.unwinder = unwind_backends[0]->name,
	};
	const int n_operands = options_parse(app, &command_record, &options, argc, argv, true);

	if (n_operands == OPTIONS_HELP)
		return EXIT_OK;
	if (n_operands == OPTIONS_ERROR)
		return EXIT_USAGE;
	if (n_operands == 0) {
		app_say(app, "record: expected a command to run; see 'tsprof record -h'");
		return EXIT_USAGE;
	}
	if (options.rate_hz == 0) {
		app_say(app, "record: -F is 0 Hz, expected at least 1");
		return EXIT_USAGE;
	}
	if (options.stack_bytes > PERF_EVENT_STACK_MAX_BYTES ||
	    (options.stack_bytes && options.stack_bytes < STACK_MIN_BYTES)) {
		app_say(app, "record: --stack-size is %" PRIu64 " bytes, expected %d to %d",
			options.stack_bytes, STACK_MIN_BYTES, PERF_EVENT_STACK_MAX_BYTES);
		return EXIT_USAGE;
	}
	argv[n_operands + 1] = NULL;
	return record(app, &options, argv + 1);
}

const struct command command_record = {
	.name = "record",
	.summary = "run a command and write its profile",
	.operands = "[--] COMMAND [ARG...]",
	.details = "Samples the command with all its threads and children until it ends.  Its\n"
		   "standard input, output and error are its own.  The exit status is the\n"
		   "command's; 128 + n when signal n killed it, 127 when it was not found, 126\n"
		   "when it could not be run, 1 when tsprof failed, 2 for wrong usage.",
	.options = record_options,
	.run = record_run,
};
