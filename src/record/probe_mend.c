/*
 * The kernel maps one page for probes, [uprobes]: its first slot is the
 * trampoline to which traced functions return, the others hold copies of
 * instructions that are stepped (kernel/events/uprobes.c, UPROBE_XOL_SLOT_BYTES).
 *
 * On x86-64 the address that was replaced is where the stack pointer was at the
 * function's entry.  On aarch64 it was in the link register, and its place is
 * the function's choice: somewhere in its frame, which lies between the stack
 * pointer at its entry and that of the traced function that it called.
 */
#include "record/probe_mend.h"

#include <string.h>

#include "unwind/stack_dump.h"

enum {
	WORD_BYTES = sizeof(uint64_t),
	UPROBES_PAGE_BYTES = 4096,
	TRAMPOLINE_BYTES = 128,
	PUSHED_BYTES = 3 * WORD_BYTES, /* by the trampoline, see n_pushed */
};

static void set_pc_and_sp(struct raw_sample *sample, uint64_t pc, uint64_t sp)
{
	const bool is_x86 = sample->registers.arch == ARCH_X86_64;
	const uint64_t skipped = sp - registers_sp(&sample->registers);

	sample->registers.values[is_x86 ? X86_64_RIP : AARCH64_PC] = pc;
	if (skipped > sample->stack_size_bytes)
		return;
	sample->registers.values[is_x86 ? X86_64_RSP : AARCH64_SP] = sp;
	sample->stack_bytes += skipped;
	sample->stack_size_bytes -= skipped;
	sample->stack_asked_bytes -= skipped;
}

/* The stack pointer once the function has returned. */
static uint64_t sp_after(const struct raw_sample *sample, const struct probe_call *call)
{
	return sample->registers.arch == ARCH_X86_64 ? call->slot + WORD_BYTES : call->slot;
}

/*
 * How many words the trampoline has pushed when it is at this offset: rax, rcx and
 * r11, then it calls the kernel and pops them again (Linux 6.11).  Before, and on
 * aarch64, it was one break point.
 */
static uint64_t n_pushed(uint64_t offset)
{
	static const uint8_t words[] = { 0, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 1 };

	return offset < sizeof(words) ? words[offset] : 0;
}

/* Of functions that jumped to each other in place of returning, only the first knows where to. */
static const struct probe_call *returning_call(const struct raw_sample *sample,
					       const struct probe_thread *thread, uint64_t after,
					       uint64_t trampoline)
{
	for (size_t i = thread->n_open; i > 0 && sp_after(sample, &thread->open[i - 1]) <= after;
	     i--)
		if (sp_after(sample, &thread->open[i - 1]) == after &&
		    thread->open[i - 1].return_ip && thread->open[i - 1].return_ip != trampoline)
			return &thread->open[i - 1];
	return thread->ended.slot && sp_after(sample, &thread->ended) == after &&
			       thread->ended.return_ip != trampoline
		       ? &thread->ended
		       : NULL;
}

/* In the trampoline, or in the kernel on its behalf, which takes the words off meanwhile. */
static bool mend_returning(struct raw_sample *sample, const struct probe_thread *thread,
			   uint64_t offset, uint64_t trampoline)
{
	const uint64_t sp = registers_sp(&sample->registers);
	const struct probe_call *call;

	call = returning_call(sample, thread, sp + n_pushed(offset) * WORD_BYTES, trampoline);
	if (!call && sample->is_in_kernel)
		call = returning_call(sample, thread, sp, trampoline);
	if (call)
		set_pc_and_sp(sample, call->return_ip, sp_after(sample, call));
	return call != NULL;
}

/* The kernel has just put the address of the return in place, but not yet the stack pointer. */
static bool mend_returned(struct raw_sample *sample, const struct probe_thread *thread)
{
	const struct probe_call *call = &thread->ended;

	if (!sample->is_in_kernel || !call->slot ||
	    registers_pc(&sample->registers) != call->return_ip ||
	    registers_sp(&sample->registers) + PUSHED_BYTES != sp_after(sample, call))
		return false;
	set_pc_and_sp(sample, call->return_ip, sp_after(sample, call));
	return true;
}

/*
 * At the break point, before the hit was told: the processor points behind the
 * one byte of the break point, where a push would have been done already.
 */
static bool mend_arriving(struct raw_sample *sample, const struct probe_thread *thread)
{
	const uint64_t ip = registers_pc(&sample->registers) - 1;
	const uint64_t sp = registers_sp(&sample->registers);

	if (thread->last_ip == ip && sp + WORD_BYTES == thread->last_sp)
		return false;
	set_pc_and_sp(sample, ip, sp);
	return true;
}

