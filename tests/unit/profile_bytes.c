/* Profiles out of a random number generator, and their bytes. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mapped_file.h"
#include "profile/profile_writer.h"

#include "profile_bytes.h"

uint64_t profile_bytes_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return hash_u64(*state);
}

static uint32_t random_string(struct profile *profile, uint64_t *state)
{
	char text[40];
	size_t size = 1 + profile_bytes_random(state) % (sizeof(text) - 1);
	uint32_t id;

	for (size_t i = 0; i < size; i++)
		text[i] = (char)profile_bytes_random(state);
	assert_int_equal(interner_add_sized(&profile->strings, &id, text, size), 0);
	return id;
}

static void make_modules(struct profile *profile, const struct profile_shape *shape,
			 uint64_t *state)
{
	for (size_t i = 0; i < shape->n_modules; i++) {
		struct module module = {
			.path = random_string(profile, state),
			.kind = (uint8_t)(1 + profile_bytes_random(state) % MODULE_KIND_NAMES),
			.build_id_size = i % 2 ? BUILD_ID_MAX_BYTES : 0,
		};

		for (size_t k = 0; k < module.build_id_size; k++)
			module.build_id[k] = (uint8_t)profile_bytes_random(state);
		assert_int_equal(profile_add_module(profile, NULL, &module), 0);
	}
}

static void make_threads(struct profile *profile, const struct profile_shape *shape,
			 uint64_t *state)
{
	for (size_t i = 0; i < shape->n_threads; i++) {
		const struct thread thread = {
			.pid = (uint32_t)profile_bytes_random(state),
			.tid = (uint32_t)profile_bytes_random(state),
			.name = random_string(profile, state),
			.process_name = random_string(profile, state),
			.start_ns = profile_bytes_random(state),
			.end_ns = profile_bytes_random(state),
			.parent_pid = (uint32_t)(3 * i),
			.run = (uint32_t)(i % (profile->n_runs ? profile->n_runs : 1)),
		};

		assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
	}
}

static void make_locations(struct profile *profile, const struct profile_shape *shape,
			   uint64_t *state)
{
	for (size_t i = 0; i < shape->n_locations; i++) {
		struct frame frames[3];
		const size_t n_frames = 1 + profile_bytes_random(state) % N_ITEMS(frames);
		uint32_t id;

		for (size_t k = 0; k < n_frames; k++) {
			frames[k] = (struct frame){
				.function = random_string(profile, state),
				.file = k ? 0 : random_string(profile, state),
				.line = (uint32_t)profile_bytes_random(state),
				.flags = k + 1 < n_frames ? FRAME_INLINED : 0,
			};
		}
		assert_int_equal(location_table_add(&profile->locations, &id,
						    1 + (uint32_t)(profile_bytes_random(state) %
								   shape->n_modules),
						    profile_bytes_random(state)),
				 0);
		assert_int_equal(profile_set_frames(profile, id, frames, n_frames), 0);
	}
}

static void make_samples(struct profile *profile, const struct profile_shape *shape,
			 uint64_t *state)
{
	for (size_t i = 0; i < shape->n_samples; i++) {
		struct sample sample = {
			.time_ns = 1000000000 + profile_bytes_random(state) % 1000000000,
			.weight_ns = i % 3 ? 1003009 : profile_bytes_random(state) % (1 << 30),
			.thread = (uint32_t)(profile_bytes_random(state) % shape->n_threads),
			.count = i % 5 ? 1 : 1 + profile_bytes_random(state) % 1000,
			.cpu = (uint16_t)(profile_bytes_random(state) % 300),
			.end = (uint16_t)(i % 4 ? 0 : profile_bytes_random(state) % STACK_N_ENDS),
		};

		/* Waits come last, as they do in each part of a file. */
		if (i >= shape->n_samples - shape->n_waits) {
			sample.state =
				(uint8_t)(1 + profile_bytes_random(state) % (SAMPLE_N_STATES - 1));
			sample.count = profile_bytes_random(state) % 3;
			sample.cpu = 0;
			if (sample.end == STACK_NOT_SAMPLED)
				sample.end = STACK_NOT_TAKEN;
		}
		if (sample.end == STACK_NOT_SAMPLED)
			sample.count = 0;
		for (unsigned int k = 0; k < shape->depth; k++) {
			const uint64_t number = profile_bytes_random(state) % shape->n_locations;

			assert_int_equal(stack_trie_add(&profile->stacks, &sample.node, sample.node,
							(uint32_t)number),
					 0);
		}
		assert_int_equal(profile_add_sample(profile, &sample), 0);
	}
}

static void make_status(struct profile *profile, const struct profile_shape *shape, uint64_t *state)
{
	struct quality *quality = &profile->quality;
	struct profile_info *info = &profile->info;

	quality->n_samples = profile->n_samples - shape->n_waits;
	quality->n_waits = shape->n_waits;
	quality->waited_ns = profile_bytes_random(state);
	quality->n_waits_bare = profile_bytes_random(state);
	quality->waited_bare_ns = profile_bytes_random(state);
	quality->n_lost_switches = profile_bytes_random(state);
	quality->n_lost = profile_bytes_random(state);
	quality->n_by_end[STACK_NO_CFI] = 7;
	quality->sampled_ns = profile_bytes_random(state);
	quality->not_sampled_ns = profile_bytes_random(state);
	quality->stolen_ns = profile_bytes_random(state);
	quality->needed_stack_bytes_p999 = 4096;
	info->command = random_string(profile, state);
	info->unwinder = random_string(profile, state);
	info->arch = 1;
	info->has_times = true;
	info->is_symbolized = true;
	info->n_cpus = 8;
	info->period_ns = 1003009;
	info->start_ns = 1000000000;
	info->duration_ns = 1000000000;
	info->exit_status = -3;
}

