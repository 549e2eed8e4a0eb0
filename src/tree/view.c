/* Filters on the way from samples to tree: a time window, a process and a thread. */
#include "tree/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

const char *const view_by_words[] = { "process", "thread", "comm",     "state",
				      "phase",	 "scope",  "category", NULL };

/* So many threads or processes are listed in a message, and no more. */
enum { VIEW_LISTED_NAMES = 12 };

/* As `record --event wall` names it in the file. */
#define VIEW_EVENT_WALL "wall"

enum view_by view_by_find(const char *word)
{
	for (size_t i = 0; word && view_by_words[i]; i++)
		if (strcmp(view_by_words[i], word) == 0)
			return (enum view_by)(VIEW_BY_PROCESS + i);
	return VIEW_BY_NONE;
}

/* A name with a number: what --thread and --process choose by. */
struct view_choice {
	uint32_t name;
	uint32_t number;
};

static struct view_choice choice_of(const struct thread *thread, bool is_process)
{
	if (is_process)
		return (struct view_choice){ thread->process_name, thread->pid };
	return (struct view_choice){ thread->name, thread->tid };
}

static bool is_chosen(const char *wanted, const struct profile *profile, struct view_choice choice)
{
	char number[16];

	if (strcmp(wanted, interner_get(&profile->strings, choice.name)) == 0)
		return true;
	(void)snprintf(number, sizeof(number), "%u", choice.number);
	return strcmp(wanted, number) == 0;
}

static bool is_first_of_its_kind(const struct profile *profile, size_t at, bool is_process)
{
	const struct view_choice choice = choice_of(&profile->threads[at], is_process);

	for (size_t i = 0; i < at; i++) {
		const struct view_choice other = choice_of(&profile->threads[i], is_process);

		if (other.name == choice.name && other.number == choice.number)
			return false;
	}
	return true;
}

static int fail_unknown(const char *wanted, const struct profile *profile, bool is_process,
			struct error *err)
{
	const char *const what = is_process ? "process" : "thread";
	const char *const many = is_process ? "processes" : "threads";
	struct buffer list = BUFFER_INIT;
	size_t n_listed = 0;

	for (size_t i = 0; i < profile->n_threads; i++) {
		const struct view_choice choice = choice_of(&profile->threads[i], is_process);

		if (!is_first_of_its_kind(profile, i, is_process))
			continue;
		if (n_listed == VIEW_LISTED_NAMES) {
			buffer_add_string(&list, ", …");
			break;
		}
		buffer_add_string(&list, n_listed ? ", " : "");
		escape_terminal_fit(&list, interner_get(&profile->strings, choice.name), 32);
		buffer_printf(&list, "/%u", choice.number);
		n_listed++;
	}
	if (n_listed)
		(void)error_set(err, -EINVAL, "no %s is called '%s'; there are %s", what, wanted,
				buffer_string(&list));
	else
		(void)error_set(err, -EINVAL,
				"no %s is called '%s'; the profile does not tell %s apart", what,
				wanted, many);
	buffer_release(&list);
	return -EINVAL;
}

static int view_check_choice(const char *wanted, const struct profile *profile, bool is_process,
			     struct error *err)
{
	if (!wanted)
		return 0;
	for (size_t i = 0; i < profile->n_threads; i++)
		if (is_chosen(wanted, profile, choice_of(&profile->threads[i], is_process)))
			return 0;
	return fail_unknown(wanted, profile, is_process, err);
}

static int view_check_window(const struct view *view, const struct profile *profile,
			     struct error *err)
{
	if (view->from_ns == 0 && view->to_ns == UINT64_MAX)
		return 0;
	if (!profile->info.has_times)
		return error_set(err, -EINVAL,
				 "the profile has no times, so it cannot be cut by time "
				 "(leave out --from and --to)");
	if (view->from_ns >= view->to_ns)
		return error_set(err, -EINVAL,
				 "the time window is empty: it starts at %.9g s and "
				 "ends at %.9g s",
				 (double)view->from_ns / 1e9, (double)view->to_ns / 1e9);
	return 0;
}

