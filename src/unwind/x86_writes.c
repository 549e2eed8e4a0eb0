#include "unwind/x86_writes.h"

#include <stdbool.h>

enum {
	RAX = 1 << 0,
	RCX = 1 << 1,
	RDX = 1 << 2,
	RBX = 1 << 3,
	RSI = 1 << 6,
	RDI = 1 << 7,
	R11 = 1 << 11,
	REPEAT = 0xf3,
};

static uint32_t bit(unsigned int number)
{
	return UINT32_C(1) << (number & 15);
}

static uint32_t byte_of(const struct x86_instruction *instruction, uint8_t number)
{
	return bit(!instruction->has_rex && number < 8 ? number & 3 : number);
}

static uint32_t reg_of(const struct x86_instruction *instruction, bool is_byte)
{
	return is_byte ? byte_of(instruction, instruction->reg) : bit(instruction->reg);
}

/* Nothing where it is memory. */
static uint32_t rm_of(const struct x86_instruction *instruction, bool is_byte)
{
	if (instruction->mode != 3)
		return 0;
	return is_byte ? byte_of(instruction, instruction->rm) : bit(instruction->rm);
}

/* 00 to 3f: add, or, adc, sbb, and, sub, xor, cmp in six forms each. */
static uint32_t arithmetic(const struct x86_instruction *instruction)
{
	const uint8_t form = instruction->opcode & 7;
	const bool is_byte = !(form & 1);

	if (instruction->opcode >= 0x38)
		return 0;
	if (form >= 4)
		return RAX;
	return form & 2 ? reg_of(instruction, is_byte) : rm_of(instruction, is_byte);
}

/* 80 to 8f, but lea and pop. */
static uint32_t moves(const struct x86_instruction *instruction)
{
	const bool is_byte = !(instruction->opcode & 1);

	switch (instruction->opcode) {
	case 0x80:
	case 0x81:
	case 0x83:
		return (instruction->reg & 7) == 7 ? 0 : rm_of(instruction, is_byte);
	case 0x86:
	case 0x87:
		return rm_of(instruction, is_byte) | reg_of(instruction, is_byte);
	case 0x88:
	case 0x89:
		return rm_of(instruction, is_byte);
	case 0x8a:
	case 0x8b:
		return reg_of(instruction, is_byte);
	case 0x8c:
		return rm_of(instruction, false);
	default:
		return 0;
	}
}

/* c0 to ff: shifts, constants, and groups that have a part of their opcode in reg. */
static uint32_t groups(const struct x86_instruction *instruction)
{
	const uint8_t operation = instruction->reg & 7;
	const uint32_t rm = rm_of(instruction, !(instruction->opcode & 1));

	switch (instruction->opcode) {
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return rm;
	case 0xd7: /* xlat, what x87 compared, in */
	case 0xdf:
	case 0xe4:
	case 0xe5:
	case 0xec:
	case 0xed:
		return RAX;
	case 0xe0: /* loops */
	case 0xe1:
	case 0xe2:
		return RCX;
	case 0xf6: /* test, not and neg, products and quotients */
	case 0xf7:
		if (operation < 2)
			return 0;
		return operation < 4 ? rm : RAX | RDX;
	case 0xfe:
	case 0xff:
		return operation < 2 ? rm : 0;
	default:
		return 0;
	}
}

static uint32_t writes_of_one(const struct x86_instruction *instruction)
{
	const uint8_t opcode = instruction->opcode;

	if (opcode < 0x40)
		return arithmetic(instruction);
	if (opcode == 0x63 || opcode == 0x69 || opcode == 0x6b || opcode == 0x8d)
		return bit(instruction->reg);
	if (opcode >= 0x6c && opcode <= 0x6f)
		return RSI | RDI | RCX;
	if ((opcode & 0xf0) == 0x80)
		return moves(instruction);
	if (opcode >= 0x90 && opcode <= 0x97)
		return instruction->rm ? RAX | bit(instruction->rm) : 0;
	if (opcode == 0x99)
		return RDX;
	if (opcode == 0x98 || opcode == 0x9f || opcode == 0xa0 || opcode == 0xa1)
		return RAX;
	if (opcode >= 0xa4 && opcode <= 0xaf && opcode != 0xa8 && opcode != 0xa9)
		return RSI | RDI | RCX | RAX;
	if ((opcode & 0xf8) == 0xb0)
		return byte_of(instruction, instruction->rm);
	if ((opcode & 0xf8) == 0xb8)
		return bit(instruction->rm);
	return opcode >= 0xc0 ? groups(instruction) : 0;
}

