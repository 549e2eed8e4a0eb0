/*
 * Every sample walked three times.  The answer is cfi's; libunwind and libdw
 * are compared with it, ip by ip, and what differs is counted and, for the
 * first few, kept as text.  The others' known defects (see verify_reason) are
 * counted apart, so that "unexplained" is what somebody has to look at.
 */
#include "unwind/unwinder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "unwind/verify_reason.h"

enum {
	VERIFY_N_OTHERS = 2,
	VERIFY_MAX_TEXTS = 40,	   /* differences kept as text, for each reason and engine */
	VERIFY_CONTEXT_FRAMES = 4, /* shown from the last equal frame outwards */
};

static const struct unwind_backend *const others[VERIFY_N_OTHERS] = {
	&unwind_backend_libunwind,
	&unwind_backend_libdw,
};

/* One engine of a process; its `space` is a copy of the pointers, refreshed by each walk. */
struct unwind_cache {
	struct unwind_process cfi;
	struct unwind_process others[VERIFY_N_OTHERS];
};

struct verify_engine {
	const struct unwind_backend *backend;
	struct unwinder *unwinder;
	uint64_t n_equal;
	uint64_t n_by_reason[VERIFY_N_REASONS];
};

struct unwinder {
	struct unwinder *cfi;
	struct verify_engine others[VERIFY_N_OTHERS];
	struct stack other_stack;
	uint64_t n_samples;
	uint64_t n_by_end[STACK_N_ENDS];
	struct buffer texts;
	struct buffer statement;
};

static void inner_release(struct unwind_process *process)
{
	if (process->cache && process->release_cache)
		process->release_cache(process->cache);
}

static void unwind_verify_release_cache(struct unwind_cache *cache)
{
	inner_release(&cache->cfi);
	for (size_t i = 0; i < VERIFY_N_OTHERS; i++)
		inner_release(&cache->others[i]);
	free(cache);
}

/* `inner` borrows the mappings; only its cache is its own. */
static void inner_refresh(struct unwind_process *inner, const struct unwind_process *process)
{
	inner->space = process->space;
	inner->pid = process->pid;
	inner->unmapped_module = process->unmapped_module;
}

static int unwind_verify_prepare(struct unwind_process *process)
{
	struct unwind_cache *cache = process->cache;

	if (!cache) {
		cache = calloc(1, sizeof(*cache));
		if (!cache)
			return -ENOMEM;
		process->cache = cache;
		process->release_cache = unwind_verify_release_cache;
	}
	inner_refresh(&cache->cfi, process);
	for (size_t i = 0; i < VERIFY_N_OTHERS; i++)
		inner_refresh(&cache->others[i], process);
	return 0;
}

static const char *path_of(const struct unwind_images *images, const struct mapping *mapping)
{
	const struct elf_image *image = mapping->module < images->n_images
						? images->images[mapping->module]
						: NULL;
	const char *slash;

	if (!image || !image->path)
		return "[no file]";
	slash = strrchr(image->path, '/');
	return slash ? slash + 1 : image->path;
}

static void add_frame(struct buffer *text, const struct unwind_process *process,
		      const struct unwind_images *images, uint64_t ip)
{
	const struct mapping *mapping = address_space_find(&process->space, ip);

	if (mapping)
		buffer_printf(text, " %s+0x%" PRIx64, path_of(images, mapping), ip - mapping->bias);
	else
		buffer_printf(text, " 0x%" PRIx64, ip);
}

static void add_frames(struct buffer *text, const struct unwind_process *process,
		       const struct unwind_images *images, const struct stack *stack, size_t first)
{
	const size_t end = first + VERIFY_CONTEXT_FRAMES;

	for (size_t i = first; i < stack->n_frames && i < end; i++)
		add_frame(text, process, images, stack->ips[i]);
	if (stack->n_frames <= end)
		buffer_printf(text, " (%s)", stack_end_name(stack->end));
}

/* A stack of cfi's own that neither reached its root nor left the dump. */
static void keep_incomplete(struct unwinder *unwinder, const struct unwind_process *process,
			    const struct unwind_images *images, const struct raw_sample *sample,
			    const struct stack *stack)
{
	struct buffer *text = &unwinder->texts;

	if (unwinder->n_by_end[stack->end] > VERIFY_MAX_TEXTS)
		return;
	buffer_printf(text, "\ncfi: %s: %u frames, %zu bytes of stack, sp 0x%" PRIx64 ":",
		      stack_end_name(stack->end), stack->n_frames, sample->stack_size_bytes,
		      registers_sp(&sample->registers));
	if (stack->n_frames)
		add_frames(text, process, images, stack,
			   stack->n_frames < VERIFY_CONTEXT_FRAMES
				   ? 0
				   : stack->n_frames - VERIFY_CONTEXT_FRAMES);
}

