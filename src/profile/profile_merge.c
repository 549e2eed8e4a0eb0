/* One profile after the other is renumbered: what is there already is found, the rest added. */
#include "profile/profile_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/frame_names.h"
#include "model/registers.h"
#include "profile/merge_maps.h"
#include "profile/merge_marks.h"

#define MERGE_EVENT_WALL "wall"

static int merge_run(struct merge_maps *maps, const struct profile_info *run)
{
	struct profile_info info = *run;
	uint32_t *const texts[] = {
		&info.command, &info.host,	    &info.kernel, &info.tool,
		&info.engine,  &info.engine_reason, &info.event,  &info.unwinder
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const int r = merge_string(maps, texts[i]);

		if (r < 0)
			return r;
	}
	return profile_add_run(maps->into, NULL, &info);
}

static int merge_runs(struct merge_maps *maps)
{
	const struct profile *from = maps->from;
	int r = 0;

	maps->first_run = (uint32_t)maps->into->n_runs;
	if (!from->n_runs)
		return merge_run(maps, &from->info);
	for (size_t i = 0; r == 0 && i < from->n_runs; i++)
		r = merge_run(maps, &from->runs[i]);
	return r;
}

static int merge_threads(struct merge_maps *maps)
{
	const struct profile *from = maps->from;

	maps->first_thread = (uint32_t)maps->into->n_threads;
	for (size_t i = 0; i < from->n_threads; i++) {
		struct thread thread = from->threads[i];
		int r;

		thread.run += maps->first_run;
		if (thread.start_ns)
			thread.start_ns = merge_time_ns(maps, thread.start_ns);
		if (thread.end_ns)
			thread.end_ns = merge_time_ns(maps, thread.end_ns);
		r = merge_string(maps, &thread.name);
		if (r == 0)
			r = merge_string(maps, &thread.process_name);
		if (r == 0)
			r = profile_add_thread(maps->into, NULL, &thread);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The frames of a location, with new numbers; valid until the next call. */
static int merge_frames(struct merge_maps *maps, const struct location *location)
{
	struct frame *grown = array_grown(maps->frames, &maps->frames_capacity,
					  (size_t)location->n_frames + 1, sizeof(*grown));
	int r = 0;

	if (!grown)
		return -ENOMEM;
	maps->frames = grown;
	for (uint32_t i = 0; r == 0 && i < location->n_frames; i++) {
		grown[i] = maps->from->frames[location->first_frame + i];
		r = merge_string(maps, &grown[i].function);
		if (r == 0)
			r = merge_string(maps, &grown[i].file);
	}
	return r;
}

static int merge_module(struct merge_maps *maps, uint32_t *module)
{
	struct module wanted = maps->from->modules[*module];
	const int r = *module == MODULE_PSEUDO ? 0 : merge_string(maps, &wanted.path);

	if (r < 0 || *module == MODULE_PSEUDO)
		return r;
	return merge_modules_find(&maps->modules, module, &wanted);
}

/* A pseudo location has the module to blame in its upper half. */
static int merge_blame(struct merge_maps *maps, struct location *location)
{
	uint32_t blamed = (uint32_t)(location->vaddr >> 32);
	int r = 0;

	if (blamed < maps->from->n_modules)
		r = merge_module(maps, &blamed);
	else
		blamed = MODULE_PSEUDO;
	location->vaddr = (uint64_t)blamed << 32 | (uint32_t)location->vaddr;
	return r;
}

static bool is_unresolved(const struct frame *frames, uint32_t n_frames)
{
	return n_frames == 0 || (frames[0].flags & FRAME_UNRESOLVED);
}

static bool has_frames(const struct profile *profile, const struct location *location,
		       const struct frame *frames, uint32_t n_frames)
{
	const struct frame *known = &profile->frames[location->first_frame];

	if (location->n_frames != n_frames)
		return false;
	for (uint32_t i = 0; i < n_frames; i++)
		if (known[i].function != frames[i].function || known[i].file != frames[i].file ||
		    known[i].line != frames[i].line || known[i].flags != frames[i].flags)
			return false;
	return true;
}

/*
 * Put a location where nothing contradicts it: in the module, or in one like it
 * when the names there are others and no build-id says that the code is the same.
 */
static int merge_place(struct merge_maps *maps, uint32_t *ret_location,
		       const struct location *location)
{
	struct profile *into = maps->into;
	const uint32_t n_frames = location->n_frames;
	uint32_t module = location->module;

	for (;;) {
		const size_t n_known = into->locations.n_locations;
		const bool is_same_code = module == MODULE_PSEUDO ||
					  into->modules[module].build_id_size > 0;
		const struct location *known;
		bool is_new;

		if (location_table_add(&into->locations, ret_location, module, location->vaddr) < 0)
			return -ENOMEM;
		is_new = into->locations.n_locations > n_known;
		known = &into->locations.locations[*ret_location];
		if (is_new || (is_same_code && !is_unresolved(maps->frames, n_frames) &&
			       is_unresolved(&into->frames[known->first_frame], known->n_frames)))
			return profile_set_frames(into, *ret_location, maps->frames, n_frames);
		if (is_same_code || has_frames(into, known, maps->frames, n_frames))
			return 0;
		if (merge_modules_next(&maps->modules, &module) < 0)
			return -ENOMEM;
	}
}

static int merge_locations(struct merge_maps *maps)
{
	const struct location_table *table = &maps->from->locations;
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->n_locations; i++) {
		struct location location = table->locations[i];

		r = merge_frames(maps, &location);
		if (r == 0 && location.module == MODULE_PSEUDO)
			r = merge_blame(maps, &location);
		if (r == 0)
			r = merge_module(maps, &location.module);
		if (r == 0)
			r = merge_place(maps, &maps->locations[i], &location);
	}
	return r;
}

static int merge_nodes(struct merge_maps *maps)
{
	const struct stack_trie *stacks = &maps->from->stacks;

	for (size_t i = 1; i < stacks->n_nodes; i++)
		if (stack_trie_add(&maps->into->stacks, &maps->nodes[i],
				   maps->nodes[stacks->nodes[i].parent],
				   maps->locations[stacks->nodes[i].location]) < 0)
			return -ENOMEM;
	return 0;
}

static int merge_samples(struct profile_merger *merger, const struct merge_maps *maps)
{
	const struct profile *from = maps->from;

	for (size_t i = 0; i < from->n_samples; i++) {
		struct sample sample = from->samples[i];

		if (sample.weight_ns > INT64_MAX - merger->weight_ns ||
		    sample.count > INT64_MAX - merger->n_ticks)
			return -EOVERFLOW;
		merger->weight_ns += sample.weight_ns;
		merger->n_ticks += sample.count;
		if (from->info.has_times)
			sample.time_ns = merge_time_ns(maps, sample.time_ns);
		sample.thread += maps->first_thread;
		sample.node = maps->nodes[sample.node];
		sample.scope = maps->scopes[sample.scope];
		if (profile_add_sample(maps->into, &sample) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void add_count(uint64_t *count, uint64_t more)
{
	*count = *count > UINT64_MAX - more ? UINT64_MAX : *count + more;
}

static void merge_quality(struct quality *into, const struct quality *from, bool is_first)
{
	const uint64_t target_cpu_ns = into->target_cpu_ns;

	if (is_first) {
		*into = *from;
		return;
	}
	add_count(&into->n_samples, from->n_samples);
	add_count(&into->n_lost, from->n_lost);
	add_count(&into->n_lost_events, from->n_lost_events);
	add_count(&into->n_throttled, from->n_throttled);
	for (size_t i = 0; i < STACK_N_ENDS; i++)
		add_count(&into->n_by_end[i], from->n_by_end[i]);
	add_count(&into->n_unresolved, from->n_unresolved);
	add_count(&into->sampled_ns, from->sampled_ns);
	add_count(&into->not_sampled_ns, from->not_sampled_ns);
	add_count(&into->stolen_ns, from->stolen_ns);
	add_count(&into->recorder_cpu_ns, from->recorder_cpu_ns);
	add_count(&into->n_waits, from->n_waits);
	add_count(&into->waited_ns, from->waited_ns);
	add_count(&into->n_waits_bare, from->n_waits_bare);
	add_count(&into->waited_bare_ns, from->waited_bare_ns);
	add_count(&into->n_lost_switches, from->n_lost_switches);
	add_count(&into->target_cpu_ns, from->target_cpu_ns);
	/* Where one is not known the sum is not either. */
	if (!target_cpu_ns || !from->target_cpu_ns)
		into->target_cpu_ns = 0;
	if (from->needed_stack_bytes_p999 > into->needed_stack_bytes_p999)
		into->needed_stack_bytes_p999 = from->needed_stack_bytes_p999;
}

static bool is_wall(const struct profile *profile)
{
	return strcmp(interner_get(&profile->strings, profile->info.event), MERGE_EVENT_WALL) == 0;
}

static const char *arch_name(uint8_t arch)
{
	return arch == ARCH_X86_64 ? "x86-64" : arch == ARCH_AARCH64 ? "aarch64" : "unknown";
}

static int merge_check(const struct profile *into, const struct profile *from, struct error *err)
{
	if (into->info.arch != from->info.arch)
		return error_set(err, -EINVAL,
				 "was recorded on %s, what is before it on %s (merge each "
				 "architecture by itself)",
				 arch_name(from->info.arch), arch_name(into->info.arch));
	if (into->info.has_times != from->info.has_times)
		return error_set(err, -EINVAL,
				 "%s, what is before it %s (samples of the two cannot be added)",
				 from->info.has_times ? "has times" : "has counts only",
				 into->info.has_times ? "has times" : "has counts only");
	if (is_wall(into) != is_wall(from))
		return error_set(err, -EINVAL,
				 "is of %s time, what is before it of %s time (they cannot be "
				 "added)",
				 is_wall(from) ? "wall" : "CPU", is_wall(into) ? "wall" : "CPU");
	return 0;
}

/* What is said with numbers; the texts follow when all runs are known. */
static void merge_info(struct profile_info *into, const struct profile_info *from)
{
	into->is_cut |= from->is_cut;
	into->is_symbolized &= from->is_symbolized;
	if (from->n_cpus > into->n_cpus)
		into->n_cpus = from->n_cpus;
	if (from->period_ns != into->period_ns)
		into->period_ns = 0;
	if (from->stack_dump_bytes > into->stack_dump_bytes)
		into->stack_dump_bytes = from->stack_dump_bytes;
	if (from->duration_ns > into->duration_ns)
		into->duration_ns = from->duration_ns;
	if (!into->exit_status)
		into->exit_status = from->exit_status;
}

static int merge_all(struct profile_merger *merger, struct merge_maps *maps)
{
	int r = merge_maps_init(maps);

	if (r == 0)
		r = merge_runs(maps);
	if (r == 0)
		r = merge_threads(maps);
	if (r == 0)
		r = merge_locations(maps);
	if (r == 0)
		r = merge_nodes(maps);
	if (r == 0)
		r = merge_marks(maps);
	return r == 0 ? merge_samples(merger, maps) : r;
}

int profile_merge_add(struct profile_merger *merger, const struct profile *from, struct error *err)
{
	struct profile *into = merger->into;
	struct merge_maps maps = { .into = into, .from = from };
	const bool is_first = into->n_runs == 0;
	int r = is_first ? 0 : merge_check(into, from, err);

	if (r < 0)
		return r;
	if (is_first)
		into->info = from->info;
	else
		merge_info(&into->info, &from->info);
	merge_quality(&into->quality, &from->quality, is_first);
	r = merge_all(merger, &maps);
	/* For the next check: the other texts wait for the end. */
	if (r == 0 && is_first)
		into->info.event = into->runs[0].event;
	merge_maps_release(&maps);
	if (r == -ENOMEM)
		return error_set_no_memory(err);
	return r < 0 ? error_set(err, -EINVAL, "is more than one profile can hold") : 0;
}

/* Each text once, in the order of the runs: "xz -9 a + xz -9 b". */
static int join_texts(struct profile *profile, uint32_t *text, size_t offset)
{
	struct buffer joined = BUFFER_INIT;
	uint32_t *seen = calloc(profile->n_runs + 1, sizeof(*seen));
	size_t n_seen = 0;
	int r = seen ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < profile->n_runs; i++) {
		uint32_t id;
		size_t k = 0;

		memcpy(&id, (const char *)&profile->runs[i] + offset, sizeof(id));
		while (k < n_seen && seen[k] != id)
			k++;
		if (!id || k < n_seen)
			continue;
		seen[n_seen++] = id;
		buffer_add_string(&joined, n_seen > 1 ? " + " : "");
		buffer_add(&joined, profile->strings.strings[id], profile->strings.sizes[id]);
	}
	if (r == 0 && joined.is_failed)
		r = -ENOMEM;
	if (r == 0)
		r = interner_add_sized(&profile->strings, text, buffer_string(&joined),
				       joined.size);
	free(seen);
	buffer_release(&joined);
	return r;
}

int profile_merge_finish(struct profile_merger *merger)
{
	struct profile_info *info = &merger->into->info;
	const struct {
		uint32_t *text;
		size_t offset;
	} texts[] = {
		{ &info->command, offsetof(struct profile_info, command) },
		{ &info->host, offsetof(struct profile_info, host) },
		{ &info->kernel, offsetof(struct profile_info, kernel) },
		{ &info->tool, offsetof(struct profile_info, tool) },
		{ &info->engine, offsetof(struct profile_info, engine) },
		{ &info->engine_reason, offsetof(struct profile_info, engine_reason) },
		{ &info->event, offsetof(struct profile_info, event) },
		{ &info->unwinder, offsetof(struct profile_info, unwinder) },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = join_texts(merger->into, texts[i].text, texts[i].offset);
	return r == 0 ? frame_names_complete(merger->into) : r;
}
