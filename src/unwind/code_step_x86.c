/*
 * What instructions of x86-64 do to the stack pointer, and where those registers come
 * from that a function preserves.  What is not followed here leaves the registers that it
 * writes unknown.
 */
#include "unwind/code_state.h"

#include <string.h>

#include "unwind/x86_instruction.h"
#include "unwind/x86_writes.h"

enum {
	RSP = 4, /* as instructions number them */
	RBP = 5,
	WORD_BYTES = 8,
	FUNCTION_ALIGNMENT = 16,
	NOPS_MAX_BYTES = 64, /* more are no padding, or lead nowhere either */
	LOOP_MAX_INSTRUCTIONS = 64,
	LOOP_MAX_BYTES = 4096,
	N_REGISTERS = 16,
};

/* DWARF's numbers of ax, cx, dx, bx, sp, bp, si, di. */
static const uint8_t dwarf_numbers[8] = { 0, 2, 1, 3, 7, 6, 4, 5 };

static uint8_t dwarf(uint8_t number)
{
	return number < 8 ? dwarf_numbers[number] : number;
}

static const struct code_value unknown = { .kind = CODE_UNKNOWN };

static struct code_value get(const struct code_state *state, uint8_t number)
{
	return state->registers[dwarf(number)];
}

static void set(struct code_state *state, uint8_t number, struct code_value value)
{
	state->registers[dwarf(number)] = value;
}

static void move_sp(struct code_state *state, int64_t by)
{
	set(state, RSP, code_state_sum(state, X86_64_RSP, by));
}

/* Where the memory operand is; unknown when an index or a segment has a part in it. */
static struct code_value address_of(const struct code_state *state,
				    const struct x86_instruction *instruction)
{
	if (instruction->base == X86_NO_REGISTER || instruction->has_index ||
	    instruction->has_segment || instruction->has_short_address)
		return unknown;
	return code_state_sum(state, dwarf(instruction->base), instruction->displacement);
}

static bool push(struct code_state *state, struct code_value value)
{
	move_sp(state, -WORD_BYTES);
	return code_state_store(state, code_state_sum(state, X86_64_RSP, 0), value);
}

static struct code_value pop(struct code_state *state)
{
	const struct code_value value = code_state_load(state,
							code_state_sum(state, X86_64_RSP, 0));

	move_sp(state, WORD_BYTES);
	return value;
}

/* A call of a function that keeps to the calling convention. */
static void call(struct code_state *state)
{
	static const uint8_t changed[] = { 0, 1, 2, 6, 7, 8, 9, 10, 11 };

	for (size_t i = 0; i < sizeof(changed); i++)
		set(state, changed[i], unknown);
}

static enum code_step go_on_if(bool is_possible)
{
	return is_possible ? CODE_GOES_ON : CODE_IS_LOST;
}

static void forget(struct code_state *state, const struct x86_instruction *instruction)
{
	const uint32_t written = x86_instruction_writes(instruction);

	for (uint8_t i = 0; i < N_REGISTERS; i++)
		if (written >> i & 1)
			set(state, i, unknown);
}

/* 81, 83: a constant is added or subtracted, or anything else done to a register. */
static void arithmetic(struct code_state *state, const struct x86_instruction *instruction)
{
	const unsigned int operation = instruction->reg & 7;

	if (instruction->mode == 3 && instruction->is_wide && (operation == 0 || operation == 5))
		set(state, instruction->rm,
		    code_state_sum(state, dwarf(instruction->rm),
				   operation ? -instruction->immediate : instruction->immediate));
	else
		forget(state, instruction);
}

/* 88 to 8b */
static bool move(struct code_state *state, const struct x86_instruction *instruction)
{
	const bool is_load = instruction->opcode & 2;
	const bool is_byte = !(instruction->opcode & 1);
	const bool is_word = instruction->is_wide && !is_byte;
	struct code_value value;

	if (is_byte && (is_load || instruction->mode == 3)) {
		forget(state, instruction);
		return true;
	}
	if (instruction->mode == 3) {
		value = get(state, is_load ? instruction->rm : instruction->reg);
		set(state, is_load ? instruction->reg : instruction->rm, is_word ? value : unknown);
		return true;
	}
	if (!is_load)
		return code_state_store(state, address_of(state, instruction),
					is_word ? get(state, instruction->reg) : unknown);
	value = code_state_load(state, address_of(state, instruction));
	set(state, instruction->reg, is_word ? value : unknown);
	return true;
}