void view_add_group(struct buffer *out, enum view_by by, const struct profile *profile,
		    uint32_t thread)
{
	const struct view_choice choice = choice_of(&profile->threads[thread],
						    by == VIEW_BY_PROCESS);

	if (by == VIEW_BY_NONE || by >= VIEW_BY_STATE)
		return;
	buffer_add_string(out, interner_get(&profile->strings, choice.name));
	if (by != VIEW_BY_COMM && choice.number)
		buffer_printf(out, "/%u", choice.number);
	if (by != VIEW_BY_COMM && choice.number && profile->n_runs > 1)
		buffer_printf(out, " [%u]", profile->threads[thread].run + 1);
}

/* Is there a group with a name?  Imports know of none. */
static int view_check_groups(enum view_by by, const struct profile *profile, struct error *err)
{
	const enum view_by of_threads = by == VIEW_BY_STATE ? VIEW_BY_COMM : by;
	struct buffer name = BUFFER_INIT;
	bool is_known;

	if (by > VIEW_BY_STATE)
		return 0;
	for (size_t i = 0; i < profile->n_threads && !name.size && !name.is_failed; i++)
		view_add_group(&name, of_threads, profile, (uint32_t)i);
	is_known = name.size || name.is_failed;
	buffer_release(&name);
	if (by && !is_known)
		return error_set(err, -EINVAL,
				 "--by %s: the profile does not tell them apart (leave it out)",
				 view_by_words[by - VIEW_BY_PROCESS]);
	return 0;
}

int view_check(const struct view *view, const struct profile *profile, struct error *err)
{
	int r = view_check_window(view, profile, err);

	if (r == 0)
		r = view_check_choice(view->process, profile, true, err);
	if (r == 0)
		r = view_check_choice(view->thread, profile, false, err);
	if (r == 0)
		r = view_check_groups(view->by, profile, err);
	return r;
}

bool view_has_thread(const struct view *view, const struct profile *profile, uint32_t thread)
{
	if (!view->thread && !view->process)
		return true;
	if (thread >= profile->n_threads)
		return false;
	return (!view->thread ||
		is_chosen(view->thread, profile, choice_of(&profile->threads[thread], false))) &&
	       (!view->process ||
		is_chosen(view->process, profile, choice_of(&profile->threads[thread], true)));
}

const char *const view_state_words[] = { "running", "waiting", "all",	   "preempted",
					 "sleep",   "lock",    "poll",	   "disk",
					 "pipe",    "socket",  "terminal", "child",
					 "signal",  "memory",  "kernel",   NULL };

unsigned int view_states_of(const char *word)
{
	if (!word)
		return 0;
	if (strcmp(word, "all") == 0)
		return SAMPLE_STATES_ALL;
	if (strcmp(word, "waiting") == 0)
		return SAMPLE_STATES_WAITING;
	for (int state = 0; state < SAMPLE_N_STATES; state++)
		if (strcmp(word, sample_state_name((enum sample_state)state)) == 0)
			return 1u << state;
	return 0;
}

const char *view_states_text(unsigned int states)
{
	if (states == SAMPLE_STATES_ALL)
		return "running and waiting";
	if (states == SAMPLE_STATES_WAITING)
		return "waiting";
	for (int state = 0; state < SAMPLE_N_STATES; state++)
		if (states == 1u << state)
			return sample_state_label((enum sample_state)state);
	return "some states";
}

unsigned int view_states(const struct view *view, const struct profile *profile)
{
	const char *event = interner_get(&profile->strings, profile->info.event);

	if (view->states)
		return view->states;
	if (view->by == VIEW_BY_STATE)
		return SAMPLE_STATES_ALL;
	return strcmp(event, VIEW_EVENT_WALL) == 0 ? SAMPLE_STATES_ALL : SAMPLE_STATES_RUNNING;
}

bool view_is_mixed(const struct view *view, const struct profile *profile)
{
	const unsigned int states = view_states(view, profile);

	return view->by != VIEW_BY_STATE && states & SAMPLE_STATES_RUNNING &&
	       states & SAMPLE_STATES_WAITING;
}
