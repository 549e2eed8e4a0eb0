/* The run in memory: growing arrays and nothing clever. */
#include "model/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

bool module_is_like(const struct module *a, const struct module *b)
{
	return a->path == b->path && a->kind == b->kind && a->build_id_size == b->build_id_size &&
	       memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
}

int profile_init(struct profile *profile)
{
	const struct module pseudo = { .kind = MODULE_KIND_PSEUDO };
	int r;

	*profile = (struct profile){ 0 };
	r = interner_init(&profile->strings);
	if (r == 0)
		r = stack_trie_init(&profile->stacks);
	if (r == 0)
		r = marks_init(&profile->marks);
	if (r == 0)
		r = profile_add_module(profile, NULL, &pseudo);
	if (r < 0)
		profile_release(profile);
	return r;
}

void profile_release(struct profile *profile)
{
	interner_release(&profile->strings);
	location_table_release(&profile->locations);
	stack_trie_release(&profile->stacks);
	free(profile->runs);
	free(profile->modules);
	free(profile->frames);
	free(profile->threads);
	free(profile->samples);
	marks_release(&profile->marks);
	*profile = (struct profile){ 0 };
}

int profile_add_module(struct profile *profile, uint32_t *ret_id, const struct module *module)
{
	struct module *grown = array_grown(profile->modules, &profile->modules_capacity,
					   profile->n_modules + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	profile->modules = grown;
	grown[profile->n_modules] = *module;
	if (ret_id)
		*ret_id = (uint32_t)profile->n_modules;
	profile->n_modules++;
	return 0;
}

uint32_t profile_run_of(const struct profile *profile, uint32_t thread)
{
	const uint32_t run = thread < profile->n_threads ? profile->threads[thread].run : 0;

	return run < profile_run_count(profile) ? run : 0;
}

int profile_add_run(struct profile *profile, uint32_t *ret_id, const struct profile_info *run)
{
	struct profile_info *grown = array_grown(profile->runs, &profile->runs_capacity,
						 profile->n_runs + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	profile->runs = grown;
	grown[profile->n_runs] = *run;
	if (ret_id)
		*ret_id = (uint32_t)profile->n_runs;
	profile->n_runs++;
	return 0;
}

int profile_add_thread(struct profile *profile, uint32_t *ret_id, const struct thread *thread)
{
	struct thread *grown = array_grown(profile->threads, &profile->threads_capacity,
					   profile->n_threads + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	profile->threads = grown;
	grown[profile->n_threads] = *thread;
	if (ret_id)
		*ret_id = (uint32_t)profile->n_threads;
	profile->n_threads++;
	return 0;
}

int profile_add_sample(struct profile *profile, const struct sample *sample)
{
	struct sample *grown = array_grown(profile->samples, &profile->samples_capacity,
					   profile->n_samples + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	profile->samples = grown;
	grown[profile->n_samples++] = *sample;
	return 0;
}

int profile_set_frames(struct profile *profile, uint32_t location, const struct frame *frames,
		       size_t n_frames)
{
	struct frame *grown = array_grown(profile->frames, &profile->frames_capacity,
					  profile->n_frames + n_frames, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	profile->frames = grown;
	memcpy(&grown[profile->n_frames], frames, n_frames * sizeof(*frames));
	profile->locations.locations[location].first_frame = (uint32_t)profile->n_frames;
	profile->locations.locations[location].n_frames = (uint32_t)n_frames;
	profile->n_frames += n_frames;
	return 0;
}

int profile_add_truncation(struct profile *profile, uint32_t *ret_location, enum stack_end end,
			   uint32_t end_module)
{
	return location_table_add(&profile->locations, ret_location, MODULE_PSEUDO,
				  (uint64_t)end_module << 32 | (uint64_t)end);
}

const char *profile_module_name(const struct profile *profile, uint32_t module)
{
	const char *path;
	const char *slash;

	if (module >= profile->n_modules)
		return "";
	path = interner_get(&profile->strings, profile->modules[module].path);
	slash = strrchr(path, '/');
	return slash && slash[1] && path[0] != '[' ? slash + 1 : path;
}
