/* From what was typed to what is looked at. */
#include "cmd/view_options.h"

int view_options_status(struct app *app, const struct command *command, int n_operands)
{
	if (n_operands == 0)
		return VIEW_OPTIONS_GO_ON;
	if (n_operands == OPTIONS_HELP)
		return EXIT_OK;
	if (n_operands > 0)
		app_say(app, "%s: takes no operands; name the file with -i; see '%s %s -h'",
			command->name, app->program, command->name);
	return EXIT_USAGE;
}

struct view view_options_view(const struct view_options *options)
{
	struct view view = VIEW_INIT;

	view.from = options->from;
	view.to = options->to;
	view.phase = options->phase;
	view.in_scope = options->in_scope;
	view.category = options->category;
	view.thread = options->thread;
	view.process = options->process;
	view.states = view_states_of(options->state);
	view.by = view_by_find(options->by);
	return view;
}
