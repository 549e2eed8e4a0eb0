/* One copy where it is known how much of the stack there is; else the kernel has to look. */
#include "lib/stack_copy.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * From memory of which nobody told us how much is there (the stack of a coroutine, or an alternate
 * one): page by page, up to the first that is not.
 */
static uint32_t copy_foreign(uint8_t *to, uint64_t from, uint32_t most_bytes, uint32_t pid)
{
	struct iovec remote[SIGPROF_STACK_MAX_BYTES / SIGPROF_PAGE_BYTES + 2];
	struct iovec local = { .iov_base = to, .iov_len = most_bytes };
	unsigned long n_remote = 0;
	uint64_t at = from;
	long n_copied;

	while (at < from + most_bytes) {
		uint64_t end = (at | (SIGPROF_PAGE_BYTES - 1)) + 1;

		if (end > from + most_bytes)
			end = from + most_bytes;
		remote[n_remote].iov_base = (void *)(uintptr_t)at;
		remote[n_remote++].iov_len = end - at;
		at = end;
	}
	n_copied = syscall(SYS_process_vm_readv, (long)pid, &local, 1L, remote, n_remote, 0L);
	return n_copied > 0 ? (uint32_t)n_copied : 0;
}

bool client_stack_is_own(const struct client_thread *thread, uint64_t sp)
{
	return sp >= thread->stack_low && sp < thread->stack_high;
}

struct sigprof_stack client_stack_plan(const struct client_thread *thread, uint64_t sp,
				       bool is_alternate)
{
	const uint32_t asked_bytes = (uint32_t)client_options()->stack_bytes;
	const bool is_own = client_stack_is_own(thread, sp);
	const uint64_t used_bytes = is_own ? thread->stack_high - sp : 0;
	struct sigprof_stack stack = { .size_bytes = asked_bytes, .asked_bytes = asked_bytes };

	if (is_own && used_bytes <= asked_bytes)
		stack.size_bytes = (uint32_t)used_bytes;
	else if (asked_bytes < SIGPROF_STACK_MAX_BYTES)
		return stack;
	else if (is_own && used_bytes <= SIGPROF_STACK_MOST_BYTES &&
		 ring_is_half_free(thread, used_bytes))
		stack.size_bytes = (uint32_t)used_bytes;
	else if (is_own || (is_alternate && thread->stack_high))
		stack.top_bytes = SIGPROF_STACK_TOP_BYTES;
	if (stack.size_bytes > asked_bytes)
		stack.asked_bytes = SIGPROF_STACK_MOST_BYTES;
	if (is_own && stack.top_bytes > used_bytes - stack.size_bytes)
		stack.top_bytes = (uint32_t)(used_bytes - stack.size_bytes);
	stack.top = thread->stack_high - stack.top_bytes;
	return stack;
}

static uint32_t rounded(uint32_t size_bytes)
{
	return (size_bytes + 7U) & ~7U;
}

uint32_t client_stack_room(const struct sigprof_stack *stack)
{
	return rounded(stack->size_bytes) + rounded(stack->top_bytes);
}

/*
 * On another stack it is not known how much of the thread's own is in use, or there at all: less
 * and less of its end is tried.
 */
static void copy_top(const struct client_thread *thread, uint8_t *to, bool is_own,
		     struct sigprof_stack *stack)
{
	static const uint32_t lengths[] = { SIGPROF_STACK_TOP_BYTES, 24 << 10, 8 << 10, 4 << 10,
					    1 << 10 };

	if (is_own) {
		copy_words(to, (const void *)(uintptr_t)stack->top, stack->top_bytes);
		return;
	}
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		stack->top_bytes = lengths[i];
		stack->top = thread->stack_high - lengths[i];
		if (copy_foreign(to, stack->top, lengths[i], thread->pid) == lengths[i])
			return;
	}
	stack->top_bytes = 0;
}

void client_stack_copy(const struct client_thread *thread, uint8_t *to, uint64_t sp,
		       struct sigprof_stack *stack)
{
	const bool is_own = client_stack_is_own(thread, sp);

	if (!is_own && client_mode() != CLIENT_RUNS) {
		stack->size_bytes = stack->top_bytes = 0;
		return;
	}
	if (is_own)
		copy_words(to, (const void *)(uintptr_t)sp, stack->size_bytes);
	else
		stack->size_bytes = copy_foreign(to, sp, stack->size_bytes, thread->pid);
	if (stack->top_bytes)
		copy_top(thread, to + rounded(stack->size_bytes), is_own, stack);
}
