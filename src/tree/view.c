/* Filters on the way from samples to tree: a time window and a thread. */
#include "tree/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

/* So many threads are listed in a message, and no more. */
enum { VIEW_LISTED_THREADS = 12 };

static bool is_first_of_its_kind(const struct profile *profile, size_t at)
{
	const struct thread *threads = profile->threads;

	for (size_t i = 0; i < at; i++)
		if (threads[i].name == threads[at].name && threads[i].tid == threads[at].tid)
			return false;
	return true;
}

static int fail_unknown_thread(const struct view *view, const struct profile *profile,
			       struct error *err)
{
	struct buffer list = BUFFER_INIT;
	size_t n_listed = 0;

	for (size_t i = 0; i < profile->n_threads; i++) {
		const struct thread *thread = &profile->threads[i];

		if (!is_first_of_its_kind(profile, i))
			continue;
		if (n_listed == VIEW_LISTED_THREADS) {
			buffer_add_string(&list, ", …");
			break;
		}
		buffer_add_string(&list, n_listed ? ", " : "");
		escape_terminal_fit(&list, interner_get(&profile->strings, thread->name), 32);
		buffer_printf(&list, "/%u", thread->tid);
		n_listed++;
	}
	if (n_listed)
		(void)error_set(err, -EINVAL, "no thread is called '%s'; there are %s",
				view->thread, buffer_string(&list));
	else
		(void)error_set(err, -EINVAL,
				"no thread is called '%s'; the profile does not tell threads apart",
				view->thread);
	buffer_release(&list);
	return -EINVAL;
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

int view_check(const struct view *view, const struct profile *profile, struct error *err)
{
	const int r = view_check_window(view, profile, err);

	if (r < 0 || !view->thread)
		return r;
	for (size_t i = 0; i < profile->n_threads; i++)
		if (view_has_thread(view, profile, (uint32_t)i))
			return 0;
	return fail_unknown_thread(view, profile, err);
}

bool view_has_thread(const struct view *view, const struct profile *profile, uint32_t thread)
{
	char tid[16];

	if (!view->thread)
		return true;
	if (thread >= profile->n_threads)
		return false;
	if (strcmp(view->thread, interner_get(&profile->strings, profile->threads[thread].name)) ==
	    0)
		return true;
	(void)snprintf(tid, sizeof(tid), "%u", profile->threads[thread].tid);
	return strcmp(view->thread, tid) == 0;
}

bool view_has_time(const struct view *view, const struct profile *profile, uint64_t time_ns)
{
	const uint64_t start_ns = profile->info.start_ns;
	const uint64_t since_ns = time_ns > start_ns ? time_ns - start_ns : 0;

	return since_ns >= view->from_ns && (since_ns < view->to_ns || view->to_ns == UINT64_MAX);
}

bool view_has_moment(const struct view *view, const struct profile *profile,
		     const struct sample *sample)
{
	if (sample->end == STACK_NOT_SAMPLED)
		return view->from_ns == 0 && view->to_ns == UINT64_MAX;
	return view_has_time(view, profile, sample->time_ns);
}

bool view_has_sample(const struct view *view, const struct profile *profile,
		     const struct sample *sample)
{
	return view_has_moment(view, profile, sample) &&
	       view_has_thread(view, profile, sample->thread);
}
