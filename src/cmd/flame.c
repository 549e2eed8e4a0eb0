/* tsprof flame: a profile, or folded text, as an interactive SVG. */
#include "cmd/command.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/output_file.h"
#include "base/units.h"
#include "cmd/profile_input.h"
#include "cmd/view_options.h"
#include "cmd/view_text.h"
#include "flamegraph/flame_svg.h"
#include "model/profile.h"
#include "tree/calltree.h"

struct flame_options {
	struct view_options view;
	const char *output;
	const char *title;
	const char *subtitle;
	uint64_t width_px;
	uint64_t height_px;
	double min_width_px;
	bool is_inverted;
	bool with_threads;
	bool as_time;
};

static const struct option flame_options[] = {
	VIEW_OPTION_INPUT(flame_options),
	{ "output", 'o', OPTION_STRING, "FILE", "write there instead of to standard output",
	  offsetof(struct flame_options, output), NULL },
	{ "title", 0, OPTION_STRING, "TEXT", "heading (Flame Graph)",
	  offsetof(struct flame_options, title), NULL },
	{ "subtitle", 0, OPTION_STRING, "TEXT", "second line (command and date)",
	  offsetof(struct flame_options, subtitle), NULL },
	{ "width", 0, OPTION_COUNT, "PX", "keep this width (1200, fitted to the window)",
	  offsetof(struct flame_options, width_px), NULL },
	{ "height", 0, OPTION_COUNT, "PX", "height of a box (17)",
	  offsetof(struct flame_options, height_px), NULL },
	{ "minwidth", 0, OPTION_NUMBER, "PX", "leave out narrower boxes (0.1)",
	  offsetof(struct flame_options, min_width_px), NULL },
	{ "inverted", 0, OPTION_FLAG, NULL, "draw the outermost frame at the top",
	  offsetof(struct flame_options, is_inverted), NULL },
	{ "time", 0, OPTION_FLAG, NULL, "widths are time instead of samples",
	  offsetof(struct flame_options, as_time), NULL },
	{ "threads", 0, OPTION_FLAG, NULL, "one box for each thread",
	  offsetof(struct flame_options, with_threads), NULL },
	VIEW_OPTIONS_CHOICE(flame_options),
	{ 0 }
};

/* A script as an argument has lines and indents; the picture has a line for it. */
static void add_in_one_line(struct buffer *out, const char *text)
{
	bool is_blank = false;

	for (; *text; text++) {
		const bool was_blank = is_blank;

		is_blank = strchr(" \t\r\n", *text);
		if (!is_blank || !was_blank)
			buffer_add_char(out, is_blank ? ' ' : *text);
	}
}

/* "COMMAND, 2026-05-04 10:11:12, thread main": what is known of it. */
static void describe_run(struct buffer *out, const struct view *view, const struct calltree *tree)
{
	const struct profile *profile = tree->profile;
	const time_t start = (time_t)(profile->info.start_epoch_ns / NS_PER_S);
	struct buffer what = BUFFER_INIT;
	char date[32];
	struct tm tm;

	add_in_one_line(out, interner_get(&profile->strings, profile->info.command));
	if (start && localtime_r(&start, &tm) &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm))
		buffer_printf(out, "%s%s", out->size ? ", " : "", date);
	if (profile->quality.n_waits)
		buffer_printf(out, "%s%s", out->size ? ", " : "",
			      view_states_text(view_states(view, profile)));
	view_text_add(&what, view);
	if (what.size) {
		buffer_printf(out, "%s%s: ", out->size ? "; " : "", buffer_string(&what));
		view_text_add_size(out, view, tree);
	}
	buffer_release(&what);
}

static struct flame_svg_options flame_look(const struct flame_options *options)
{
	struct flame_svg_options look = FLAME_SVG_OPTIONS_INIT;

	if (options->title)
		look.title = options->title;
	if (options->width_px) {
		look.width_px = (unsigned int)options->width_px;
		look.is_fixed = true;
	}
	look.height_px = (unsigned int)options->height_px;
	look.min_width_px = options->min_width_px;
	look.is_inverted = options->is_inverted;
	look.as_time = options->as_time;
	return look;
}