/* By x86_opcode_is_in: 0f mn writes reg; 0f mn writes rm, the sets of conditions as bytes. */
static const uint16_t two_writes_reg[16] = {
	0x000c, 0, 0x3000, 0, 0xffff, 0x0001, 0, 0, 0, 0, 0x8000, 0xf1c0, 0x0023, 0x0080, 0, 0,
};
static const uint16_t two_writes_rm[16] = {
	0, 0, 0x0003, 0, 0, 0, 0, 0x4000, 0, 0xffff, 0x7830, 0x0c0b, 0x0083, 0, 0, 0,
};
/* With the prefixes of vectors, where 41 to 4b and 90 to 99 are of masks. */
static const uint16_t vector_writes_reg[16] = {
	0, 0, 0x3000, 0, 0, 0x0001, 0, 0x0300, 0, 0x0008, 0, 0, 0x0020, 0x0080, 0, 0,
};

/* Those that have their registers without naming them. */
static uint32_t two_writes_always(const struct x86_instruction *instruction)
{
	switch (instruction->opcode) {
	case 0x01: /* xgetbv, rdtscp, monitors */
		return instruction->mode == 3 ? RAX | RCX | RDX : 0;
	case 0x05: /* syscall */
		return RAX | RCX | R11;
	case 0x31: /* rdtsc, rdmsr, rdpmc, cmpxchg8b */
	case 0x32:
	case 0x33:
	case 0xc7:
		return RAX | RDX;
	case 0xa2: /* cpuid */
		return RAX | RBX | RCX | RDX;
	case 0xb0: /* cmpxchg */
	case 0xb1:
		return RAX;
	default:
		return 0;
	}
}

static uint32_t writes_of_two(const struct x86_instruction *instruction)
{
	const uint8_t opcode = instruction->opcode;
	const bool is_byte = (opcode & 0xf0) == 0x90 || opcode == 0xb0 || opcode == 0xc0;
	uint32_t written = two_writes_always(instruction);

	if ((opcode & 0xf8) == 0xc8)
		return bit(instruction->rm);
	if (x86_opcode_is_in(two_writes_reg, opcode))
		written |= reg_of(instruction, opcode == 0xc0);
	/* But movq between vectors, and bt; shadow stacks are read by what is a nop else. */
	if (x86_opcode_is_in(two_writes_rm, opcode) &&
	    !(opcode == 0x7e && instruction->repeat == REPEAT) &&
	    !(opcode == 0xba && (instruction->reg & 7) == 4))
		written |= rm_of(instruction, is_byte);
	if (opcode == 0x1e && instruction->repeat == REPEAT && (instruction->reg & 7) == 1)
		written |= rm_of(instruction, false);
	return written;
}

/* Moves from vectors and masks to general registers. */
static uint32_t writes_of_vectors(const struct x86_instruction *instruction)
{
	if (x86_opcode_is_in(vector_writes_reg, instruction->opcode))
		return bit(instruction->reg);
	if (instruction->opcode == 0x7e && instruction->repeat != REPEAT)
		return rm_of(instruction, false);
	return 0;
}

/* Bit fields and products with three registers. */
static uint32_t writes_of_bits(const struct x86_instruction *instruction)
{
	if (instruction->opcode < 0xe0)
		return 0;
	if (instruction->opcode == 0xf3)
		return bit(instruction->third);
	return bit(instruction->reg) | (instruction->opcode == 0xf6 ? bit(instruction->third) : 0);
}

uint32_t x86_instruction_writes(const struct x86_instruction *instruction)
{
	const uint8_t opcode = instruction->opcode;

	switch (instruction->map) {
	case X86_MAP_ONE:
		return writes_of_one(instruction);
	case X86_MAP_0F:
		return instruction->is_vector ? writes_of_vectors(instruction)
					      : writes_of_two(instruction);
	case X86_MAP_0F38:
		return instruction->is_vector ? writes_of_bits(instruction)
		       : opcode >= 0xf0	      ? bit(instruction->reg)
					      : 0;
	case X86_MAP_0F3A:
		/* pextr and its like, rorx, comparisons of strings */
		if (opcode >= 0x14 && opcode <= 0x17)
			return rm_of(instruction, false);
		if (instruction->is_vector && opcode == 0xf0)
			return bit(instruction->reg);
		return opcode == 0x61 || opcode == 0x63 ? RCX : 0;
	case X86_MAP_OTHER:
		return writes_of_vectors(instruction);
	}
	return 0;
}
