/*
 * What instructions of aarch64 do to the stack pointer, and where the registers come from
 * that a function preserves (Arm ARM, C4.1; the procedure call standard, 6.1).
 */
#include "unwind/code_state.h"

#include <string.h>

enum {
	FIRST_PRESERVED = 19,
	VENEER_1 = 16, /* what linkers and tail calls jump by */
	VENEER_2 = 17,
	INSTRUCTION_BYTES = 4,
	TAGGED_BYTES = 16, /* that share a tag */
	FUNCTION_ALIGNMENT = 16,
	NOPS_MAX_BYTES = 64, /* more are no padding */
	WORD_BYTES = 8,
};

static const uint32_t NOP = 0xd503201f;

static const struct code_value unknown = { .kind = CODE_UNKNOWN };

static uint32_t bits(uint32_t instruction, unsigned int from, unsigned int n)
{
	return instruction >> from & ((UINT32_C(1) << n) - 1);
}

static int64_t signed_bits(uint32_t instruction, unsigned int from, unsigned int n)
{
	const int64_t sign = INT64_C(1) << (n - 1);

	return ((int64_t)bits(instruction, from, n) ^ sign) - sign;
}

static bool is(uint32_t instruction, uint32_t mask, uint32_t pattern)
{
	return (instruction & mask) == pattern;
}

/* 31 is the register of zeros. */
static struct code_value get(const struct code_state *state, uint32_t number)
{
	return number == AARCH64_SP ? unknown : state->registers[number];
}

static void set(struct code_state *state, uint32_t number, struct code_value value)
{
	if (number != AARCH64_SP)
		state->registers[number] = value;
}

/* A result in the bits from `at` on. */
static void forget(struct code_state *state, uint32_t instruction, unsigned int at)
{
	set(state, bits(instruction, at, 5), unknown);
}

static void call(struct code_state *state)
{
	for (uint32_t i = 0; i < FIRST_PRESERVED; i++)
		set(state, i, unknown);
	set(state, AARCH64_LR, unknown);
}

/* One or two registers and where they are; before or behind it the base moves. */
struct access {
	uint8_t base; /* 31 is sp */
	int64_t at;
	int64_t by; /* the base is moved so far afterwards */
	bool is_load;
	bool is_word;	/* of 64 bits; else what was loaded is not followed */
	unsigned int n; /* of general registers */
	uint32_t numbers[2];
};

static bool access_registers(struct code_state *state, const struct access *access)
{
	bool is_possible = true;

	for (unsigned int i = 0; i < access->n; i++) {
		const struct code_value address =
			code_state_sum(state, access->base, access->at + (int64_t)i * WORD_BYTES);

		if (access->is_load)
			set(state, access->numbers[i],
			    access->is_word ? code_state_load(state, address) : unknown);
		else if (access->is_word)
			is_possible &= code_state_store(state, address,
							get(state, access->numbers[i]));
	}
	if (access->by)
		state->registers[access->base] = code_state_sum(state, access->base, access->by);
	return is_possible;
}

/* ldp, stp and their like; vectors only move the base. */
static bool step_pair(struct code_state *state, uint32_t instruction)
{
	static const int64_t vector_bytes[] = { 4, 8, 16, 0 };
	const bool is_vector = bits(instruction, 26, 1);
	const uint32_t size = bits(instruction, 30, 2);
	const uint32_t index = bits(instruction, 23, 2);
	const bool is_load = bits(instruction, 22, 1);
	/* Where a load would extend the sign, the store has tags of memory beside it. */
	const int64_t scale = is_vector		      ? vector_bytes[size]
			      : size == 1 && !is_load ? TAGGED_BYTES
			      : size & 2	      ? 8
						      : 4;
	const int64_t offset = signed_bits(instruction, 15, 7) * scale;
	const struct access access = {
		.base = (uint8_t)bits(instruction, 5, 5),
		.at = index == 1 ? 0 : offset,
		.by = index & 1 ? offset : 0,
		.is_load = is_load,
		.is_word = size == 2,
		.n = is_vector ? 0 : 2,
		.numbers = { bits(instruction, 0, 5), bits(instruction, 10, 5) },
	};

	return access_registers(state, &access);
}