static int flame_draw(struct buffer *svg, const struct profile *profile,
		      const struct flame_options *options, struct error *err)
{
	struct flame_svg_options look = flame_look(options);
	struct view view = view_options_view(&options->view);
	struct buffer subtitle = BUFFER_INIT;
	struct buffer footer = BUFFER_INIT;
	struct calltree tree = { 0 };
	int r;

	if (options->as_time && !profile->info.has_times)
		return error_set(err, -EINVAL,
				 "--time: the profile has counts only (leave the option out)");
	view.with_thread = options->with_threads;
	view.with_scopes = true;
	r = view_resolve(&view, profile, err);
	if (r == 0)
		r = calltree_build(&tree, profile, &view, err);
	if (r == 0)
		r = view_text_check(&view, &tree, err);
	if (r < 0)
		goto out;
	if (calltree_sort_by_name(&tree) < 0) {
		r = error_set_no_memory(err);
		goto out;
	}
	describe_run(&subtitle, &view, &tree);
	profile_quality_line(&footer, profile);
	look.subtitle = options->subtitle ? options->subtitle : buffer_string(&subtitle);
	if (!look.subtitle[0])
		look.subtitle = NULL;
	look.footer = footer.size ? buffer_string(&footer) : NULL;
	r = flame_svg_write(svg, &tree, &look, err);
out:
	calltree_release(&tree);
	view_release(&view);
	buffer_release(&subtitle);
	buffer_release(&footer);
	return r;
}

static int flame_save(const struct buffer *svg, const char *path, struct error *err)
{
	struct output_file file = OUTPUT_FILE_INIT;
	int r = output_file_open(&file, path, 0666, err);

	if (r < 0)
		return r;
	r = output_file_write(&file, svg->data, svg->size, err);
	if (r < 0) {
		output_file_discard(&file);
		return r;
	}
	return output_file_commit(&file, err);
}

/* Draws all before any of it goes out. */
static int flame_profile(struct app *app, const void *data, const struct profile *profile,
			 struct error *err)
{
	const struct flame_options *options = data;
	struct buffer svg = BUFFER_INIT;
	int r = flame_draw(&svg, profile, options, err);

	if (r == 0)
		r = options->output && strcmp(options->output, "-") != 0
			    ? flame_save(&svg, options->output, err)
			    : app_write(app, svg.data, svg.size, err);
	buffer_release(&svg);
	return r;
}

static int flame_check(struct app *app, const struct flame_options *options, int n_operands,
		       struct error *err)
{
	if (n_operands > 1 || (n_operands == 1 && options->view.input))
		return error_set(err, -EINVAL, "one profile at a time: give FILE or -i FILE");
	if (options->width_px &&
	    (options->width_px < FLAME_WIDTH_MIN_PX || options->width_px > FLAME_WIDTH_MAX_PX))
		return error_set(err, -EINVAL, "--width: expected %d to %d pixels",
				 FLAME_WIDTH_MIN_PX, FLAME_WIDTH_MAX_PX);
	if (options->height_px < FLAME_HEIGHT_MIN_PX || options->height_px > FLAME_HEIGHT_MAX_PX)
		return error_set(err, -EINVAL, "--height: expected %d to %d pixels",
				 FLAME_HEIGHT_MIN_PX, FLAME_HEIGHT_MAX_PX);
	if (!options->output && isatty(fileno(app->out)))
		return error_set(err, -EINVAL,
				 "standard output is a terminal: use -o flame.svg, or > flame.svg");
	return 0;
}

static int flame_run(struct app *app, int argc, char **argv)
{
	struct flame_options options = { .view = VIEW_OPTIONS_INIT,
					 .height_px = 17,
					 .min_width_px = 0.1 };
	const int n_operands = options_parse(app, &command_flame, &options, argc, argv, false);
	struct error err = ERROR_INIT;

	if (n_operands < 0)
		return n_operands == OPTIONS_HELP ? EXIT_OK : EXIT_USAGE;
	if (flame_check(app, &options, n_operands, &err) < 0)
		return app_fail(app, EXIT_USAGE, &err);
	return profile_input_show(app, n_operands ? argv[1] : options.view.input, flame_profile,
				  &options);
}

const struct command command_flame = {
	.name = "flame",
	.summary = "draw a flame graph as an interactive SVG",
	.operands = "[FILE]",
	.details =
		"The input is profile.tsprof unless -i or FILE names another: a profile, or\n"
		"folded text as 'tsprof fold' and the stackcollapse scripts write it; - reads\n"
		"standard input.  A browser fits the picture to its window, unless --width is\n"
		"given.\n"
		"\n"
		"In a browser: click a box to zoom, / or Ctrl-F to search by regular expression,\n"
		"Esc to clear, arrow keys and Enter to walk.  The address keeps zoom and search,\n"
		"so that a link shows the same.",
	.options = flame_options,
	.run = flame_run,
};
