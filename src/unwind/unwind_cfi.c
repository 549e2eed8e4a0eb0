/* The backend `cfi`: what its walks share, and what is kept from one to the next. */
#include <errno.h>
#include <stdlib.h>

#include "unwind/cfi_walk.h"
#include "unwind/unwinder.h"

struct unwinder {
	struct cfi_modules modules;
	struct location_table *locations; /* borrowed */
	struct walk_step *spare;	  /* for the next trail; NULL when it has to be made */
};

/* Without memory for it nothing is remembered, which is only slower. */
static struct walk_trail trail_begin(struct unwinder *unwinder, struct unwind_process *process,
				     uint32_t tid)
{
	if (!unwinder->spare)
		unwinder->spare = malloc(WALK_MEMO_STEPS * sizeof(*unwinder->spare));
	if (!unwinder->spare)
		return (struct walk_trail){ 0 };
	return walk_trail_begin(&process->cache->memos[tid % WALK_MEMO_PER_CACHE], unwinder->spare,
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

	stack->n_frames = 0;
	stack->end = STACK_NO_REGISTERS;
	stack->end_module = 0;
	stack->needed_stack_bytes = 0;
	if (!sample->has_registers)
		return 0;
	if (cfi_cache_prepare(process) < 0)
		return -ENOMEM;
	trail = trail_begin(unwinder, process, sample->tid);
	cfi_walk_sample(&cache, &trail, sample, stack);
	if (trail.memo)
		unwinder->spare = walk_trail_finish(&trail);
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
	free(unwinder->spare);
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
