/* Asking the rules about a frame.  Reading them is in components_parse.c. */
#include "tree/components.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapped_file.h"
#include "tree/glob.h"

static bool ends_with(const char *text, size_t size, const char *end)
{
	const size_t end_size = strlen(end);

	return size >= end_size && memcmp(text + size - end_size, end, end_size) == 0;
}

/* The size of "ns::f" in "ns::f(int) const [clone .cold]"; the whole size when it has no end. */
static size_t size_without_parameters(const char *name)
{
	static const char *const tails[] = { " const", " volatile", " &", "&" };
	const char *const clone = strstr(name, " [clone ");
	size_t size = clone ? (size_t)(clone - name) : strlen(name);
	size_t depth = 0;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (ends_with(name, size, tails[i]))
			size -= strlen(tails[i]);
	if (size == 0 || name[size - 1] != ')')
		return size;
	for (size_t at = size; at-- > 1;) {
		if (name[at] == ')')
			depth++;
		else if (name[at] == '(' && --depth == 0)
			return at;
	}
	return size;
}

static bool is_match_of_function(const char *pattern, const char *name)
{
	if (glob_match(pattern, name, strlen(name)))
		return true;
	return !strchr(pattern, '(') && glob_match(pattern, name, size_without_parameters(name));
}

static bool is_match_of_module(const char *pattern, const char *path)
{
	const char *const slash = path[0] == '[' ? NULL : strrchr(path, '/');
	const char *const name = slash && !strchr(pattern, '/') ? slash + 1 : path;

	return glob_match(pattern, name, strlen(name));
}

static bool is_match(const struct components *components, const struct component_rule *rule,
		     const struct component_subject *subject)
{
	const char *const pattern = interner_get(&components->strings, rule->pattern);

	switch ((enum rule_kind)rule->kind) {
	case RULE_FUNCTION:
		return is_match_of_function(pattern, subject->function);
	case RULE_MODULE:
		return is_match_of_module(pattern, subject->module_path);
	case RULE_PATH:
		return subject->path[0] &&
		       glob_match(pattern, subject->path, strlen(subject->path));
	case RULE_SCOPE:
		break;
	}
	return false;
}

uint32_t components_find(const struct components *components,
			 const struct component_subject *subject)
{
	for (size_t i = 0; i < components->n_rules; i++)
		if (is_match(components, &components->rules[i], subject))
			return components->rules[i].component;
	return COMPONENT_NONE;
}

uint32_t components_find_scope(const struct components *components, const char *name)
{
	for (size_t i = 0; i < components->n_rules; i++) {
		const struct component_rule *rule = &components->rules[i];

		if (rule->kind == RULE_SCOPE &&
		    glob_match(interner_get(&components->strings, rule->pattern), name,
			       strlen(name)))
			return rule->component;
	}
	return COMPONENT_NONE;
}

int components_read(struct components *components, const char *path, struct error *err)
{
	struct mapped_file file = MAPPED_FILE_INIT;
	int r = mapped_file_open(&file, path, err);

	if (r == 0)
		r = components_parse(components, (const char *)file.bytes, file.size_bytes, path,
				     err);
	mapped_file_release(&file);
	return r;
}

void components_release(struct components *components)
{
	interner_release(&components->strings);
	free(components->items);
	free(components->rules);
	*components = (struct components){ 0 };
}