/* The kernel carries out a push: the word is there, but the pc is still before it. */
static bool mend_pushing(struct raw_sample *sample, const struct probe_thread *thread)
{
	if (!sample->is_in_kernel || registers_pc(&sample->registers) != thread->last_ip ||
	    registers_sp(&sample->registers) + WORD_BYTES != thread->last_sp)
		return false;
	set_pc_and_sp(sample, thread->last_ip, thread->last_sp);
	return true;
}

bool probe_mend_registers(struct raw_sample *sample, const struct probe_thread *thread,
			  uint64_t trampoline, bool is_behind_probe)
{
	const uint64_t offset = registers_pc(&sample->registers) - trampoline;

	if (sample->registers.arch == ARCH_X86_64 && sample->is_in_kernel && is_behind_probe)
		return mend_arriving(sample, thread);
	if (!trampoline || offset >= UPROBES_PAGE_BYTES)
		return mend_returned(sample, thread) || mend_pushing(sample, thread);
	if (offset < TRAMPOLINE_BYTES)
		return mend_returning(sample, thread, offset, trampoline);
	if (thread->last_ip)
		set_pc_and_sp(sample, thread->last_ip, registers_sp(&sample->registers));
	return thread->last_ip != 0;
}

/*
 * Where in the dump the replaced address of the call may be: from `ret_from` up
 * to `ret_to`.  `i` is the call's index among the open ones.
 */
static void range_of(const struct raw_sample *sample, const struct probe_thread *thread, size_t i,
		     uint64_t *ret_from, uint64_t *ret_to)
{
	const uint64_t slot = thread->open[i].slot;

	if (sample->registers.arch == ARCH_X86_64) {
		*ret_from = slot;
		*ret_to = slot + WORD_BYTES;
		return;
	}
	*ret_from = i + 1 < thread->n_open ? thread->open[i + 1].slot
					   : registers_sp(&sample->registers);
	*ret_to = slot;
}

/* The next word of the call's range that is the trampoline; false when there is none. */
static bool find_replaced(const struct stack_dump *dump, uint64_t *at, uint64_t to,
			  uint64_t trampoline)
{
	uint64_t word;

	if (*at < dump->start)
		*at = dump->start + (WORD_BYTES - dump->start % WORD_BYTES) % WORD_BYTES;
	for (; *at < to && stack_dump_read(dump, *at, &word); *at += WORD_BYTES)
		if (word == trampoline)
			return true;
	return false;
}

/* A function that was jumped to returns to where the one that jumped there would have. */
static uint64_t return_ip_of(const struct probe_thread *thread, size_t i, uint64_t trampoline)
{
	uint64_t ip = thread->open[i].return_ip;

	while (ip == trampoline && i > 0 && thread->open[i - 1].slot == thread->open[i].slot)
		ip = thread->open[--i].return_ip;
	return ip;
}

bool probe_mend_is_needed(const struct raw_sample *sample, const struct probe_thread *thread,
			  uint64_t trampoline)
{
	const struct stack_dump dump = stack_dump_of(sample);

	if (sample->registers.arch == ARCH_AARCH64 &&
	    sample->registers.values[AARCH64_LR] == trampoline)
		return true;
	for (size_t i = 0; i < thread->n_open; i++) {
		uint64_t at;
		uint64_t to;

		range_of(sample, thread, i, &at, &to);
		if (find_replaced(&dump, &at, to, trampoline))
			return true;
	}
	return false;
}

void probe_mend_stack(struct raw_sample *sample, uint8_t *bytes, const struct probe_thread *thread,
		      uint64_t trampoline)
{
	const struct stack_dump dump = stack_dump_of(sample);

	for (size_t i = thread->n_open; i > 0; i--) {
		const uint64_t ip = return_ip_of(thread, i - 1, trampoline);
		uint64_t at;
		uint64_t to;

		range_of(sample, thread, i - 1, &at, &to);
		for (; ip && find_replaced(&dump, &at, to, trampoline); at += WORD_BYTES)
			memcpy(bytes + (stack_dump_at(&dump, at) - sample->stack_bytes), &ip,
			       sizeof(ip));
	}
	if (sample->registers.arch == ARCH_AARCH64 && thread->n_open &&
	    sample->registers.values[AARCH64_LR] == trampoline)
		sample->registers.values[AARCH64_LR] = return_ip_of(thread, thread->n_open - 1,
								    trampoline);
}
