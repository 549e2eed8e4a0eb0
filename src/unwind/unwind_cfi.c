/* The backend `cfi`: what its walks share, and what is kept from one to the next. */
#include <errno.h>
#include <stdlib.h>

#include "unwind/cfi_walk.h"
#include "unwind/unwinder.h"

struct unwinder {
	struct cfi_modules modules;
	struct location_table *locations; /* borrowed */
	struct walk_step *steps;	  /* of the walk under way; NULL until first used */
};

static struct walk_trail trail_begin(struct unwinder *unwinder, struct unwind_process *process,
				     uint32_t tid)
{
	if (!unwinder->steps)
		unwinder->steps = malloc(WALK_MEMO_STEPS * sizeof(*unwinder->steps));
	return walk_trail_begin(&process->cache->memos[tid % WALK_MEMO_PER_CACHE], unwinder->steps,
				tid, process->space.generation);
}

static int cfi_walk(struct unwinder *unwinder, struct unwind_process *process,
		    const struct unwind_images *images, const struct raw_sample *sample,
		    struct stack *stack)
{
	struct cfi_cache_context cache = {
		.modules = &unwinder->modules,
		.process = process,
		.images = images,
		.locations = unwinder->locations,
		.arch = sample->registers.arch,
	};
	struct walk_trail trail;

	stack_clear(stack, STACK_NO_REGISTERS);
	if (!sample->has_registers)
		return 0;
	if (cfi_cache_prepare(process) < 0)
		return -ENOMEM;
	trail = trail_begin(unwinder, process, sample->tid);
	cfi_walk_sample(&cache, &trail, sample, stack);
	if (trail.memo)
		walk_trail_finish(&trail, stack);
	if (sample->next_ip)
		cfi_cache_look_ahead(&cache, *sample->next_ip);
	return cache.is_out_of_memory ? -ENOMEM : 0;
}

static int cfi_new(struct unwinder **ret_unwinder, struct location_table *locations,
		   struct error *err)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return error_set_no_memory(err);
	unwinder->locations = locations;
	*ret_unwinder = unwinder;
	return 0;
}

static void cfi_free(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	cfi_modules_release(&unwinder->modules);
	free(unwinder->steps);
	free(unwinder);
}

static const char *cfi_statement(struct unwinder *unwinder)
{
	(void)unwinder;
	return NULL;
}

const struct unwind_backend unwind_backend_cfi = {
	.name = "cfi",
	.summary = "call frame information, read by tsprof itself",
	.new = cfi_new,
	.walk = cfi_walk,
	.free = cfi_free,
	.statement = cfi_statement,
};
