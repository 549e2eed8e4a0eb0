/* Registers and stack as a signal handler sees them. */
#include "own_stack.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

extern char **environ;

static struct own_stack *wanted; /* by the handler, which can be told nothing */

static void capture_registers(struct registers *registers, const ucontext_t *context)
{
	registers->arch = ARCH_NATIVE;
#if defined(__x86_64__)
	static const int indices[] = { REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
				       REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
				       REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP };

	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++)
		registers->values[i] = (uint64_t)context->uc_mcontext.gregs[indices[i]];
#else
	for (size_t i = 0; i < 31; i++)
		registers->values[i] = context->uc_mcontext.regs[i];
	registers->values[AARCH64_SP] = context->uc_mcontext.sp;
	registers->values[AARCH64_PC] = context->uc_mcontext.pc;
#endif
}

/* By hand: AddressSanitizer would object to reading its own red zones. */
__attribute__((no_sanitize("address"))) static void copy_stack(uint8_t *to, uint64_t sp,
							       size_t size)
{
	const volatile uint8_t *from = (const volatile uint8_t *)(uintptr_t)sp;

	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
}

static void handle_signal(int signal_number, siginfo_t *info, void *context)
{
	struct raw_sample *sample = &wanted->sample;
	size_t size = OWN_STACK_MAX_BYTES;
	uint64_t sp;

	(void)signal_number;
	(void)info;
	capture_registers(&sample->registers, context);
	sp = registers_sp(&sample->registers);
	if ((uintptr_t)environ - sp < size)
		size = (uintptr_t)environ - sp;
	copy_stack(wanted->bytes, sp, size);
	sample->has_registers = true;
	sample->stack_bytes = wanted->bytes;
	sample->stack_size_bytes = size;
	sample->stack_asked_bytes = OWN_STACK_MAX_BYTES;
}

void own_stack_capture(struct own_stack *stack)
{
	struct sigaction action = { .sa_sigaction = handle_signal, .sa_flags = SA_SIGINFO };

	memset(&stack->sample, 0, sizeof(stack->sample));
	wanted = stack;
	(void)sigaction(SIGUSR1, &action, NULL);
	(void)raise(SIGUSR1);
}
