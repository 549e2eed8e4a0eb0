/* Profiles from folded stacks, for tests of what is drawn from them. */
#include "unit_profile.h"

#include "unit.h"

static uint32_t module_named(struct profile *profile, const char *path)
{
	struct module module = { .kind = MODULE_KIND_FILE };
	uint32_t id;

	assert_int_equal(interner_add(&profile->strings, &module.path, path), 0);
	for (id = 1; id < profile->n_modules; id++)
		if (profile->modules[id].path == module.path)
			return id;
	if (path[0] == '[')
		module.kind = MODULE_KIND_KERNEL;
	assert_int_equal(profile_add_module(profile, &id, &module), 0);
	return id;
}

static uint8_t flags_of(const char *letters)
{
	static const char known[] = "ikupj";
	uint8_t flags = 0;

	for (; letters && *letters; letters++) {
		const char *found = strchr(known, *letters);

		if (found)
			flags |= (uint8_t)(1 << (found - known));
	}
	return flags;
}

/* The location of "name@module!flags": its vaddr is the name's string id. */
static uint32_t location_of(struct profile *profile, char *text)
{
	char *letters = strchr(text, '!');
	char *module = strchr(text, '@');
	struct frame frame = { 0 };
	uint32_t location;

	if (module && letters)
		*letters++ = '\0';
	else
		letters = NULL;
	if (module)
		*module++ = '\0';
	frame.flags = flags_of(letters);
	assert_int_equal(interner_add(&profile->strings, &frame.function, text), 0);
	assert_int_equal(location_table_add(&profile->locations, &location,
					    module_named(profile, module ? module : "/bin/app"),
					    frame.function),
			 0);
	if (!profile->locations.locations[location].n_frames)
		assert_int_equal(profile_set_frames(profile, location, &frame, 1), 0);
	return location;
}

void unit_profile_add(struct profile *profile, const char *frames, uint32_t n_ticks)
{
	struct sample sample = { .count = n_ticks,
				 .weight_ns = (uint64_t)n_ticks * 1000000,
				 .time_ns = profile->n_samples };
	char *copy = strdup(frames);
	char *rest = copy;

	assert_non_null(copy);
	for (char *name; (name = strsep(&rest, ";"));)
		assert_int_equal(stack_trie_add(&profile->stacks, &sample.node, sample.node,
						location_of(profile, name)),
				 0);
	free(copy);
	assert_int_equal(profile_add_sample(profile, &sample), 0);
}

void unit_profile_init(struct profile *profile, const struct unit_stack *stacks, size_t n_stacks)
{
	const struct thread thread = { .pid = 1, .tid = 1 };

	assert_int_equal(profile_init(profile), 0);
	assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
	profile->info.is_symbolized = true;
	profile->info.has_times = true;
	for (size_t i = 0; i < n_stacks; i++)
		unit_profile_add(profile, stacks[i].frames, stacks[i].n_ticks);
}

void unit_profile_tree(struct calltree *tree, const struct profile *profile)
{
	struct view view = VIEW_INIT;

	view.with_process = false;
	assert_int_equal(calltree_build(tree, profile, &view, NULL), 0);
	assert_int_equal(calltree_sort_by_name(tree), 0);
}
