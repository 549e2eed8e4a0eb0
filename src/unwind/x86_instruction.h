#ifndef TSPROF_UNWIND_X86_INSTRUCTION_H
#define TSPROF_UNWIND_X86_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One instruction of x86-64, as far as it has to be known where the next one begins and
 * what becomes of the stack pointer.  Source: Intel SDM volume 2, chapter 2 and appendix A.
 */
enum x86_map {
	X86_MAP_ONE,   /* opcodes of one byte */
	X86_MAP_0F,    /* 0f … */
	X86_MAP_0F38,  /* 0f 38 … */
	X86_MAP_0F3A,  /* 0f 3a … */
	X86_MAP_OTHER, /* what only vectors and masks have */
};

enum { X86_INSTRUCTION_MAX_BYTES = 15, X86_NO_REGISTER = 16 };

struct x86_instruction {
	size_t size_bytes;
	enum x86_map map;
	uint8_t opcode;
	bool is_vector; /* by VEX or EVEX: writes no general register, but for a few */
	bool is_wide;	/* REX.W: operands of 64 bits */
	bool is_short;	/* 66: of 16 bits */
	bool has_rex;	/* without it the bytes 4 to 7 are those of ah, ch, dh and bh */
	uint8_t repeat; /* f2, f3 or what vectors have in their place; 0: neither */
	bool has_modrm;
	uint8_t mode;  /* of ModRM: 3 for a register, else memory */
	uint8_t reg;   /* of ModRM, with REX.R: a register, or the low three bits more of opcode */
	uint8_t rm;    /* with REX.B: the register when mode is 3, or without ModRM */
	uint8_t third; /* the register that only vectors' prefixes name */
	uint8_t base;  /* of the memory operand; X86_NO_REGISTER: none */
	bool has_index;
	bool has_segment;	/* fs or gs, which begin somewhere */
	bool has_short_address; /* 67: addresses of 32 bits */
	bool is_relative;	/* the memory operand is an offset from the next instruction */
	int32_t displacement;
	int64_t immediate; /* also a jump's */
};

/* Bit n of the m-th word: opcode 0xmn. */
static inline bool x86_opcode_is_in(const uint16_t table[16], uint8_t opcode)
{
	return table[opcode >> 4] >> (opcode & 15) & 1;
}

/* False for what is no instruction, or has no end within `n_bytes`. */
bool x86_instruction_read(struct x86_instruction *instruction, const uint8_t *bytes,
			  size_t n_bytes);

#endif
