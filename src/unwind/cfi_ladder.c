/*
 * Guesses that are checked.  A wrong caller is worse than a stack that says it is cut, so
 * whatever fails its test ends the walk.
 */
#include "unwind/cfi_ladder.h"

#include "unwind/cfi_search.h"

enum {
	ENTRY_MAX_ARGUMENTS = 1 << 16,
	STACK_USUAL_BYTES = 8 << 20, /* ulimit -s */

	/* On x86-64 rt_sigframe has ucontext behind the popped return address, and its
	 * gregs at 40 (asm/sigcontext.h). */
	X86_GREGS_AT = 40,
	/* aarch64: siginfo (128), ucontext up to its mcontext (176), fault_address (8). */
	AARCH64_REGS_AT = 128 + 176 + 8,

	/* A stale lr points back into its own function: take no lr this near. */
	AARCH64_OWN_FUNCTION_BYTES = 4096,
};

/* How sure it is that an address was pushed by a call. */
enum proof { PROOF_NONE, PROOF_MAPPED, PROOF_CALL };

static enum proof return_proof(struct cfi_cache_context *context, uint64_t ip)
{
	struct cfi_entry *entry = ip ? cfi_cache_get(context, ip - 1) : NULL;

	if (!entry)
		return PROOF_NONE;
	/* The kernel has a handler return there, and Go its goroutines, behind no call. */
	if (entry->rule.kind == CFI_RULE_SIGNAL || entry->rule.kind == CFI_RULE_END)
		return PROOF_CALL;
	if (!(entry->rule.flags & CFI_RULE_HAS_LOOKED))
		cfi_cache_look(context, entry);
	if (entry->rule.flags & CFI_RULE_AFTER_CALL)
		return PROOF_CALL;
	return entry->rule.flags & CFI_RULE_NO_CODE ? PROOF_MAPPED : PROOF_NONE;
}

bool cfi_ladder_is_return(struct cfi_cache_context *context, uint64_t ip)
{
	return return_proof(context, ip) != PROOF_NONE;
}

bool cfi_ladder_is_behind_call(struct cfi_cache_context *context, uint64_t ip)
{
	return return_proof(context, ip) == PROOF_CALL;
}

bool cfi_ladder_is_planted(struct cfi_cache_context *context, const struct cfi_frame *frame,
			   struct cfi_entry *entry)
{
	const struct mapping *mapping;
	struct cfi_tables *tables;
	struct cfi_fde fde;

	if (frame->is_exact || entry->rule.kind != CFI_RULE_NONE)
		return false;
	mapping = address_space_find(&context->process->space, frame->pc);
	tables = cfi_modules_get(context, entry->module);
	if (!mapping || mapping->module != entry->module || !tables ||
	    cfi_tables_find(tables, frame->pc - mapping->bias, &fde) < 0 ||
	    fde.start != frame->pc - mapping->bias || fde.is_signal)
		return false;
	cfi_cache_look(context, entry);
	return !(entry->rule.flags & (CFI_RULE_AFTER_CALL | CFI_RULE_NO_CODE));
}

/* The kernel starts a program with argc at sp, then argv and a NULL (psABI 3.4.1). */
static bool is_argument_count(const struct stack_dump *dump, uint64_t address)
{
	uint64_t count;
	uint64_t word;

	if (!stack_dump_read(dump, address, &count) || count > ENTRY_MAX_ARGUMENTS)
		return false;
	for (uint64_t i = 1; i <= count; i++) {
		if (!stack_dump_read(dump, address + i * 8, &word))
			return i > 1; /* argv reaches beyond the dump */
		if (word <= address)
			return false;
	}
	return count && stack_dump_read(dump, address + (count + 1) * 8, &word) && word == 0;
}

bool cfi_ladder_is_arguments(const struct stack_dump *dump, uint64_t sp)
{
	/* Entry code may have aligned sp and pushed a word or two. */
	return sp % 8 == 0 && (is_argument_count(dump, sp) || is_argument_count(dump, sp + 8) ||
			       is_argument_count(dump, sp + 16));
}

static bool leaf_return(const struct cfi_cache_context *context, const struct stack_dump *dump,
			const struct cfi_frame *frame, uint64_t *ret_ip)
{
	if (context->arch == ARCH_X86_64)
		return frame->sp % 8 == 0 && stack_dump_read(dump, frame->sp, ret_ip);
	*ret_ip = cfi_code_address(context->arch, frame->link);
	return *ret_ip + AARCH64_OWN_FUNCTION_BYTES < frame->pc ||
	       *ret_ip > frame->pc + AARCH64_OWN_FUNCTION_BYTES;
}