/* ldr, str: with a number of 9 bits before or behind, or of 12 that is scaled. */
static bool step_single(struct code_state *state, uint32_t instruction)
{
	const bool is_scaled = bits(instruction, 24, 1);
	const uint32_t index = bits(instruction, 10, 2);
	const int64_t short_offset = signed_bits(instruction, 12, 9);
	const struct access access = {
		.base = (uint8_t)bits(instruction, 5, 5),
		.at = is_scaled	   ? (int64_t)bits(instruction, 10, 12) * WORD_BYTES
		      : index == 1 ? 0
				   : short_offset,
		.by = !is_scaled && index & 1 ? short_offset : 0,
		.is_load = bits(instruction, 22, 2),
		.is_word = bits(instruction, 30, 2) == 3 && bits(instruction, 22, 2) < 2,
		.n = bits(instruction, 26, 1) ? 0 : 1,
		.numbers = { bits(instruction, 0, 5) },
	};

	return access_registers(state, &access);
}

/* add, sub with a number: 31 is sp in both. */
static void step_sum(struct code_state *state, uint32_t instruction)
{
	const int64_t number = (int64_t)bits(instruction, 10, 12)
			       << (bits(instruction, 22, 1) ? 12 : 0);

	state->registers[bits(instruction, 0, 5)] =
		code_state_sum(state, (uint8_t)bits(instruction, 5, 5),
			       bits(instruction, 30, 1) ? -number : number);
}

static bool is_call(uint32_t instruction)
{
	return is(instruction, 0xfc000000, 0x94000000) || is(instruction, 0xfffffc1f, 0xd63f0000) ||
	       is(instruction, 0xfefff800, 0xd63f0800);
}

/* udf, brk, hlt */
static bool is_trap(uint32_t instruction)
{
	return is(instruction, 0xffff0000, 0) || is(instruction, 0xffe0001f, 0xd4200000) ||
	       is(instruction, 0xffe0001f, 0xd4400000);
}

/*
 * sp by other means: aligned, by a register's length, by that of scalable vectors, or behind
 * what structures of vectors are loaded from.
 */
static bool is_other_sp(uint32_t instruction)
{
	if (bits(instruction, 5, 5) == AARCH64_SP && is(instruction, 0xbe800000, 0x0c800000))
		return true;
	return bits(instruction, 0, 5) == AARCH64_SP &&
	       (is(instruction, 0xff800000, 0x92000000) ||
		is(instruction, 0xbfe00000, 0x8b200000) || is(instruction, 0xffa0f000, 0x04205000));
}

/* stg and its like move their base as loads do, in units of what shares a tag. */
static bool step_tag(struct code_state *state, uint32_t instruction)
{
	const uint8_t base = (uint8_t)bits(instruction, 5, 5);

	if (!is(instruction, 0xff200400, 0xd9200400))
		return false;
	state->registers[base] = code_state_sum(state, base,
						signed_bits(instruction, 12, 9) * TAGGED_BYTES);
	return true;
}

/* Between vectors and general registers: to the latter. */
static bool is_from_vector(uint32_t instruction)
{
	const uint32_t operation = bits(instruction, 16, 3);

	if (is(instruction, 0x5f20fc00, 0x1e200000))
		return operation != 2 && operation != 3 && operation != 7;
	if (is(instruction, 0x5f200000, 0x1e000000))
		return operation < 2;
	return is(instruction, 0xbfe0ec00, 0x0e002c00);
}

/* Whatever is not followed: which general registers it may write. */
static void forget_results(struct code_state *state, uint32_t instruction)
{
	const bool is_computed = is(instruction, 0x1c000000, 0x10000000) ||
				 is(instruction, 0x0e000000, 0x0a000000);
	const bool is_memory = is(instruction, 0x0a000000, 0x08000000);
	const bool is_vector = bits(instruction, 26, 1);

	/* System registers, and lengths of scalable vectors. */
	if (is_computed || is_from_vector(instruction) || is(instruction, 0xfff00000, 0xd5300000) ||
	    is(instruction, 0xffa0f000, 0x04205000) || is(instruction, 0xff20f000, 0x0420e000))
		forget(state, instruction, 0);
	if (!is_memory || is_vector)
		return;
	/* Not what a register's offset stores. */
	if (!is(instruction, 0x3b200c00, 0x38200800) || bits(instruction, 22, 2))
		forget(state, instruction, 0);
	if (is(instruction, 0x3f000000, 0x08000000)) {
		forget(state, instruction, 10);
		forget(state, instruction, 16);
	}
}

