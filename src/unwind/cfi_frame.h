#ifndef TSPROF_UNWIND_CFI_FRAME_H
#define TSPROF_UNWIND_CFI_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "model/registers.h"

/* What the fast walk knows of a frame. */
struct cfi_frame {
	uint64_t pc;
	uint64_t sp;
	uint64_t fp;
	uint64_t link;	  /* aarch64: lr, meaningful in an exact frame only */
	bool is_exact;	  /* pc is where the thread was, not where a call returns to */
	bool is_switched; /* behind a signal frame: may be another stack than the dump's */
};

/* Code pointers without authentication codes and tags. */
static inline uint64_t cfi_code_address(enum arch arch, uint64_t ip)
{
	return arch == ARCH_X86_64 ? ip : ip & ((UINT64_C(1) << 48) - 1);
}

static inline struct cfi_frame cfi_frame_of(const struct registers *registers)
{
	return (struct cfi_frame){
		.pc = registers_pc(registers),
		.sp = registers_sp(registers),
		.fp = registers_fp(registers),
		.link = registers->arch == ARCH_AARCH64 ? registers->values[AARCH64_LR] : 0,
	};
}

/* The registers that a frame has, into all of them. */
static inline void cfi_frame_put(struct registers *registers, const struct cfi_frame *frame)
{
	const bool is_x86 = registers->arch == ARCH_X86_64;

	registers->values[is_x86 ? X86_64_RIP : AARCH64_PC] = frame->pc;
	registers->values[is_x86 ? X86_64_RSP : AARCH64_SP] = frame->sp;
	registers->values[is_x86 ? X86_64_RBP : AARCH64_FP] = frame->fp;
}

#endif
