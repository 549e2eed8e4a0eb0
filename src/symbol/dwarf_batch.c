/*
 * Threads for DWARF.  libdw's handles may not be shared, so each thread opens
 * its own over the one mapped file and interns its own strings; the caller
 * translates them once.
 */
#include "symbol/dwarf_batch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	/* Fewer addresses than this are not worth a second reading of the tables. */
	DWARF_BATCH_MIN_VADDRS = 4000,
	/* Demangling and nested DIEs recurse; the main thread's stack may be short. */
	DWARF_BATCH_STACK_BYTES = 32 << 20,
};

static void *run_part(void *opaque)
{
	struct dwarf_batch_part *part = opaque;

	part->result = dwarf_frames_find(&part->frames, part->image, part->debug_root, part->vaddrs,
					 part->n_vaddrs);
	return NULL;
}

static size_t choose_n_parts(const struct elf_image *image, size_t n_vaddrs)
{
	const long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = n_vaddrs / DWARF_BATCH_MIN_VADDRS + 1;

	/* libdw inflates compressed sections when it opens a file: once is enough. */
	if (elf_image_section(image, ".debug_info").is_compressed)
		return 1;
	if (n_cpus > 0 && n > (size_t)n_cpus)
		n = (size_t)n_cpus;
	return n < DWARF_BATCH_MAX_THREADS ? n : DWARF_BATCH_MAX_THREADS;
}

int dwarf_batch_find(struct dwarf_batch *batch, const struct elf_image *image,
		     const char *debug_root, const uint64_t *vaddrs, size_t n_vaddrs)
{
	pthread_t threads[DWARF_BATCH_MAX_THREADS];
	bool is_thread[DWARF_BATCH_MAX_THREADS] = { false };
	const size_t n_parts = choose_n_parts(image, n_vaddrs);
	pthread_attr_t attributes;
	const bool has_attributes = pthread_attr_init(&attributes) == 0;
	int r = 0;

	*batch = (struct dwarf_batch){ .n_parts = n_parts };
	if (has_attributes)
		(void)pthread_attr_setstacksize(&attributes, DWARF_BATCH_STACK_BYTES);
	for (size_t i = 0; i < n_parts; i++) {
		struct dwarf_batch_part *const part = &batch->parts[i];

		part->image = image;
		part->debug_root = debug_root;
		part->first = n_vaddrs * i / n_parts;
		part->n_vaddrs = n_vaddrs * (i + 1) / n_parts - part->first;
		part->vaddrs = vaddrs + part->first;
		is_thread[i] = pthread_create(&threads[i], has_attributes ? &attributes : NULL,
					      run_part, part) == 0;
		if (!is_thread[i])
			(void)run_part(part);
	}
	for (size_t i = 0; i < n_parts; i++) {
		if (is_thread[i])
			(void)pthread_join(threads[i], NULL);
		if (batch->parts[i].result < 0)
			r = batch->parts[i].result;
	}
	if (has_attributes)
		(void)pthread_attr_destroy(&attributes);
	if (r < 0)
		dwarf_batch_release(batch);
	return r;
}

void dwarf_batch_release(struct dwarf_batch *batch)
{
	for (size_t i = 0; i < batch->n_parts; i++) {
		dwarf_frames_release(&batch->parts[i].frames);
		free(batch->parts[i].ids);
	}
	*batch = (struct dwarf_batch){ 0 };
}

struct dwarf_batch_chain dwarf_batch_chain_of(const struct dwarf_batch *batch, size_t index)
{
	for (size_t i = 0; i < batch->n_parts; i++) {
		const struct dwarf_batch_part *const part = &batch->parts[i];
		const struct dwarf_chain *chain;

		if (index < part->first || index - part->first >= part->n_vaddrs)
			continue;
		chain = &part->frames.chains[index - part->first];
		return (struct dwarf_batch_chain){
			.frames = chain->n_frames ? &part->frames.frames[chain->first_frame] : NULL,
			.n_frames = chain->n_frames,
			.has_linkage_name = chain->has_linkage_name,
			.part = i,
		};
	}
	return (struct dwarf_batch_chain){ 0 };
}

static int translate_id(struct dwarf_batch_part *part, struct interner *strings, uint32_t *id)
{
	int r;

	if (*id == 0)
		return 0;
	if (part->ids[*id] == 0) {
		r = interner_add_sized(strings, &part->ids[*id],
				       interner_get(&part->frames.strings, *id),
				       part->frames.strings.sizes[*id]);
		if (r < 0)
			return r;
	}
	*id = part->ids[*id];
	return 0;
}

int dwarf_batch_translate(struct dwarf_batch *batch, const struct dwarf_batch_chain *chain,
			  struct interner *strings, struct frame *frame)
{
	struct dwarf_batch_part *const part = &batch->parts[chain->part];
	int r;

	if (!part->ids)
		part->ids = calloc(part->frames.strings.n_strings + 1, sizeof(*part->ids));
	if (!part->ids)
		return -ENOMEM;
	r = translate_id(part, strings, &frame->function);
	return r < 0 ? r : translate_id(part, strings, &frame->file);
}
