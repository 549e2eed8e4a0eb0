/* tsprof fold: the samples as collapsed stacks, for the tools that read those. */
#include "cmd/command.h"

#include <errno.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/output_file.h"
#include "cmd/profile_input.h"
#include "cmd/view_options.h"
#include "cmd/view_text.h"
#include "export/folded.h"
#include "tree/calltree.h"

struct fold_options {
	struct view_options view;
	const char *output;
	bool with_threads;
	bool with_addresses;
	bool as_time;
};

static const struct option fold_options[] = {
	VIEW_OPTION_INPUT(fold_options),
	{ "output", 'o', OPTION_STRING, "FILE", "write FILE instead of standard output",
	  offsetof(struct fold_options, output), NULL },
	{ "threads", 0, OPTION_FLAG, NULL, "add a frame NAME/TID below the process",
	  offsetof(struct fold_options, with_threads), NULL },
	{ "addresses", 0, OPTION_FLAG, NULL, "tell apart the addresses within a function",
	  offsetof(struct fold_options, with_addresses), NULL },
	{ "time", 0, OPTION_FLAG, NULL, "count microseconds instead of samples",
	  offsetof(struct fold_options, as_time), NULL },
	VIEW_OPTIONS_CHOICE(fold_options),
	{ 0 },
};

/* Where the lines go. */
struct fold_output {
	struct app *app;
	struct output_file file; /* not open: standard output */
	struct error *err;
	bool has_lines;
};

static int fold_put(void *context, const char *data, size_t size)
{
	struct fold_output *output = context;

	output->has_lines = true;
	if (output->file.path)
		return output_file_write(&output->file, data, size, output->err);
	return app_write(output->app, data, size, output->err);
}

static int fold_write(struct fold_output *output, const struct fold_options *options,
		      const struct calltree *tree)
{
	const struct folded_sink sink = { fold_put, output };
	int r = 0;

	if (options->output)
		r = output_file_open(&output->file, options->output, 0666, output->err);
	if (r < 0)
		return r;
	r = folded_put_all(&sink, tree, options->as_time);
	if (r == -ENOMEM)
		(void)error_set_no_memory(output->err);
	if (!options->output)
		return r;
	if (r == 0)
		return output_file_commit(&output->file, output->err);
	output_file_discard(&output->file);
	return r;
}

static int fold_profile(struct app *app, const void *data, const struct profile *profile,
			struct error *err)
{
	const struct fold_options *options = data;
	struct fold_output output = { .app = app, .file = OUTPUT_FILE_INIT, .err = err };
	struct view view = view_options_view(&options->view);
	struct calltree tree = { 0 };
	int r;

	view.granularity = options->with_addresses ? GRANULARITY_ADDRESS : GRANULARITY_FUNCTION;
	view.with_thread = options->with_threads;
	if (options->as_time && !profile->info.has_times)
		return error_set(err, -EINVAL,
				 "--time: the profile has counts only (leave the option out)");
	view.with_scopes = true;
	r = view_resolve(&view, profile, err);
	if (r == 0)
		r = calltree_build(&tree, profile, &view, err);
	if (r < 0)
		goto out;
	r = view_text_check(&view, &tree, err);
	if (r == 0)
		r = fold_write(&output, options, &tree);
	if (r == 0 && !output.has_lines)
		app_say(app, "fold: there are no samples to fold");
	calltree_release(&tree);
out:
	view_release(&view);
	return r;
}

static int fold_run(struct app *app, int argc, char **argv)
{
	struct fold_options options = { .view = VIEW_OPTIONS_INIT };
	const int status = view_options_status(
		app, &command_fold, options_parse(app, &command_fold, &options, argc, argv, false));

	if (status != VIEW_OPTIONS_GO_ON)
		return status;
	return profile_input_show(app, options.view.input, fold_profile, &options);
}

const struct command command_fold = {
	.name = "fold",
	.summary = "write collapsed stacks, one line per distinct stack",
	.operands = "",
	.details =
		"Each line is 'process;outer;…;inner COUNT', as flamegraph.pl, inferno and\n"
		"speedscope read it.  The input is profile.tsprof unless -i names another, a\n"
		"profile or folded text.  COUNT is samples, those that a tick stands for included.",
	.options = fold_options,
	.run = fold_run,
};
