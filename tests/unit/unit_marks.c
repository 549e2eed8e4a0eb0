/* Marks from short texts, for tests of what views make of them. */
#include "unit_marks.h"

#include "unit.h"

static uint32_t text_id(struct profile *profile, const char *text)
{
	uint32_t id = 0;

	if (text)
		assert_int_equal(interner_add(&profile->strings, &id, text), 0);
	return id;
}

static uint32_t site_of(struct profile *profile, enum mark_kind kind, const char *name,
			const char *category)
{
	const struct mark_site site = { .name = text_id(profile, name),
					.category = text_id(profile, category),
					.kind = (uint8_t)kind };
	const struct marks *marks = &profile->marks;
	uint32_t id;

	for (id = 0; id < marks->n_sites; id++)
		if (marks->sites[id].name == site.name && marks->sites[id].kind == site.kind &&
		    marks->sites[id].category == site.category)
			return id;
	assert_int_equal(marks_add_site(&profile->marks, &id, &site), 0);
	return id;
}

void unit_marks_add_milestone(struct profile *profile, uint32_t run, uint64_t since_ns,
			      const char *name)
{
	const struct milestone milestone = {
		.time_ns = profile->info.start_ns + since_ns,
		.thread = MARK_NO_THREAD,
		.run = run,
		.site = site_of(profile, MARK_MILESTONE, name, NULL),
	};

	assert_int_equal(marks_add_milestone(&profile->marks, &milestone), 0);
}

void unit_marks_add_milestones(struct profile *profile, const char *text)
{
	char *const copy = strdup(text);
	char *rest = copy;

	assert_non_null(copy);
	for (char *word; (word = strsep(&rest, " "));) {
		char *at = strrchr(word, '@');

		assert_non_null(at);
		*at++ = '\0';
		unit_marks_add_milestone(profile, 0, strtoull(at, NULL, 10), word);
	}
	free(copy);
}

uint32_t unit_marks_add_scope(struct profile *profile, const char *path)
{
	char *const copy = strdup(path);
	char *rest = copy;
	uint32_t node = 0;

	assert_non_null(copy);
	for (char *name; (name = strsep(&rest, "/"));) {
		char *category = strchr(name, ':');

		if (category)
			*category++ = '\0';
		assert_int_equal(scope_tree_get(&profile->marks.scopes, &node, node,
						site_of(profile, MARK_SCOPE, name, category)),
				 0);
	}
	free(copy);
	return node;
}