static enum code_step step_branch(uint32_t instruction, uint64_t vaddr, uint64_t *ret_target)
{
	int64_t by = 0;
	enum code_step step = CODE_FORKS;

	if (is(instruction, 0xfc000000, 0x14000000)) {
		by = signed_bits(instruction, 0, 26);
		step = CODE_JUMPS;
	} else if (is(instruction, 0xff000000, 0x54000000) ||
		   is(instruction, 0x7e000000, 0x34000000)) {
		by = signed_bits(instruction, 5, 19);
	} else if (is(instruction, 0x7e000000, 0x36000000)) {
		by = signed_bits(instruction, 5, 14);
	} else {
		return CODE_GOES_ON;
	}
	*ret_target = vaddr + (uint64_t)(by * INSTRUCTION_BYTES);
	return step;
}

/* A jump through a table has added to its beginning. */
static bool is_tail_call(uint32_t instruction, uint32_t before)
{
	const uint32_t number = bits(instruction, 5, 5);

	return is(instruction, 0xfffffc1f, 0xd61f0000) &&
	       (number == VENEER_1 || number == VENEER_2) &&
	       !(is(before, 0xff000000, 0x8b000000) && bits(before, 0, 5) == number);
}

static bool is_return(uint32_t instruction)
{
	return instruction == 0xd65f03c0 || instruction == 0xd65f0bff || instruction == 0xd65f0fff;
}

/* 0, which is no instruction, where there is none. */
static uint32_t instruction_at(const struct elf_image *image, uint64_t vaddr)
{
	const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, INSTRUCTION_BYTES);
	uint32_t instruction = 0;

	if (bytes)
		memcpy(&instruction, bytes, sizeof(instruction));
	return instruction;
}

/* Functions begin so: a landing pad, or room on the stack. */
static bool is_prologue(uint32_t instruction)
{
	return instruction == 0xd503233f || instruction == 0xd503237f ||
	       instruction == 0xd503245f || is(instruction, 0xffc07fff, 0xa9807bfd) ||
	       is(instruction, 0xff0003ff, 0xd10003ff);
}

bool code_ends_aarch64(const struct elf_image *image, uint64_t vaddr)
{
	const uint64_t start = vaddr;

	while (instruction_at(image, vaddr) == NOP && vaddr - start < NOPS_MAX_BYTES)
		vaddr += INSTRUCTION_BYTES;
	return (vaddr > start && vaddr % FUNCTION_ALIGNMENT == 0) ||
	       is_prologue(instruction_at(image, vaddr));
}

enum code_step code_step_aarch64(const struct elf_image *image, struct code_state *state,
				 uint64_t *vaddr, uint64_t *ret_target)
{
	const uint64_t at = *vaddr;
	const uint32_t instruction = instruction_at(image, at);

	*vaddr += INSTRUCTION_BYTES;
	if (is_return(instruction) ||
	    is_tail_call(instruction, instruction_at(image, at - INSTRUCTION_BYTES)))
		return CODE_RETURNS;
	if (is_call(instruction)) {
		call(state);
		state->last_call = *vaddr;
		return code_ends_aarch64(image, *vaddr) ? CODE_ENDS : CODE_GOES_ON;
	}
	if (is_trap(instruction))
		return CODE_ENDS;
	if (is(instruction, 0xfe000000, 0xd6000000))
		return CODE_IS_LOST;
	if (is(instruction, 0x3a000000, 0x28000000))
		return step_pair(state, instruction) ? CODE_GOES_ON : CODE_IS_LOST;
	if (is(instruction, 0x3b000000, 0x39000000) || is(instruction, 0x3b200000, 0x38000000))
		return step_single(state, instruction) ? CODE_GOES_ON : CODE_IS_LOST;
	if (is(instruction, 0xbf800000, 0x91000000))
		step_sum(state, instruction);
	else if (is(instruction, 0xffe0ffe0, 0xaa0003e0) && bits(instruction, 16, 5) != AARCH64_SP)
		set(state, bits(instruction, 0, 5), get(state, bits(instruction, 16, 5)));
	else if (is_other_sp(instruction))
		state->registers[AARCH64_SP] = unknown;
	else if (!step_tag(state, instruction))
		forget_results(state, instruction);
	return step_branch(instruction, at, ret_target);
}
