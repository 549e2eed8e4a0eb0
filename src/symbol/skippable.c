/* Intel SDM volume 2: prefixes, opcode, ModRM, SIB, displacement, immediate. */
#include "symbol/skippable.h"

#include <string.h>

enum {
	REX_MIN = 0x40,
	REX_MAX = 0x4f,
	REX_W = 8,
	REX_R = 4,
	REX_B = 1,
	RSP = 4,
	NO_REGISTER = 16,
};

struct instruction {
	const uint8_t *code;
	size_t size_bytes;
	size_t at;
	uint8_t rex;
	uint8_t modrm;
	bool is_wide_operand; /* 0x66 */
	bool is_cut;
};

/* What an opcode does with its operands. */
struct opcode {
	uint8_t immediate_bytes;
	bool has_modrm;
	bool writes_reg;    /* the register of ModRM.reg */
	bool writes_rm;	    /* that of ModRM.rm, which may not be memory */
	bool writes_vector; /* one that is of no interest */
	uint8_t written;    /* by itself, or NO_REGISTER */
};

static uint8_t take(struct instruction *in)
{
	if (in->at >= in->size_bytes) {
		in->is_cut = true;
		return 0;
	}
	return in->code[in->at++];
}

static uint8_t group(const struct instruction *in)
{
	return in->modrm >> 3 & 7;
}

static bool is_memory(const struct instruction *in)
{
	return in->modrm >> 6 != 3;
}

/* The operand forms of the eight arithmetic instructions are the same; 7 is cmp. */
static bool find_arithmetic(uint8_t byte, struct opcode *op)
{
	const bool is_compare = byte >> 3 == 7;

	if (byte >= 0x40 || (byte & 7) > 3)
		return false;
	op->has_modrm = true;
	op->writes_rm = !is_compare && (byte & 2) == 0;
	op->writes_reg = !is_compare && (byte & 2) != 0;
	return true;
}

/* movzx, movsx, nop; xorps, pxor and the like, which clear vector registers. */
static bool find_two_bytes(struct instruction *in, struct opcode *op)
{
	const uint8_t byte = take(in);

	op->has_modrm = true;
	op->writes_reg = byte == 0xb6 || byte == 0xb7 || byte == 0xbe || byte == 0xbf;
	op->writes_vector = byte == 0x57 || byte == 0xef || byte == 0x28;
	return op->writes_reg || op->writes_vector || byte == 0x1f;
}

static bool find_opcode(struct instruction *in, struct opcode *op)
{
	const uint8_t byte = take(in);

	if (byte == 0x0f)
		return find_two_bytes(in, op);
	if (find_arithmetic(byte, op))
		return true;
	if (byte >= 0xb8 && byte <= 0xbf) {
		op->written = (uint8_t)((byte & 7) | (in->rex & REX_B ? 8 : 0));
		op->immediate_bytes = in->rex & REX_W ? 8 : 4;
		return true;
	}
	op->has_modrm = true;
	switch (byte) {
	case 0x63: /* movslq */
	case 0x8b: /* mov */
	case 0x8d: /* lea */
		op->writes_reg = true;
		return true;
	case 0x84: /* test */
	case 0x85:
		return true;
	case 0x89: /* mov */
		op->writes_rm = true;
		return true;
	case 0x80: /* the arithmetic ones with a constant */
	case 0x83:
		op->immediate_bytes = 1;
		op->writes_rm = true; /* unless it is cmp */
		return true;
	case 0x81:
		op->immediate_bytes = 4;
		op->writes_rm = true;
		return true;
	case 0xc7: /* mov of a constant */
		op->immediate_bytes = 4;
		op->writes_rm = true;
		return true;
	case 0xf6: /* test with a constant */
		op->immediate_bytes = 1;
		return true;
	case 0xf7:
		op->immediate_bytes = 4;
		return true;
	default:
		return false;
	}
}

/* ModRM's SIB and displacement. */
static void skip_address(struct instruction *in)
{
	const uint8_t mode = in->modrm >> 6;
	const uint8_t rm = in->modrm & 7;
	uint8_t base = rm;

	if (mode == 3)
		return;
	if (rm == 4)
		base = take(in) & 7;
	if (mode == 1)
		in->at += 1;
	else if (mode == 2 || (mode == 0 && base == 5))
		in->at += 4;
}

