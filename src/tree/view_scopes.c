/* A parent's id is smaller than its children's, so that one pass over the nodes is enough. */
#include "tree/view_scopes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree/glob.h"
#include "tree/name_list.h"

bool profile_has_scopes(const struct profile *profile)
{
	return profile->marks.scopes.n_nodes > 1;
}

static const struct mark_site *site_of(const struct profile *profile, uint32_t node)
{
	const struct marks *marks = &profile->marks;

	if (!node || node >= marks->scopes.n_nodes ||
	    marks->scopes.nodes[node].site >= marks->n_sites)
		return NULL;
	return &marks->sites[marks->scopes.nodes[node].site];
}

uint32_t scope_name(const struct profile *profile, uint32_t node)
{
	const struct mark_site *site = site_of(profile, node);

	return site ? site->name : 0;
}

uint32_t scope_category(const struct profile *profile, uint32_t node)
{
	const struct mark_site *site = site_of(profile, node);

	return site ? site->category : 0;
}

/* The parent, which a file that is not right may have behind its child. */
static uint32_t parent_of(const struct profile *profile, uint32_t node)
{
	const uint32_t parent = profile->marks.scopes.nodes[node].parent;

	return parent < node ? parent : 0;
}

uint32_t *scope_categories(const struct profile *profile)
{
	const size_t n_nodes = profile->marks.scopes.n_nodes;
	uint32_t *categories = calloc(n_nodes + 1, sizeof(*categories));

	for (uint32_t node = 1; categories && node < n_nodes; node++) {
		categories[node] = scope_category(profile, node);
		if (!categories[node])
			categories[node] = categories[parent_of(profile, node)];
	}
	return categories;
}

typedef uint32_t scope_text(const struct profile *profile, uint32_t node);

/* Names that scopes have, each once, those first in which most time was spent. */
struct named_time {
	const char *name;
	uint64_t total_ns;
};