static void keep_text(struct unwinder *unwinder, const struct verify_engine *engine,
		      const struct unwind_process *process, const struct unwind_images *images,
		      const struct verify_difference *difference)
{
	struct buffer *text = &unwinder->texts;
	const size_t first = difference->n_equal ? difference->n_equal - 1 : 0;

	buffer_printf(text, "\n%s: %s: %u frames (cfi %u), from frame %zu: cfi",
		      engine->backend->name, verify_reason_name(difference->reason),
		      difference->other->n_frames, difference->cfi->n_frames, first);
	if (first)
		add_frame(text, process, images, difference->cfi->ips[0]);
	if (first > 1)
		buffer_add_string(text, " …");
	add_frames(text, process, images, difference->cfi, first);
	buffer_printf(text, " | %s", engine->backend->name);
	add_frames(text, process, images, difference->other, first);
}

static int unwind_verify_walk(struct unwinder *unwinder, struct unwind_process *process,
			      const struct unwind_images *images, const struct raw_sample *sample,
			      struct stack *stack)
{
	int r = unwind_verify_prepare(process);

	if (r < 0)
		return r;
	r = unwind_backend_cfi.walk(unwinder->cfi, &process->cache->cfi, images, sample, stack);
	if (r < 0)
		return r;
	stack_join(stack);
	unwinder->n_samples++;
	unwinder->n_by_end[stack->end]++;
	if (stack->end == STACK_NO_CFI || stack->end == STACK_BAD_MEMORY)
		keep_incomplete(unwinder, process, images, sample, stack);
	for (size_t i = 0; i < VERIFY_N_OTHERS; i++) {
		struct verify_engine *engine = &unwinder->others[i];
		struct verify_difference difference = {
			.cfi = stack,
			.other = &unwinder->other_stack,
		};

		r = engine->backend->walk(engine->unwinder, &process->cache->others[i], images,
					  sample, &unwinder->other_stack);
		if (r < 0)
			return r;
		if (verify_stacks_equal(&difference)) {
			engine->n_equal++;
			continue;
		}
		verify_find_reason(&difference, process, images, sample);
		if (engine->n_by_reason[difference.reason]++ < VERIFY_MAX_TEXTS)
			keep_text(unwinder, engine, process, images, &difference);
	}
	return 0;
}

static const char *unwind_verify_statement(struct unwinder *unwinder)
{
	struct buffer *statement = &unwinder->statement;

	buffer_clear(statement);
	buffer_printf(statement, "verify: %" PRIu64 " samples", unwinder->n_samples);
	for (size_t i = 0; i < STACK_N_ENDS; i++) {
		if (unwinder->n_by_end[i])
			buffer_printf(statement, ", %" PRIu64 " %s", unwinder->n_by_end[i],
				      stack_end_name((enum stack_end)i));
	}
	for (size_t i = 0; i < VERIFY_N_OTHERS; i++) {
		const struct verify_engine *engine = &unwinder->others[i];

		buffer_printf(statement, "; %s: %" PRIu64 " equal", engine->backend->name,
			      engine->n_equal);
		for (size_t reason = 0; reason < VERIFY_N_REASONS; reason++)
			buffer_printf(statement, ", %" PRIu64 " %s", engine->n_by_reason[reason],
				      verify_reason_name((enum verify_reason)reason));
	}
	buffer_add_string(statement, buffer_string(&unwinder->texts));
	return buffer_string(statement);
}

static void unwind_verify_free(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	if (unwinder->cfi)
		unwind_backend_cfi.free(unwinder->cfi);
	for (size_t i = 0; i < VERIFY_N_OTHERS; i++) {
		if (unwinder->others[i].unwinder)
			others[i]->free(unwinder->others[i].unwinder);
	}
	buffer_release(&unwinder->texts);
	buffer_release(&unwinder->statement);
	free(unwinder);
}

static int unwind_verify_new(struct unwinder **ret_unwinder, struct location_table *locations,
			     struct error *err)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));
	int r;

	if (!unwinder)
		return error_set_no_memory(err);
	r = unwind_backend_cfi.new(&unwinder->cfi, locations, err);
	for (size_t i = 0; i < VERIFY_N_OTHERS && r >= 0; i++) {
		unwinder->others[i].backend = others[i];
		r = others[i]->new (&unwinder->others[i].unwinder, locations, err);
	}
	if (r < 0) {
		unwind_verify_free(unwinder);
		return r;
	}
	*ret_unwinder = unwinder;
	return 0;
}

const struct unwind_backend unwind_backend_verify = {
	.name = "verify",
	.summary = "cfi, compared frame by frame with libunwind and libdw",
	.new = unwind_verify_new,
	.walk = unwind_verify_walk,
	.free = unwind_verify_free,
	.statement = unwind_verify_statement,
};
