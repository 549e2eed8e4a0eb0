/*
 * What runs at a tick: registers and the used part of the stack go into the
 * thread's ring, nothing else.  There is no system call, but for the CPU time where
 * a timer ticks, and for a stack whose end is not known: clock_gettime and
 * sched_getcpu are answered by the vDSO and by what the kernel keeps up to date.
 */
#include <errno.h>
#include <sched.h>
#include <time.h>
#include <ucontext.h>

#include "lib/sigprof_client.h"
#include "lib/stack_copy.h"

enum {
	N_REGISTERS = SIGPROF_N_REGISTERS,
	NS_PER_SECOND = 1000000000,
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t client_time_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t client_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* System V psABI, figure 3.36; AADWARF64, 4.1. */
static uint64_t copy_registers(uint64_t *to, const ucontext_t *context)
{
#if defined(__x86_64__)
	static const uint8_t greg_of[N_REGISTERS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};

	for (unsigned int i = 0; i < N_REGISTERS; i++)
		to[i] = (uint64_t)context->uc_mcontext.gregs[greg_of[i]];
	return (uint64_t)context->uc_mcontext.gregs[REG_RSP];
#else
	for (unsigned int i = 0; i < 31; i++)
		to[i] = context->uc_mcontext.regs[i];
	to[31] = context->uc_mcontext.sp;
	to[32] = context->uc_mcontext.pc;
	return context->uc_mcontext.sp;
#endif
}

static uint64_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uint64_t)context->uc_mcontext.gregs[REG_RSP];
#else
	return context->uc_mcontext.sp;
#endif
}

/* Where no call may be made, a tick is taken to be one period. */
static uint64_t next_cpu_ns(struct client_thread *thread)
{
	if (thread_trigger_cpu_ns(&thread->trigger, &thread->cpu_ns))
		return thread->cpu_ns;
	if (client_mode() == CLIENT_RUNS)
		thread->cpu_ns = client_cpu_ns();
	else
		thread->cpu_ns += client_options()->period_ns;
	return thread->cpu_ns;
}

/* Handlers of the program's may be there. */
static bool is_on_alternate(const ucontext_t *context, uint64_t sp)
{
	const stack_t *stack = &context->uc_stack;

	return !(stack->ss_flags & SS_DISABLE) && sp - (uintptr_t)stack->ss_sp < stack->ss_size;
}

static void take_sample(struct client_thread *thread, const ucontext_t *context)
{
	const uint64_t sp = stack_pointer(context);
	const uint32_t fixed_bytes = (uint32_t)sizeof(struct sigprof_sample) + N_REGISTERS * 8;
	struct sigprof_stack stack = client_stack_plan(thread, sp, is_on_alternate(context, sp));
	struct sigprof_sample *sample;

	sample = ring_reserve(thread, (fixed_bytes + client_stack_room(&stack) + 15U) & ~15U);
	if (!sample) {
		atomic_fetch_add_explicit(&thread->slot->n_lost, 1, memory_order_relaxed);
		return;
	}
	client_stack_copy(thread, (uint8_t *)sample + fixed_bytes, sp, &stack);
	(void)copy_registers((uint64_t *)(sample + 1), context);
	sample->header.size_bytes = (fixed_bytes + client_stack_room(&stack) + 15U) & ~15U;
	sample->header.kind = SIGPROF_RECORD_SAMPLE;
	sample->header.flags = client_stack_is_own(thread, sp) ? 0 : SIGPROF_SAMPLE_OTHER_STACK;
	sample->header.time_ns = client_time_ns();
	sample->cpu_ns = next_cpu_ns(thread);
	sample->waited_ns = thread->waited_ns;
	sample->cpu = (uint32_t)sched_getcpu();
	sample->n_registers = N_REGISTERS;
	sample->stack = stack;
	ring_commit(thread, sample->header.size_bytes);
}

void client_handle_tick(void *context)
{
	struct client_thread *thread = &client_thread;
	const int saved_errno = errno;

	if (!thread->slot)
		goto out;
	if (client_mode() == CLIENT_IS_OFF) {
		thread->slot = NULL;
		thread_trigger_stop(&thread->trigger);
		goto out;
	}
	if (atomic_load_explicit(&thread->segment->is_stopped, memory_order_relaxed))
		thread_trigger_stop(&thread->trigger);
	else if (!thread->is_busy)
		take_sample(thread, context);
out:
	errno = saved_errno;
}
