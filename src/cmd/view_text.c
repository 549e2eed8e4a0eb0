/* One wording of what was chosen, for the heads of all outputs. */
#include "cmd/view_text.h"

#include <errno.h>

#include "base/escape.h"
#include "base/units.h"
#include "tree/view_marks.h"

enum { VIEW_TEXT_COLUMNS = 40 }; /* of one name */

static void add_choice(struct buffer *out, const char *what, const char *name)
{
	if (!name)
		return;
	buffer_printf(out, "%s%s ", out->size ? ", " : "", what);
	escape_terminal_fit(out, name, VIEW_TEXT_COLUMNS);
}

/* A time as a time, whatever way it was typed. */
static void add_end(struct buffer *out, const char *what, const char *typed, uint64_t time_ns,
		    uint64_t usual_ns)
{
	char text[UNITS_TEXT_BYTES];

	if (time_ns != usual_ns)
		add_choice(out, what, units_duration(text, time_ns));
	else
		add_choice(out, what, typed);
}

void view_text_add(struct buffer *out, const struct view *view)
{
	struct buffer text = BUFFER_INIT;

	add_end(&text, "from", view->from, view->from_ns, 0);
	add_end(&text, "to", view->to, view->to_ns, UINT64_MAX);
	add_choice(&text, "phase", view->phase);
	add_choice(&text, "in scope", view->in_scope);
	add_choice(&text, "category", view->category);
	add_choice(&text, "process", view->process);
	add_choice(&text, "thread", view->thread);
	buffer_add(out, buffer_string(&text), text.size);
	out->is_failed |= text.is_failed;
	buffer_release(&text);
}

/* The statistics of scopes are of the whole run: they say something of nothing else. */
static bool is_of_scopes(const struct view *view)
{
	return view->marks && view->marks->scopes.has_node && !view_is_window(view) &&
	       !view->thread && !view->process;
}

static void add_calls(struct buffer *out, const struct view *view, const struct profile *profile)
{
	const struct view_calls calls = view_scopes_calls(&view->marks->scopes, profile);
	char text[UNITS_TEXT_BYTES];

	buffer_printf(out, "%s call%s", units_count(text, calls.n_calls),
		      calls.n_calls == 1 ? "" : "s");
	buffer_printf(out, " that took %s", units_duration(text, calls.total_ns));
	if (calls.sample_rate > 1)
		buffer_printf(out, " (one call in %s was recorded)",
			      units_count(text, calls.sample_rate));
}

static void add_wall(struct buffer *out, const struct view *view, const struct profile *profile)
{
	char text[UNITS_TEXT_BYTES];

	if (view_is_window(view))
		buffer_printf(out, profile->n_runs > 1 ? " in %s of each run, at most" : " in %s",
			      units_duration(text, view_duration_ns(view, profile)));
	if (is_of_scopes(view)) {
		buffer_add_string(out, " in ");
		add_calls(out, view, profile);
	}
}

void view_text_add_size(struct buffer *out, const struct view *view, const struct calltree *tree)
{
	const struct calltree_value *total = &tree->nodes[0].total;
	char text[UNITS_TEXT_BYTES];

	buffer_printf(out, "%s sample%s", units_count(text, total->n_ticks),
		      total->n_ticks == 1 ? "" : "s");
	if (!calltree_is_timed(tree))
		return;
	if (total->waited_ns < total->weight_ns)
		buffer_printf(out, ", %s of CPU time",
			      units_duration(text, total->weight_ns - total->waited_ns));
	if (total->waited_ns)
		buffer_printf(out, ", %s of waiting", units_duration(text, total->waited_ns));
	add_wall(out, view, tree->profile);
}

static void json_choice(struct json_writer *json, const char *key, const char *value)
{
	if (value)
		json_string(json, key, value);
}

/* Where the window begins and ends, when that is the same for all runs. */
static void json_ends(struct json_writer *json, const struct view *view)
{
	const struct view_window *window = &view->marks->window;
	uint64_t from_ns = view->from_ns;
	uint64_t to_ns = view->to_ns;

	if (window->n_spans && window->n_runs == 1) {
		from_ns = window->spans[0].from_ns;
		to_ns = window->spans[window->n_spans - 1].to_ns;
	}
	if (from_ns)
		json_unsigned(json, "from_ns", from_ns);
	if (to_ns != UINT64_MAX)
		json_unsigned(json, "to_ns", to_ns);
	if (window->n_spans)
		json_unsigned(json, "n_intervals", window->n_spans);
}

void view_text_write_json(struct json_writer *json, const struct view *view,
			  const struct profile *profile, const struct calltree *tree)
{

	json_choice(json, "from", view->from);
	json_choice(json, "to", view->to);
	json_choice(json, "phase", view->phase);
	json_ends(json, view);
	json_choice(json, "in_scope", view->in_scope);
	json_choice(json, "category", view->category);
	if (view_is_window(view))
		json_unsigned(json, "wall_ns", view_duration_ns(view, profile));
	if (is_of_scopes(view)) {
		const struct view_calls calls = view_scopes_calls(&view->marks->scopes, profile);

		json_unsigned(json, "n_calls", calls.n_calls);
		json_unsigned(json, "calls_ns", calls.total_ns);
	}
	if (tree && calltree_is_timed(tree) &&
	    (view_is_window(view) || view->marks->scopes.has_node))
		json_unsigned(json, "cpu_ns",
			      tree->nodes[0].total.weight_ns - tree->nodes[0].total.waited_ns);
}

int view_text_check(const struct view *view, const struct calltree *tree, struct error *err)
{
	const struct profile *profile = tree->profile;
	struct buffer what = BUFFER_INIT;
	struct buffer size = BUFFER_INIT;

	if (!calltree_value_is_empty(&tree->nodes[0].total) ||
	    (!view_is_window(view) && !view->marks->scopes.has_node))
		return 0;
	view_text_add(&what, view);
	add_wall(&size, view, profile);
	(void)error_set(err, -ENODATA,
			"no sample was taken there: %s%s%s (choose more, or record at a higher "
			"rate: -F)",
			buffer_string(&what), size.size ? "," : "", buffer_string(&size));
	buffer_release(&what);
	buffer_release(&size);
	return -ENODATA;
}