/* ff */
static enum code_step group_5(struct code_state *state, const struct x86_instruction *instruction)
{
	switch (instruction->reg & 7) {
	case 2:
		call(state);
		return CODE_GOES_ON;
	case 4:
		/* Through the table of the linker: another function returns in its place. */
		return instruction->mode != 3 && instruction->is_relative ? CODE_RETURNS
									  : CODE_IS_LOST;
	case 6:
		return go_on_if(push(state, instruction->mode == 3 ? get(state, instruction->rm)
								   : unknown));
	case 0:
	case 1:
		forget(state, instruction);
		return CODE_GOES_ON;
	default:
		return CODE_IS_LOST;
	}
}

/* 8f, which finds its place after sp was moved.  Without room for it, it is not known. */
static bool pop_into_memory(struct code_state *state, const struct x86_instruction *instruction)
{
	const struct code_value value = pop(state);

	(void)code_state_store(state, address_of(state, instruction), value);
	return (instruction->reg & 7) == 0 && instruction->mode != 3;
}

static enum code_step step_one(struct code_state *state, const struct x86_instruction *instruction,
			       uint64_t next, uint64_t *ret_target)
{
	const uint8_t opcode = instruction->opcode;

	*ret_target = next + (uint64_t)instruction->immediate;
	switch (opcode) {
	case 0xc3:
		return CODE_RETURNS;
	case 0xe8:
		/* To what comes next: its address is taken from the stack. */
		if (!instruction->immediate)
			return go_on_if(push(state, unknown));
		call(state);
		return CODE_GOES_ON;
	case 0xe9:
	case 0xeb:
		return CODE_JUMPS;
	case 0xe0: /* loopne, loope, loop, jrcxz */
	case 0xe1:
	case 0xe2:
	case 0xe3:
		forget(state, instruction);
		return CODE_FORKS;
	case 0x68:
	case 0x6a:
		return go_on_if(push(state, unknown));
	case 0x8d:
		set(state, instruction->reg,
		    instruction->is_wide ? address_of(state, instruction) : unknown);
		return go_on_if(instruction->mode != 3);
	case 0x8f:
		return go_on_if(pop_into_memory(state, instruction));
	case 0x9c: /* pushf */
		return go_on_if(push(state, unknown));
	case 0x9d:
		(void)pop(state);
		return CODE_GOES_ON;
	case 0xc9:
		set(state, RSP, get(state, RBP));
		set(state, RBP, pop(state));
		return CODE_GOES_ON;
	case 0x81:
	case 0x83:
		arithmetic(state, instruction);
		return CODE_GOES_ON;
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
		return go_on_if(move(state, instruction));
	case 0xff:
		return group_5(state, instruction);
	case 0xcc: /* int3, hlt */
	case 0xf4:
		return CODE_ENDS;
	case 0xc2: /* ret n, enter, far and interrupt returns, other traps */
	case 0xc8:
	case 0xca:
	case 0xcb:
	case 0xcd:
	case 0xcf:
	case 0xf1:
		return CODE_IS_LOST;
	default:
		break;
	}
	if ((opcode & 0xf0) == 0x70)
		return CODE_FORKS;
	if ((opcode & 0xf8) == 0x50)
		return go_on_if(!instruction->is_short && push(state, get(state, instruction->rm)));
	if ((opcode & 0xf8) == 0x58) {
		const struct code_value value = pop(state);

		set(state, instruction->rm, value);
		return go_on_if(!instruction->is_short);
	}
	forget(state, instruction);
	return CODE_GOES_ON;
}

static enum code_step step_two(struct code_state *state, const struct x86_instruction *instruction,
			       uint64_t next, uint64_t *ret_target)
{
	const uint8_t opcode = instruction->opcode;

	*ret_target = next + (uint64_t)instruction->immediate;
	if ((opcode & 0xf0) == 0x80)
		return CODE_FORKS;
	switch (opcode) {
	case 0x0b: /* ud2, ud1, ud0 */
	case 0xb9:
	case 0xff:
		return CODE_ENDS;
	case 0x07: /* sysret, sysexit, push and pop of fs and gs */
	case 0x35:
	case 0xa0:
	case 0xa1:
	case 0xa8:
	case 0xa9:
		return CODE_IS_LOST;
	default:
		break;
	}
	forget(state, instruction);
	return CODE_GOES_ON;
}

static bool read_at(const struct elf_image *image, uint64_t vaddr,
		    struct x86_instruction *instruction)
{
	size_t n_bytes = X86_INSTRUCTION_MAX_BYTES;
	const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, n_bytes);

	/* The last ones of a segment. */
	while (!bytes && --n_bytes)
		bytes = elf_image_at_vaddr(image, vaddr, n_bytes);
	return bytes && x86_instruction_read(instruction, bytes, n_bytes);
}