static void leaf_take(const struct cfi_cache_context *context, struct cfi_frame *frame, uint64_t ip)
{
	frame->pc = ip;
	if (context->arch == ARCH_X86_64)
		frame->sp += 8;
	frame->is_exact = false;
}

/* Whether a frame record may be there: in code of no chain fp is anything. */
static bool is_cut(const struct stack_dump *dump, uint64_t fp)
{
	if (dump->n_top_word_bytes)
		return fp < dump->top_start;
	return dump->size_bytes && dump->size_bytes >= dump->asked_bytes &&
	       fp - dump->start < STACK_USUAL_BYTES;
}

static enum cfi_ladder_step climb_chain(struct cfi_cache_context *context,
					const struct stack_dump *dump, struct cfi_frame *frame)
{
	uint64_t fp;
	uint64_t ip;

	if (frame->fp % 8 != 0 || frame->fp < frame->sp)
		return CFI_LADDER_LOST;
	if (!stack_dump_read(dump, frame->fp, &fp) || !stack_dump_read(dump, frame->fp + 8, &ip))
		return is_cut(dump, frame->fp) ? CFI_LADDER_CUT : CFI_LADDER_LOST;
	ip = cfi_code_address(context->arch, ip);
	if (fp == 0 && ip == 0)
		return CFI_LADDER_ROOT;
	if (return_proof(context, ip) == PROOF_NONE)
		return CFI_LADDER_LOST;
	frame->sp = frame->fp + 16;
	frame->fp = fp;
	frame->pc = ip;
	frame->is_exact = false;
	return CFI_LADDER_FOUND;
}

enum cfi_ladder_step cfi_ladder_climb(struct cfi_cache_context *context,
				      const struct stack_dump *dump, struct cfi_frame *frame)
{
	const bool is_endless = cfi_search_is_endless(context, frame);
	enum cfi_ladder_step step;
	enum proof proof = PROOF_NONE;
	uint64_t leaf = 0;

	if (is_endless && cfi_search_caller(context, dump, frame))
		return CFI_LADDER_FOUND;
	if (!frame->is_switched && cfi_ladder_is_arguments(dump, frame->sp))
		return CFI_LADDER_ROOT;
	if (frame->is_exact && leaf_return(context, dump, frame, &leaf))
		proof = return_proof(context, leaf);
	if (proof == PROOF_CALL) {
		leaf_take(context, frame, leaf);
		return CFI_LADDER_FOUND;
	}
	step = climb_chain(context, dump, frame);
	if ((step == CFI_LADDER_LOST || step == CFI_LADDER_CUT) && proof == PROOF_MAPPED) {
		leaf_take(context, frame, leaf);
		return CFI_LADDER_FOUND;
	}
	if (step == CFI_LADDER_LOST && !is_endless && cfi_search_caller(context, dump, frame))
		return CFI_LADDER_FOUND;
	return step;
}

static bool x86_signal_registers(const struct stack_dump *dump, uint64_t sp,
				 struct registers *registers)
{
	/* gregs[]: r8 to r15, then these (sys/ucontext.h). */
	static const uint8_t numbers[] = {
		8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16
	};

	for (size_t i = 0; i < sizeof(numbers); i++) {
		if (!stack_dump_read(dump, sp + X86_GREGS_AT + i * 8,
				     &registers->values[numbers[i]]))
			return false;
	}
	return true;
}

static bool aarch64_signal_registers(const struct stack_dump *dump, uint64_t sp,
				     struct registers *registers)
{
	/* x0 to x30, sp and pc: numbered as DWARF and we do. */
	for (size_t i = 0; i < AARCH64_N_REGISTERS; i++) {
		if (!stack_dump_read(dump, sp + AARCH64_REGS_AT + i * 8, &registers->values[i]))
			return false;
	}
	return true;
}

bool cfi_signal_registers(const struct stack_dump *dump, enum arch arch, uint64_t sp,
			  struct registers *ret_registers)
{
	struct registers registers = { .arch = arch };
	const bool is_read = arch == ARCH_X86_64 ? x86_signal_registers(dump, sp, &registers)
						 : aarch64_signal_registers(dump, sp, &registers);

	if (is_read)
		*ret_registers = registers;
	return is_read;
}
