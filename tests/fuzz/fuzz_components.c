/* A rules file, and names asked about with what it says. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "tree/components.h"

static void check_items(const struct components *components)
{
	for (size_t i = 0; i < components->n_items; i++)
		if (components->items[i].parent != COMPONENT_NONE &&
		    components->items[i].parent >= i)
			abort();
	for (size_t i = 0; i < components->n_rules; i++)
		if (components->rules[i].component >= components->n_items)
			abort();
}

static void ask(const struct components *components)
{
	static const char *const scopes[] = { "", "parse", "a:b", "load index" };
	static const struct component_subject subjects[] = {
		{ "", "", "" },
		{ "main", "/bin/app", "/src/main.c" },
		{ "ns::f<int>(void (*)(int)) const [clone .cold]", "[kernel]", "" },
		{ "operator()", "[app+0x12]", "a" },
		{ ")", "/", "/" },
	};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const uint32_t at = components_find_scope(components, scopes[i]);

		if (at != COMPONENT_NONE && (at >= components->n_items || !components->has_scopes))
			abort();
	}
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const uint32_t at = components_find(components, &subjects[i]);

		if (at != COMPONENT_NONE && at >= components->n_items)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct components components;

	if (components_parse(&components, (const char *)data, size, "fuzz", &err) < 0) {
		if (strncmp(err.message, "fuzz:", 5) != 0 || strchr(err.message, '\n'))
			abort();
		return 0;
	}
	check_items(&components);
	ask(&components);
	components_release(&components);
	return 0;
}
