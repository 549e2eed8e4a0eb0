/*
 * What runs at a tick: registers and the used part of the stack go into the
 * thread's ring, nothing else.  There is no system call, but for the CPU time where
 * a timer ticks, and for a stack whose end is not known: clock_gettime and
 * sched_getcpu are answered by the vDSO and by what the kernel keeps up to date.
 */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/sigprof_client.h"

enum { N_REGISTERS = SIGPROF_N_REGISTERS };
enum { NS_PER_SECOND = 1000000000 };

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

/*
 * From a stack whose end nobody told us (of a coroutine, or an alternate one):
 * page by page, up to the first that is not there.
 */
static uint32_t copy_foreign_stack(uint8_t *to, uint64_t sp, uint32_t most_bytes, uint32_t pid)
{
	struct iovec remote[SIGPROF_STACK_MAX_BYTES / SIGPROF_PAGE_BYTES + 2];
	struct iovec local = { .iov_base = to, .iov_len = most_bytes };
	unsigned long n_remote = 0;
	uint64_t at = sp;
	long n_copied;

	while (at < sp + most_bytes) {
		uint64_t end = (at | (SIGPROF_PAGE_BYTES - 1)) + 1;

		if (end > sp + most_bytes)
			end = sp + most_bytes;
		remote[n_remote].iov_base = (void *)(uintptr_t)at;
		remote[n_remote++].iov_len = end - at;
		at = end;
	}
	n_copied = syscall(SYS_process_vm_readv, (long)pid, &local, 1L, remote, n_remote, 0L);
	return n_copied > 0 ? (uint32_t)n_copied : 0;
}

static bool is_own_stack(const struct client_thread *thread, uint64_t sp)
{
	return sp >= thread->stack_low && sp < thread->stack_high;
}

uint32_t client_stack_bytes(const struct client_thread *thread, uint64_t sp, uint32_t most_bytes)
{
	const uint64_t used_bytes = is_own_stack(thread, sp) ? thread->stack_high - sp : most_bytes;

	return used_bytes < most_bytes ? (uint32_t)used_bytes : most_bytes;
}

uint32_t client_stack_copy(const struct client_thread *thread, uint8_t *to, uint64_t sp,
			   uint32_t size_bytes)
{
	if (!is_own_stack(thread, sp))
		return client_mode() == CLIENT_RUNS
			       ? copy_foreign_stack(to, sp, size_bytes, thread->pid)
			       : 0;
	copy_words(to, (const void *)(uintptr_t)sp, size_bytes);
	return size_bytes;
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

static void take_sample(struct client_thread *thread, const ucontext_t *context)
{
	const uint32_t most_bytes = (uint32_t)client_options()->stack_bytes;
	const uint64_t sp = stack_pointer(context);
	uint32_t stack_bytes = client_stack_bytes(thread, sp, most_bytes);
	const uint32_t fixed_bytes = (uint32_t)sizeof(struct sigprof_sample) + N_REGISTERS * 8;
	struct sigprof_sample *sample;
	uint8_t *stack;

	sample = ring_reserve(thread, (fixed_bytes + stack_bytes + 15U) & ~15U);
	if (!sample) {
		atomic_fetch_add_explicit(&thread->slot->n_lost, 1, memory_order_relaxed);
		return;
	}
	stack = (uint8_t *)sample + fixed_bytes;
	stack_bytes = client_stack_copy(thread, stack, sp, stack_bytes);
	(void)copy_registers((uint64_t *)(sample + 1), context);
	sample->header.size_bytes = (fixed_bytes + stack_bytes + 15U) & ~15U;
	sample->header.kind = SIGPROF_RECORD_SAMPLE;
	sample->header.flags = is_own_stack(thread, sp) ? 0 : SIGPROF_SAMPLE_OTHER_STACK;
	sample->header.time_ns = client_time_ns();
	sample->cpu_ns = next_cpu_ns(thread);
	sample->waited_ns = thread->waited_ns;
	sample->cpu = (uint32_t)sched_getcpu();
	sample->n_registers = N_REGISTERS;
	sample->stack_bytes = stack_bytes;
	sample->stack_asked_bytes = most_bytes;
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
