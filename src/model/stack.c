/* A stack before its walk, and names of the reasons for which walks end. */
#include "model/stack.h"

const char *stack_end_name(enum stack_end end)
{
	switch (end) {
	case STACK_COMPLETE:
		return "complete";
	case STACK_TRUNCATED_DUMP:
		return "stack dump";
	case STACK_NO_CFI:
		return "no unwind info";
	case STACK_BAD_MEMORY:
		return "bad memory";
	case STACK_LIMIT:
		return "frame limit";
	case STACK_NO_REGISTERS:
		return "no registers";
	case STACK_KERNEL_ONLY:
		return "kernel thread";
	case STACK_NOT_SAMPLED:
		return "not sampled";
	case STACK_NOT_TAKEN:
		return "not taken";
	case STACK_N_ENDS:
		break;
	}
	return "unknown";
}

void stack_clear(struct stack *stack, enum stack_end end)
{
	stack->n_frames = 0;
	stack->n_outer = 0;
	stack->end = end;
	stack->end_module = 0;
	stack->needed_stack_bytes = 0;
}

void stack_join(struct stack *stack)
{
	while (stack->n_outer) {
		stack->n_outer--;
		stack->locations[stack->n_frames] = stack->outer_locations[stack->n_outer];
		stack->ips[stack->n_frames++] = stack->outer_ips[stack->n_outer];
	}
}
