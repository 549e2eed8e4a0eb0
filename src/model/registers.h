#ifndef TSPROF_MODEL_REGISTERS_H
#define TSPROF_MODEL_REGISTERS_H

#include <stdint.h>

/*
 * The user registers of one sample, numbered as DWARF numbers them, because
 * that is what call frame information speaks of: on x86-64 (System V psABI
 * 3.6.2) 6 is rbp, 7 rsp, 16 the return address column; on aarch64 (AADWARF64)
 * 29 is the frame pointer, 30 lr, 31 sp, and we put the pc at 32.
 */
enum arch {
	ARCH_X86_64 = 1,
	ARCH_AARCH64 = 2,
};

enum {
	X86_64_RBX = 3,
	X86_64_RBP = 6,
	X86_64_RSP = 7,
	X86_64_RIP = 16,
	X86_64_N_REGISTERS = 17,

	AARCH64_FP = 29,
	AARCH64_LR = 30,
	AARCH64_SP = 31,
	AARCH64_PC = 32,
	AARCH64_N_REGISTERS = 33,

	REGISTERS_MAX = 33,
};

struct registers {
	enum arch arch;
	uint64_t values[REGISTERS_MAX];
};

/* The architecture that this tsprof was built for, the only one it samples. */
#if defined(__x86_64__)
#define ARCH_NATIVE ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_NATIVE ARCH_AARCH64
#else
#error "tsprof supports x86-64 and aarch64"
#endif

static inline uint64_t registers_pc(const struct registers *registers)
{
	return registers->values[registers->arch == ARCH_X86_64 ? X86_64_RIP : AARCH64_PC];
}

static inline uint64_t registers_sp(const struct registers *registers)
{
	return registers->values[registers->arch == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP];
}

static inline uint64_t registers_fp(const struct registers *registers)
{
	return registers->values[registers->arch == ARCH_X86_64 ? X86_64_RBP : AARCH64_FP];
}

#endif