void profile_bytes_make(struct profile *profile, const struct profile_shape *shape)
{
	uint64_t state = shape->seed;

	assert_int_equal(profile_init(profile), 0);
	make_modules(profile, shape, &state);
	make_threads(profile, shape, &state);
	make_locations(profile, shape, &state);
	make_samples(profile, shape, &state);
	make_status(profile, shape, &state);
}

void profile_bytes_write(struct buffer *out, struct profile *profile, size_t n_flushes)
{
	struct sample *const samples = profile->samples;
	const size_t n_samples = profile->n_samples;
	struct profile_writer *writer;
	struct mapped_file file;
	char directory[] = "/tmp/tsprof-test-XXXXXX";
	char path[sizeof(directory) + 8];

	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/p", directory);
	profile->n_samples = 0;
	assert_int_equal(profile_writer_open(&writer, path, profile, NULL), 0);
	for (size_t i = 0; i < n_flushes; i++) {
		profile->samples = n_samples ? samples + n_samples * i / n_flushes : NULL;
		profile->n_samples = n_samples * (i + 1) / n_flushes - n_samples * i / n_flushes;
		assert_int_equal(profile_writer_flush(writer, NULL), 0);
	}
	assert_int_equal(profile_writer_finish(writer, NULL), 0);
	profile->samples = samples;
	profile->n_samples = n_samples;
	assert_int_equal(mapped_file_open(&file, path, NULL), 0);
	buffer_clear(out);
	buffer_add(out, file.bytes, file.size_bytes);
	mapped_file_release(&file);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void assert_equal_strings(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->strings.n_strings, b->strings.n_strings);
	for (size_t i = 0; i < a->strings.n_strings; i++) {
		assert_int_equal(a->strings.sizes[i], b->strings.sizes[i]);
		assert_memory_equal(a->strings.strings[i], b->strings.strings[i],
				    a->strings.sizes[i]);
	}
}

static void assert_equal_locations(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->locations.n_locations, b->locations.n_locations);
	for (size_t i = 0; i < a->locations.n_locations; i++) {
		const struct location *x = &a->locations.locations[i];
		const struct location *y = &b->locations.locations[i];

		assert_int_equal(x->module, y->module);
		assert_int_equal(x->vaddr, y->vaddr);
		assert_int_equal(x->n_frames, y->n_frames);
		for (size_t k = 0; k < x->n_frames; k++) {
			const struct frame *f = &a->frames[x->first_frame + k];
			const struct frame *g = &b->frames[y->first_frame + k];

			assert_int_equal(f->function, g->function);
			assert_int_equal(f->file, g->file);
			assert_int_equal(f->line, g->line);
			assert_int_equal(f->flags, g->flags);
		}
	}
}

static void assert_equal_infos(const struct profile_info *a, const struct profile_info *b)
{
	assert_int_equal(a->command, b->command);
	assert_int_equal(a->host, b->host);
	assert_int_equal(a->kernel, b->kernel);
	assert_int_equal(a->tool, b->tool);
	assert_int_equal(a->engine, b->engine);
	assert_int_equal(a->engine_reason, b->engine_reason);
	assert_int_equal(a->event, b->event);
	assert_int_equal(a->unwinder, b->unwinder);
	assert_int_equal(a->arch, b->arch);
	assert_int_equal(a->has_times, b->has_times);
	assert_int_equal(a->is_cut, b->is_cut);
	assert_int_equal(a->is_symbolized, b->is_symbolized);
	assert_int_equal(a->n_cpus, b->n_cpus);
	assert_int_equal(a->period_ns, b->period_ns);
	assert_int_equal(a->stack_dump_bytes, b->stack_dump_bytes);
	assert_int_equal(a->start_epoch_ns, b->start_epoch_ns);
	assert_int_equal(a->start_ns, b->start_ns);
	assert_int_equal(a->duration_ns, b->duration_ns);
	assert_int_equal(a->exit_status, b->exit_status);
}

void profile_bytes_assert_equal(const struct profile *a, const struct profile *b)
{
	assert_equal_strings(a, b);
	assert_equal_locations(a, b);
	assert_int_equal(a->n_modules, b->n_modules);
	assert_memory_equal(a->modules, b->modules, a->n_modules * sizeof(*a->modules));
	assert_int_equal(a->n_runs, b->n_runs);
	for (size_t i = 0; i < a->n_runs; i++)
		assert_equal_infos(&a->runs[i], &b->runs[i]);
	assert_int_equal(a->n_threads, b->n_threads);
	assert_memory_equal(a->threads, b->threads, a->n_threads * sizeof(*a->threads));
	assert_int_equal(a->stacks.n_nodes, b->stacks.n_nodes);
	assert_memory_equal(a->stacks.nodes, b->stacks.nodes,
			    a->stacks.n_nodes * sizeof(*a->stacks.nodes));
	assert_int_equal(a->n_samples, b->n_samples);
	for (size_t i = 0; i < a->n_samples; i++) {
		const struct sample *x = &a->samples[i];
		const struct sample *y = &b->samples[i];

		assert_int_equal(x->time_ns, y->time_ns);
		assert_int_equal(x->weight_ns, y->weight_ns);
		assert_int_equal(x->thread, y->thread);
		assert_int_equal(x->node, y->node);
		assert_int_equal(x->count, y->count);
		assert_int_equal(x->cpu, y->cpu);
		assert_int_equal(x->end, y->end);
		assert_int_equal(x->state, y->state);
	}
	assert_memory_equal(&a->quality, &b->quality, sizeof(a->quality));
	assert_equal_infos(&a->info, &b->info);
}
