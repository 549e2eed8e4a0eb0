/* The words for the ends of a time window: what the program called something comes first. */
#include "tree/view_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define PREFIX "milestone:"

bool view_end_parse_time(uint64_t *ret_ns, const char *text)
{
	return text && *text && units_parse_duration(ret_ns, text, NULL) == 0;
}

/* "NAME#3": the length of NAME and the number; false when it is nothing like that. */
static bool split_number(const char *text, size_t *ret_size, uint64_t *ret_nth)
{
	const char *const hash = strrchr(text, '#');
	char *rest;

	if (!hash || hash == text || hash[1] < '1' || hash[1] > '9')
		return false;
	errno = 0;
	*ret_nth = strtoull(hash + 1, &rest, 10);
	*ret_size = (size_t)(hash - text);
	return *rest == '\0' && errno == 0;
}

static int check_number(const struct view_end *end, const struct moments *moments, const char *text,
			struct error *err)
{
	size_t most = 0;

	for (size_t run = 0; run < moments->n_runs; run++) {
		size_t n = 0;

		for (size_t i = moments->first[run]; i < moments->first[run + 1]; i++)
			n += moments->items[i].name == end->name;
		most = n > most ? n : most;
	}
	if (end->nth <= most)
		return 0;
	return error_set(err, -EINVAL, "there is no '%s': '%s' occurs %zu time%s", text,
			 interner_get(&moments->profile->strings, end->name), most,
			 most == 1 ? "" : "s");
}

/* A milestone, with or without a number; a name that ends like a number is a name first. */
static int parse_name(struct view_end *end, const struct moments *moments, const char *text,
		      struct error *err)
{
	struct view_end found = { .kind = VIEW_END_NAME, .name = moments_find_name(moments, text) };
	size_t size;
	char *name;

	if (found.name || !split_number(text, &size, &found.nth)) {
		*end = found;
		return found.name ? 0 : -ENOENT;
	}
	name = strndup(text, size);
	if (!name)
		return error_set_no_memory(err);
	found.name = moments_find_name(moments, name);
	free(name);
	*end = found;
	return found.name ? check_number(end, moments, text, err) : -ENOENT;
}

int view_end_parse(struct view_end *end, const struct moments *moments, const char *text,
		   const char *usual, struct error *err)
{
	const bool is_given = text != NULL;
	const bool is_name = is_given && strncmp(text, PREFIX, strlen(PREFIX)) == 0;
	const char *const name = is_name ? text + strlen(PREFIX) : is_given ? text : usual;
	int r;

	*end = (struct view_end){ .kind = VIEW_END_TIME };
	if (!is_name && view_end_parse_time(&end->since_ns, name))
		return 0;
	r = is_given ? parse_name(end, moments, name, err) : -ENOENT;
	if (r != -ENOENT)
		return r;
	if (!is_name && strcmp(name, "start") == 0)
		end->kind = VIEW_END_START;
	else if (!is_name && strcmp(name, "end") == 0)
		end->kind = VIEW_END_FINISH;
	else
		return moments_fail_unknown(moments, name, err);
	return 0;
}

/* Parsed as cut at the dots; what `err` says is about the end that is not known. */
static int parse_cut(struct view_end *ret_from, struct view_end *ret_to,
		     const struct moments *moments, const char *text, const char *dots,
		     struct error *err)
{
	char *const from = strndup(text, (size_t)(dots - text));
	int r;

	if (!from)
		return error_set_no_memory(err);
	r = view_end_parse(ret_from, moments, *from ? from : NULL, "start", err);
	free(from);
	return r < 0 ? r : view_end_parse(ret_to, moments, dots[2] ? dots + 2 : NULL, "end", err);
}

int view_end_parse_phase(struct view_end *ret_from, struct view_end *ret_to,
			 const struct moments *moments, const char *text, struct error *err)
{
	const char *dots = text ? strstr(text, "..") : NULL;
	int r;

	if (!text) {
		*ret_from = (struct view_end){ .kind = VIEW_END_START };
		*ret_to = (struct view_end){ .kind = VIEW_END_FINISH };
		return 0;
	}
	if (!dots || strcmp(text, "..") == 0)
		return error_set(err, -EINVAL,
				 "'%s' is not a phase: expected A..B, A.. or ..B with the names "
				 "of milestones",
				 text);
	/* Names may have dots in them: the first cut that makes sense is meant. */
	r = parse_cut(ret_from, ret_to, moments, text, dots, err);
	while (r < 0 && (dots = strstr(dots + 1, "..")))
		if (parse_cut(ret_from, ret_to, moments, text, dots, NULL) == 0)
			r = 0;
	return r;
}

/* A position that stands alone: there is one, unless it is behind us already. */
static bool take_only(struct view_position *position, uint64_t since_ns)
{
	if (position->is_set)
		return false;
	*position = (struct view_position){ .since_ns = since_ns, .is_set = true };
	return true;
}

static bool take_moment(struct view_position *position, const struct view_end *end,
			const struct moments *moments, uint32_t run)
{
	const size_t first = moments->first[run];
	const size_t last = moments->first[run + 1];
	size_t at;

	if (end->nth && position->is_set)
		return false;
	at = moments_find(moments, position->is_set ? position->order : first, last, end->name,
			  end->nth ? end->nth : 1);
	if (at == last)
		return false;
	*position = (struct view_position){ .since_ns = moments->items[at].since_ns,
					    .order = at + 1,
					    .is_set = true };
	return true;
}

bool view_end_next(struct view_position *position, const struct view_end *end,
		   const struct moments *moments, uint32_t run)
{
	switch (end->kind) {
	case VIEW_END_START:
		return take_only(position, 0);
	case VIEW_END_FINISH:
		return take_only(position, UINT64_MAX);
	case VIEW_END_TIME:
		return take_only(position, end->since_ns);
	case VIEW_END_NAME:
		return take_moment(position, end, moments, run);
	}
	return false;
}

bool view_position_is_before(const struct view_position *a, const struct view_position *b)
{
	return a->since_ns != b->since_ns ? a->since_ns < b->since_ns : a->order < b->order;
}