static int compare_named_times(const void *a, const void *b)
{
	const struct named_time *x = a;
	const struct named_time *y = b;

	if (x->total_ns != y->total_ns)
		return x->total_ns > y->total_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int list_texts(const struct profile *profile, scope_text *text_of, struct name_list *list)
{
	const struct interner *strings = &profile->strings;
	struct named_time *times = calloc(strings->n_strings + 1, sizeof(*times));
	size_t n_times = 0;

	if (!times)
		return -ENOMEM;
	for (uint32_t node = 1; node < profile->marks.scopes.n_nodes; node++) {
		const uint32_t id = text_of(profile, node);

		if (!id || id >= strings->n_strings)
			continue;
		times[id].name = strings->strings[id];
		times[id].total_ns += profile->marks.scopes.nodes[node].self_ns;
	}
	for (size_t id = 1; id < strings->n_strings; id++)
		if (times[id].name)
			times[n_times++] = times[id];
	qsort(times, n_times, sizeof(*times), compare_named_times);
	for (size_t i = 0; i < n_times; i++)
		name_list_add(list, times[i].name);
	free(times);
	return 0;
}

static int fail_unknown(const struct profile *profile, scope_text *text_of, const char *wanted,
			const char *what, struct error *err)
{
	struct name_list list = NAME_LIST_INIT(wanted);
	struct buffer text = BUFFER_INIT;
	int r = list_texts(profile, text_of, &list);

	name_list_write(&list, &text);
	if (r < 0)
		r = error_set_no_memory(err);
	else if (list.n_names)
		r = error_set(err, -EINVAL, "no %s is called '%s'%s", what, wanted,
			      buffer_string(&text));
	else
		r = error_set(err, -EINVAL, "no %s is called '%s': no scope has a category", what,
			      wanted);
	buffer_release(&text);
	name_list_release(&list);
	return r;
}

static bool is_called(const struct profile *profile, uint32_t text, const char *wanted)
{
	const char *const name = interner_get(&profile->strings, text);

	return text && text < profile->strings.n_strings &&
	       (strcmp(name, wanted) == 0 ||
		glob_match(wanted, name, profile->strings.sizes[text]));
}

bool scope_is_called(const struct profile *profile, uint32_t node, const char *wanted)
{
	return is_called(profile, scope_name(profile, node), wanted);
}

/* Keep of `scopes` what is in one that is called so; -ENOENT when there is none. */
static int keep_called(struct view_scopes *scopes, const struct profile *profile,
		       scope_text *text_of, const char *wanted)
{
	bool *is_inside = calloc(scopes->n_nodes + 1, sizeof(*is_inside));
	bool is_known = false;

	if (!is_inside)
		return -ENOMEM;
	for (uint32_t node = 1; node < scopes->n_nodes; node++) {
		const bool is_own = is_called(profile, text_of(profile, node), wanted);

		is_known |= is_own;
		is_inside[node] = is_own || is_inside[parent_of(profile, node)];
		scopes->has_node[node] &= is_inside[node];
	}
	scopes->has_node[0] = false;
	free(is_inside);
	return is_known ? 0 : -ENOENT;
}

/* As keep_called, with a message. */
static int keep_wanted(struct view_scopes *scopes, const struct profile *profile,
		       scope_text *text_of, const char *wanted, struct error *err)
{
	const bool is_name = text_of == scope_name;
	int r = wanted ? keep_called(scopes, profile, text_of, wanted) : 0;

	if (r == -ENOMEM)
		return error_set_no_memory(err);
	if (r == -ENOENT) {
		/* A scope's name may have come with another option. */
		r = fail_unknown(profile, text_of, wanted, is_name ? "scope" : "category", err);
		if (!is_name)
			(void)error_prefix(err, "--category");
	}
	return r;
}

static int check_any(const struct view_scopes *scopes, const char *name, const char *category,
		     struct error *err)
{
	for (size_t node = 1; node < scopes->n_nodes; node++)
		if (scopes->has_node[node])
			return 0;
	return error_set(err, -EINVAL,
			 "--in-scope and --category: no scope '%s' has the category '%s' or is in "
			 "one that has it",
			 name, category);
}

int view_scopes_init(struct view_scopes *scopes, const struct profile *profile, const char *name,
		     const char *category, struct error *err)
{
	int r;

	*scopes = (struct view_scopes){ .n_nodes = profile->marks.scopes.n_nodes };
	if (!name && !category)
		return 0;
	if (!profile_has_scopes(profile))
		return error_set(err, -EINVAL,
				 "%s'%s': the profile has no scopes (the program opens them with "
				 "TSPROF_SCOPE; see tsprof_scope(3))",
				 name ? "no scope is called " : "--category ",
				 name ? name : category);
	scopes->has_node = malloc(scopes->n_nodes * sizeof(*scopes->has_node));
	if (!scopes->has_node)
		return error_set_no_memory(err);
	for (size_t node = 0; node < scopes->n_nodes; node++)
		scopes->has_node[node] = true;
	r = keep_wanted(scopes, profile, scope_name, name, err);
	if (r == 0)
		r = keep_wanted(scopes, profile, scope_category, category, err);
	if (r == 0)
		r = check_any(scopes, name, category, err);
	if (r < 0)
		view_scopes_release(scopes);
	return r;
}

void view_scopes_release(struct view_scopes *scopes)
{
	free(scopes->has_node);
	*scopes = (struct view_scopes){ 0 };
}

struct view_calls view_scopes_calls(const struct view_scopes *scopes, const struct profile *profile)
{
	struct view_calls calls = { .sample_rate = 1 };

	for (uint32_t node = 1; scopes->has_node && node < scopes->n_nodes; node++) {
		const struct scope_node *scope = &profile->marks.scopes.nodes[node];
		const struct mark_site *site = site_of(profile, node);

		if (!scopes->has_node[node] || scopes->has_node[parent_of(profile, node)])
			continue;
		calls.n_calls += scope->durations_ns.n_values;
		calls.total_ns += scope->total_ns;
		if (site && site->sample_rate > calls.sample_rate)
			calls.sample_rate = site->sample_rate;
	}
	return calls;
}
