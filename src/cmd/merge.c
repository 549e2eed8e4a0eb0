/*
 * tsprof merge: the profiles of several runs or hosts as one.  Each is read,
 * taken in and forgotten before the next one, and the result gets its name when
 * all of it is written, so an input may be the output too.
 */
#include "cmd/command.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "base/units.h"
#include "cmd/profile_input.h"
#include "profile/profile_merge.h"
#include "profile/profile_writer.h"

struct merge_options {
	const char *output;
};

static const struct option merge_options[] = {
	{ "output", 'o', OPTION_STRING, "FILE", "write FILE (required)",
	  offsetof(struct merge_options, output), NULL },
	{ 0 },
};

/* How many of the files know when threads waited. */
struct merge_waits {
	size_t n_with;
	size_t n_without;
};

static int merge_add_file(struct app *app, struct profile_merger *merger, const char *path,
			  struct merge_waits *waits, struct error *err)
{
	struct profile profile;
	int r = profile_input_read(app, &profile, path, err);

	if (r < 0)
		return r;
	waits->n_with += profile.quality.n_waits > 0;
	waits->n_without += profile.quality.n_waits == 0;
	r = profile_merge_add(merger, &profile, err);
	profile_release(&profile);
	return r < 0 ? error_prefix(err, "%s", path) : 0;
}

/* What may differ from run to run, and still should be known. */
static void merge_tell_difference(struct app *app, const struct profile *profile, const char *what,
				  size_t offset)
{
	const struct profile_info *runs = profile->runs;
	uint32_t first, other;

	for (size_t i = 1; i < profile->n_runs; i++) {
		memcpy(&first, (const char *)&runs[0] + offset, sizeof(first));
		memcpy(&other, (const char *)&runs[i] + offset, sizeof(other));
		if (first == other)
			continue;
		app_say(app,
			"merge: the runs differ in their %s, '%s' and '%s'; merged, since the time "
			"that each sample stands for is known",
			what, interner_get(&profile->strings, first),
			interner_get(&profile->strings, other));
		return;
	}
}

static void merge_tell_rate(struct app *app, const struct profile *profile)
{
	const struct profile_info *runs = profile->runs;

	for (size_t i = 1; i < profile->n_runs; i++) {
		if (runs[i].period_ns == runs[0].period_ns)
			continue;
		app_say(app, "merge: the runs differ in their sampling rate; merged, since the "
			     "time that "
			     "each sample stands for is known");
		return;
	}
}

static void merge_tell(struct app *app, const struct profile *profile, const char *path)
{
	char n_runs[UNITS_TEXT_BYTES];
	char n_samples[UNITS_TEXT_BYTES];

	merge_tell_difference(app, profile, "event", offsetof(struct profile_info, event));
	merge_tell_difference(app, profile, "engine", offsetof(struct profile_info, engine));
	merge_tell_difference(app, profile, "unwinder", offsetof(struct profile_info, unwinder));
	merge_tell_rate(app, profile);
	app_say(app, "%s samples of %s %s in %s",
		units_count(n_samples, profile->quality.n_samples),
		units_count(n_runs, profile->n_runs), profile->n_runs == 1 ? "run" : "runs", path);
}

static int merge_write(struct profile *profile, const char *path, struct error *err)
{
	struct profile_writer *writer = NULL;
	const int r = profile_writer_open(&writer, path, profile, err);

	return r < 0 ? r : profile_writer_finish(writer, err);
}

static int merge_files(struct app *app, struct profile *profile, char *const *paths,
		       struct error *err)
{
	struct profile_merger merger = { .into = profile };
	struct merge_waits waits = { 0 };
	int r = 0;

	for (; r == 0 && *paths; paths++)
		r = merge_add_file(app, &merger, *paths, &waits, err);
	if (r == 0 && profile_merge_finish(&merger) < 0)
		r = error_set_no_memory(err);
	if (r == 0 && waits.n_with && waits.n_without)
		app_say(app, "merge: only some of the profiles know when threads waited "
			     "(record --off-cpu); merged, but waiting is that of those alone");
	return r;
}

static int merge_run(struct app *app, int argc, char **argv)
{
	struct merge_options options = { 0 };
	const int n_operands = options_parse(app, &command_merge, &options, argc, argv, false);
	struct error err = ERROR_INIT;
	struct profile profile;
	int r;

	if (n_operands < 0)
		return n_operands == OPTIONS_HELP ? EXIT_OK : EXIT_USAGE;
	if (n_operands == 0 || !options.output) {
		app_say(app, "merge: %s; see 'tsprof merge -h'",
			n_operands ? "name the result with -o FILE" : "name the profiles to merge");
		return EXIT_USAGE;
	}
	if (profile_init(&profile) < 0)
		r = error_set_no_memory(&err);
	else
		r = merge_files(app, &profile, argv + 1, &err);
	if (r == 0)
		r = merge_write(&profile, options.output, &err);
	if (r == 0)
		merge_tell(app, &profile, options.output);
	profile_release(&profile);
	return r < 0 ? app_fail(app, EXIT_FAILED, &err) : EXIT_OK;
}

const struct command command_merge = {
	.name = "merge",
	.summary = "make one profile of several runs, or of several hosts",
	.operands = "FILE...",
	.details =
		"Samples, threads, stacks and quality figures of all FILEs go into one profile,\n"
		"in which every run begins at time 0.  Runs of different architectures, of wall\n"
		"and of CPU time, and folded text with profiles cannot be merged.",
	.options = merge_options,
	.run = merge_run,
};
