/* Milestones are known in the order in which they arrived; here they are sorted. */
#include "tree/moments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tree/name_list.h"

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a;
	const struct moment *y = b;

	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

static bool is_sorted(const struct moments *moments)
{
	for (size_t i = 1; i < moments->n_items; i++)
		if (compare_moments(&moments->items[i - 1], &moments->items[i]) > 0)
			return false;
	return true;
}

static bool moment_of(struct moment *ret_moment, const struct profile *profile, size_t at)
{
	const struct milestone *const milestone = &profile->marks.milestones[at];
	const uint64_t start_ns = profile->info.start_ns;

	if (milestone->site >= profile->marks.n_sites)
		return false;
	*ret_moment = (struct moment){
		.since_ns = milestone->time_ns > start_ns ? milestone->time_ns - start_ns : 0,
		.name = profile->marks.sites[milestone->site].name,
		.run = milestone->thread == MARK_NO_THREAD
			       ? milestone->run
			       : profile_run_of(profile, milestone->thread),
		.arrival = (uint32_t)at,
	};
	return ret_moment->name && ret_moment->run < profile_run_count(profile);
}

int moments_init(struct moments *moments, const struct profile *profile)
{
	const struct marks *marks = &profile->marks;

	*moments = (struct moments){ .profile = profile, .n_runs = profile_run_count(profile) };
	moments->items = calloc(marks->n_milestones + 1, sizeof(*moments->items));
	moments->first = calloc(moments->n_runs + 1, sizeof(*moments->first));
	if (!moments->items || !moments->first) {
		moments_release(moments);
		return -ENOMEM;
	}
	for (size_t i = 0; i < marks->n_milestones; i++)
		if (moment_of(&moments->items[moments->n_items], profile, i))
			moments->n_items++;
	if (!is_sorted(moments))
		qsort(moments->items, moments->n_items, sizeof(*moments->items), compare_moments);
	for (size_t i = 0; i < moments->n_items; i++)
		moments->first[moments->items[i].run + 1]++;
	for (size_t run = 0; run < moments->n_runs; run++)
		moments->first[run + 1] += moments->first[run];
	return 0;
}

void moments_release(struct moments *moments)
{
	free(moments->items);
	free(moments->first);
	*moments = (struct moments){ 0 };
}

uint32_t moments_find_name(const struct moments *moments, const char *name)
{
	const struct interner *strings = &moments->profile->strings;
	uint32_t last = 0;

	for (size_t i = 0; i < moments->n_items; i++) {
		const uint32_t id = moments->items[i].name;

		if (id != last && strcmp(interner_get(strings, id), name) == 0)
			return id;
		last = id;
	}
	return 0;
}

size_t moments_find(const struct moments *moments, size_t at, size_t end, uint32_t name,
		    uint64_t nth)
{
	for (; at < end; at++)
		if (moments->items[at].name == name && --nth == 0)
			return at;
	return end;
}

/* Each name once, in the order of their first moments. */
static int list_names(const struct moments *moments, struct name_list *list)
{
	const struct interner *strings = &moments->profile->strings;
	bool *is_listed = calloc(strings->n_strings + 1, sizeof(*is_listed));

	if (!is_listed)
		return -ENOMEM;
	for (size_t i = 0; i < moments->n_items; i++) {
		const uint32_t id = moments->items[i].name;

		if (id >= strings->n_strings || is_listed[id])
			continue;
		is_listed[id] = true;
		name_list_add(list, strings->strings[id]);
	}
	free(is_listed);
	return 0;
}

int moments_fail_unknown(const struct moments *moments, const char *name, struct error *err)
{
	struct name_list list = NAME_LIST_INIT(name);
	struct buffer text = BUFFER_INIT;
	int r = -EINVAL;

	if (!moments->n_items)
		return error_set(err, -EINVAL,
				 "there is no '%s': the profile has no milestones (give a time, "
				 "like 1.5s, or record some: see tsprof-mark(1))",
				 name);
	if (list_names(moments, &list) < 0)
		r = error_set_no_memory(err);
	name_list_write(&list, &text);
	if (r == -EINVAL)
		(void)error_set(err, r,
				name[0] >= '0' && name[0] <= '9'
					? "'%s' is neither a time, like 1.5s, nor a milestone%s"
					: "no milestone is called '%s'%s",
				name, buffer_string(&text));
	buffer_release(&text);
	name_list_release(&list);
	return r;
}