static bool is_call(const struct x86_instruction *instruction)
{
	return instruction->map == X86_MAP_ONE &&
	       ((instruction->opcode == 0xe8 && instruction->immediate) ||
		(instruction->opcode == 0xff && (instruction->reg & 7) == 2));
}

static bool is_nop(const struct x86_instruction *instruction)
{
	return (instruction->map == X86_MAP_ONE && instruction->opcode == 0x90) ||
	       (instruction->map == X86_MAP_0F && instruction->opcode == 0x1f);
}

/* Bytes of zero, between sections: add %al,(%rax). */
static bool is_filling(const struct x86_instruction *instruction)
{
	return instruction->map == X86_MAP_ONE && instruction->opcode == 0 &&
	       instruction->mode == 0 && instruction->reg == 0 && instruction->base == 0;
}

/* Functions begin so, and hardly ever what comes behind a call: push, or room on the stack. */
static bool is_prologue(const struct x86_instruction *instruction)
{
	return instruction->map == X86_MAP_ONE &&
	       ((instruction->opcode & 0xf8) == 0x50 ||
		((instruction->opcode == 0x81 || instruction->opcode == 0x83) &&
		 (instruction->reg & 7) == 5 && instruction->mode == 3 && instruction->rm == RSP));
}

/* push %rbp; mov %rsp,%rbp */
static bool is_frame_begin(const struct elf_image *image, uint64_t vaddr)
{
	static const uint8_t gcc[] = { 0x55, 0x48, 0x89, 0xe5 };
	static const uint8_t others[] = { 0x55, 0x48, 0x8b, 0xec };
	const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, sizeof(gcc));

	return bytes &&
	       (memcmp(bytes, gcc, sizeof(gcc)) == 0 || memcmp(bytes, others, sizeof(others)) == 0);
}

static bool is_conditional_jump(const struct x86_instruction *instruction)
{
	return instruction->map == X86_MAP_ONE
		       ? (instruction->opcode & 0xf0) == 0x70
		       : instruction->map == X86_MAP_0F && !instruction->is_vector &&
				 (instruction->opcode & 0xf0) == 0x80;
}

/*
 * Whether what lies there jumps back to its beginning, or before it: loops are padded as
 * functions are, but these hardly ever begin with one.
 */
static bool is_loop(const struct elf_image *image, uint64_t vaddr)
{
	const uint64_t start = vaddr;
	struct x86_instruction next;

	for (size_t i = 0; i < LOOP_MAX_INSTRUCTIONS && read_at(image, vaddr, &next); i++) {
		vaddr += next.size_bytes;
		if (is_conditional_jump(&next)) {
			if (start - (vaddr + (uint64_t)next.immediate) < LOOP_MAX_BYTES)
				return true;
		} else if (next.map == X86_MAP_ONE &&
			   (next.opcode == 0xc3 || next.opcode == 0xe9 || next.opcode == 0xeb)) {
			return false;
		}
	}
	return false;
}

/*
 * endbr64, int3, nops up to where a function would begin, or the begin of one; what comes behind
 * all functions is _fini.
 */
bool code_ends_x86(const struct elf_image *image, uint64_t vaddr)
{
	const uint64_t start = vaddr;
	struct x86_instruction next;

	for (;;) {
		if (vaddr - start > NOPS_MAX_BYTES || !read_at(image, vaddr, &next))
			return true;
		if (!is_nop(&next))
			break;
		vaddr += next.size_bytes;
	}
	if (next.map == X86_MAP_0F ? next.opcode == 0x1e : next.opcode == 0xcc)
		return true;
	if (is_filling(&next) || is_frame_begin(image, vaddr))
		return true;
	if (vaddr % FUNCTION_ALIGNMENT != 0)
		return is_prologue(&next) && vaddr == image->fini_vaddr;
	return is_prologue(&next) || (vaddr > start && !is_loop(image, vaddr));
}

enum code_step code_step_x86(const struct elf_image *image, struct code_state *state,
			     uint64_t *vaddr, uint64_t *ret_target)
{
	struct x86_instruction instruction;

	if (!read_at(image, *vaddr, &instruction))
		return CODE_IS_LOST;
	*vaddr += instruction.size_bytes;
	if (is_call(&instruction)) {
		if (code_ends_x86(image, *vaddr))
			return CODE_ENDS;
		state->last_call = *vaddr;
	}
	if (instruction.map == X86_MAP_ONE)
		return step_one(state, &instruction, *vaddr, ret_target);
	if (instruction.map == X86_MAP_0F && !instruction.is_vector)
		return step_two(state, &instruction, *vaddr, ret_target);
	forget(state, &instruction);
	return CODE_GOES_ON;
}
