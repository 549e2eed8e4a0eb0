/* From what was typed to what is looked at. */
#include "cmd/view_options.h"

struct view view_options_view(const struct view_options *options)
{
	struct view view = VIEW_INIT;

	view.from_ns = options->from_ns;
	view.to_ns = options->to_ns;
	view.thread = options->thread;
	view.process = options->process;
	view.states = view_states_of(options->state);
	view.by = view_by_find(options->by);
	return view;
}
