/*
 * The backend `fp`: the chain of frame records that fp points at.  Right only for
 * programs and libraries built with frame pointers; it is there to compare with
 * and for code without unwind tables.
 */
#include <errno.h>

#include "unwind/stack_dump.h"
#include "unwind/unwinder.h"

struct unwinder {
	struct location_table *locations; /* borrowed; first, as unwinder_new wants it */
};

/* Adds the frame of `ip`; `back` steps a return address into its call. */
static int fp_add(struct unwinder *unwinder, const struct unwind_process *process, uint64_t ip,
		  uint64_t back, struct stack *stack)
{
	const struct mapping *mapping = address_space_find(&process->space, ip - back);
	int r;

	if (!mapping)
		return -ENOENT;
	r = location_table_add(unwinder->locations, &stack->locations[stack->n_frames],
			       mapping->module, ip - back - mapping->bias);
	if (r < 0)
		return r;
	stack->ips[stack->n_frames++] = ip;
	return 0;
}

static int fp_follow(struct unwinder *unwinder, const struct unwind_process *process,
		     const struct stack_dump *dump, uint64_t fp, struct stack *stack)
{
	uint64_t last = dump->start;
	uint64_t next;
	uint64_t ip;
	int r;

	stack->end = STACK_LIMIT;
	while (stack->n_frames < STACK_MAX_FRAMES) {
		if (fp == 0) {
			stack->end = STACK_COMPLETE;
			return 0;
		}
		stack->end = STACK_BAD_MEMORY;
		if (fp % 8 != 0 || fp < last)
			return 0;
		if (!stack_dump_read(dump, fp, &next) || !stack_dump_read(dump, fp + 8, &ip)) {
			stack->end = stack_dump_end(dump, fp + 8);
			return 0;
		}
		last = fp + 16;
		stack->needed_stack_bytes = last - dump->start;
		if (ip == 0) {
			stack->end = STACK_COMPLETE;
			return 0;
		}
		r = fp_add(unwinder, process, ip, 1, stack);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		stack->end = STACK_LIMIT;
		fp = next;
	}
	return 0;
}

static int fp_walk(struct unwinder *unwinder, struct unwind_process *process,
		   const struct unwind_images *images, const struct raw_sample *sample,
		   struct stack *stack)
{
	const struct stack_dump dump = stack_dump_of(sample);
	int r;

	(void)images;
	stack_clear(stack, STACK_NO_REGISTERS);
	if (!sample->has_registers)
		return 0;
	r = fp_add(unwinder, process, registers_pc(&sample->registers), 0, stack);
	if (r < 0 && r != -ENOENT)
		return r;
	return fp_follow(unwinder, process, &dump, registers_fp(&sample->registers), stack);
}

static int fp_new(struct unwinder **ret_unwinder, struct location_table *locations,
		  struct error *err)
{
	return unwinder_new(ret_unwinder, sizeof(struct unwinder), locations, err);
}

const struct unwind_backend unwind_backend_fp = {
	.name = "fp",
	.summary = "frame pointers only",
	.new = fp_new,
	.walk = fp_walk,
	.free = unwinder_free,
};