static bool is_argument(uint8_t number)
{
	/* rcx, rdx, rsi, rdi, r8, r9 */
	return number == 1 || number == 2 || (number >= 6 && number <= 9);
}

/* rbx, rbp, rsp and r12 to r15 are the caller's until they were saved. */
static bool is_callers(uint8_t number)
{
	return number == 3 || number == RSP || number == 5 || number >= 12;
}

static bool is_harmless(const struct instruction *in, const struct opcode *op, bool keeps_arguments)
{
	uint8_t written = op->written;

	if (op->writes_reg)
		written = (uint8_t)(group(in) | (in->rex & REX_R ? 8 : 0));
	if (op->writes_rm && is_memory(in))
		return false;
	if (op->writes_rm)
		written = (uint8_t)((in->modrm & 7) | (in->rex & REX_B ? 8 : 0));
	if (written == NO_REGISTER)
		return true;
	return !is_callers(written) && !(keeps_arguments && is_argument(written));
}

size_t skippable_bytes(const uint8_t *code, size_t size_bytes, bool keeps_arguments)
{
	struct instruction in = { .code = code, .size_bytes = size_bytes };
	struct opcode op = { .written = NO_REGISTER };
	size_t opcode_at;

	if (size_bytes && code[0] == 0x66) {
		in.is_wide_operand = true;
		in.at++;
	}
	if (in.at < size_bytes && code[in.at] >= REX_MIN && code[in.at] <= REX_MAX)
		in.rex = take(&in);
	opcode_at = in.at;
	if (!find_opcode(&in, &op) || in.is_cut)
		return 0;
	if (op.has_modrm) {
		const uint8_t byte = code[opcode_at];

		in.modrm = take(&in);
		skip_address(&in);
		if ((byte == 0x80 || byte == 0x81 || byte == 0x83) && group(&in) == 7)
			op.writes_rm = false;
		if ((byte == 0xf6 || byte == 0xf7 || byte == 0xc7) && group(&in) != 0)
			return 0;
	}
	if (in.is_wide_operand && op.immediate_bytes == 4)
		op.immediate_bytes = 2;
	in.at += op.immediate_bytes;
	if (in.is_cut || in.at > size_bytes || !is_harmless(&in, &op, keeps_arguments))
		return 0;
	return in.at;
}

static bool reaches(const uint8_t *code, size_t size_bytes, size_t at, size_t offset_bytes,
		    uint64_t start, uint64_t from, uint64_t to)
{
	int64_t offset;
	uint64_t target;

	if (size_bytes - at < offset_bytes)
		return false;
	if (offset_bytes == 1) {
		offset = (int8_t)code[at];
	} else {
		int32_t wide;

		memcpy(&wide, code + at, sizeof(wide));
		offset = wide;
	}
	target = start + at + offset_bytes + (uint64_t)offset;
	return target >= from && target <= to;
}

/* jmp and call rel32, jcc rel32 (behind its 0x0f), jmp, jcc, loop and jrcxz rel8. */
bool skippable_may_be_jumped_to(const uint8_t *code, size_t size_bytes, uint64_t start,
				uint64_t from, uint64_t to)
{
	for (size_t i = 0; i + 1 < size_bytes; i++) {
		const uint8_t byte = code[i];
		const bool is_far = byte == 0xe8 || byte == 0xe9 || (byte >= 0x80 && byte <= 0x8f);
		const bool is_near = byte == 0xeb || (byte >= 0x70 && byte <= 0x7f) ||
				     (byte >= 0xe0 && byte <= 0xe3);

		if ((is_far && reaches(code, size_bytes, i + 1, 4, start, from, to)) ||
		    (is_near && reaches(code, size_bytes, i + 1, 1, start, from, to)))
			return true;
	}
	return false;
}

/* jmp through a register or memory: 0xff /4. */
bool skippable_may_jump_anywhere(const uint8_t *code, size_t size_bytes)
{
	for (size_t i = 0; i + 1 < size_bytes; i++)
		if (code[i] == 0xff && (code[i + 1] >> 3 & 7) == 4)
			return true;
	return false;
}
