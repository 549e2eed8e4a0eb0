/* Lengths by tables of bits: one for each opcode, a word for each sixteen of them. */
#include "unwind/x86_instruction.h"

#include <string.h>

enum {
	PREFIX_REX = 0x40,
	REX_W = 8,
	REX_R = 4,
	REX_X = 2,
	REX_B = 1,
	OPERAND_SIZE = 0x66,
	ADDRESS_SIZE = 0x67,
	SEGMENT_FS = 0x64,
	SEGMENT_GS = 0x65,
	REPEAT_NOT = 0xf2,
	REPEAT = 0xf3,
	VEX_2 = 0xc5,
	VEX_3 = 0xc4,
	EVEX = 0x62,
};

/* See x86_opcode_is_in. */
static const uint16_t one_has_modrm[16] = {
	0x0f0f, 0x0f0f, 0x0f0f, 0x0f0f, 0, 0, 0x0a08, 0, 0xfffb, 0, 0, 0, 0x00c3, 0xff0f, 0, 0xc0c0,
};
static const uint16_t one_is_invalid[16] = {
	0x40c0, 0xc0c0, 0x8080, 0x8080, 0,	0,	0x0007, 0,
	0x0004, 0x0400, 0,	0,	0x4000, 0x0070, 0x0400, 0,
};
static const uint16_t one_has_byte[16] = {
	0x1010, 0x1010, 0x1010, 0x1010, 0,	0, 0x0c00, 0xffff,
	0x0009, 0,	0x0100, 0x00ff, 0x2043, 0, 0x08ff, 0,
};
/* Four bytes, or two with 66. */
static const uint16_t one_has_word[16] = {
	0x2020, 0x2020, 0x2020, 0x2020, 0, 0, 0x0300, 0, 0x0002, 0, 0x0200, 0xff00, 0x0080, 0, 0, 0,
};
static const uint16_t two_has_no_modrm[16] = {
	0x4be0, 0, 0, 0x00ff, 0, 0, 0, 0x0080, 0xffff, 0, 0x0707, 0, 0xff00, 0, 0, 0,
};
static const uint16_t two_has_byte[16] = {
	0x8000, 0, 0, 0, 0, 0, 0, 0x000f, 0, 0, 0x1010, 0x0400, 0x0074, 0, 0, 0,
};

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool is_bad;
};

static uint8_t next(struct reader *reader)
{
	if (reader->at == reader->end) {
		reader->is_bad = true;
		return 0;
	}
	return *reader->at++;
}

/* A signed number of 1, 2, 4 or 8 bytes, the lowest first. */
static int64_t number(struct reader *reader, size_t n_bytes)
{
	uint64_t value = 0;
	const unsigned int unused = (unsigned int)(64 - 8 * n_bytes);

	for (size_t i = 0; i < n_bytes; i++)
		value |= (uint64_t)next(reader) << (8 * i);
	return n_bytes ? (int64_t)(value << unused) >> unused : 0;
}

static void read_memory(struct x86_instruction *instruction, struct reader *reader,
			unsigned int low_rm, unsigned int rex)
{
	unsigned int base = low_rm;
	bool has_sib = false;

	if (low_rm == 4) {
		const uint8_t sib = next(reader);

		has_sib = true;
		base = sib & 7;
		instruction->has_index = (sib >> 3 & 7) != 4 || rex & REX_X;
	}
	instruction->base = (uint8_t)(base | (rex & REX_B ? 8 : 0));
	if (instruction->mode == 0 && base == 5) {
		instruction->base = X86_NO_REGISTER;
		instruction->is_relative = !has_sib;
		instruction->displacement = (int32_t)number(reader, 4);
	} else if (instruction->mode == 1) {
		instruction->displacement = (int32_t)number(reader, 1);
	} else if (instruction->mode == 2) {
		instruction->displacement = (int32_t)number(reader, 4);
	}
}

static void read_modrm(struct x86_instruction *instruction, struct reader *reader, unsigned int rex)
{
	const uint8_t modrm = next(reader);

	instruction->has_modrm = true;
	instruction->mode = modrm >> 6;
	instruction->reg = (uint8_t)((modrm >> 3 & 7) | (rex & REX_R ? 8 : 0));
	instruction->rm = (uint8_t)((modrm & 7) | (rex & REX_B ? 8 : 0));
	if (instruction->mode != 3)
		read_memory(instruction, reader, modrm & 7, rex);
}

static size_t immediate_bytes_of_one(const struct x86_instruction *instruction)
{
	const uint8_t opcode = instruction->opcode;
	const size_t word = instruction->is_short ? 2 : 4;

	if (opcode == 0xe8 || opcode == 0xe9)
		return 4;
	if (opcode == 0xc2 || opcode == 0xca)
		return 2;
	if (opcode == 0xc8)
		return 3;
	if (opcode >= 0xa0 && opcode <= 0xa3)
		return instruction->has_short_address ? 4 : 8;
	if (opcode >= 0xb8 && opcode <= 0xbf && instruction->is_wide)
		return 8;
	/* Only "test" of this group has one. */
	if (opcode == 0xf6)
		return (instruction->reg & 7) < 2 ? 1 : 0;
	if (opcode == 0xf7)
		return (instruction->reg & 7) < 2 ? word : 0;
	if (x86_opcode_is_in(one_has_byte, opcode))
		return 1;
	return x86_opcode_is_in(one_has_word, opcode) ? word : 0;
}

static size_t immediate_bytes(const struct x86_instruction *instruction)
{
	switch (instruction->map) {
	case X86_MAP_ONE:
		return immediate_bytes_of_one(instruction);
	case X86_MAP_0F:
		if (!instruction->is_vector && (instruction->opcode & 0xf0) == 0x80)
			return 4;
		/* extrq and insertq */
		if (!instruction->is_vector && instruction->opcode == 0x78 &&
		    (instruction->is_short || instruction->repeat == REPEAT_NOT))
			return 2;
		return x86_opcode_is_in(two_has_byte, instruction->opcode) ? 1 : 0;
	case X86_MAP_0F3A:
		return 1;
	case X86_MAP_0F38:
	case X86_MAP_OTHER:
		break;
	}
	return 0;
}

static bool read_opcode(struct x86_instruction *instruction, struct reader *reader, uint8_t first)
{
	instruction->opcode = first;
	if (first != 0x0f)
		return !x86_opcode_is_in(one_is_invalid, first);
	instruction->map = X86_MAP_0F;
	instruction->opcode = next(reader);
	if (instruction->opcode == 0x38)
		instruction->map = X86_MAP_0F38;
	else if (instruction->opcode == 0x3a)
		instruction->map = X86_MAP_0F3A;
	if (instruction->map != X86_MAP_0F)
		instruction->opcode = next(reader);
	return true;
}

/* Prefixes of vectors have R, X and B the other way round. */
static bool read_vector(struct x86_instruction *instruction, struct reader *reader, uint8_t first,
			unsigned int *ret_rex)
{
	static const uint8_t repeats[4] = { 0, 0, REPEAT, REPEAT_NOT };
	const uint8_t payload = next(reader);
	uint8_t last = payload;
	unsigned int map = 1;

	instruction->is_vector = true;
	*ret_rex = ~payload >> 5 & 7;
	if (first == VEX_2) {
		*ret_rex &= REX_R;
	} else {
		map = first == EVEX ? payload & 7 : payload & 31;
		last = next(reader);
		instruction->is_wide = last >> 7;
	}
	instruction->third = ~last >> 3 & 15;
	instruction->repeat = repeats[last & 3];
	if (first == EVEX)
		(void)next(reader);
	instruction->map = map == 1   ? X86_MAP_0F
			   : map == 2 ? X86_MAP_0F38
			   : map == 3 ? X86_MAP_0F3A
				      : X86_MAP_OTHER;
	instruction->opcode = next(reader);
	return map && (map <= 3 || (first == EVEX && map >= 5 && map <= 6));
}

static bool has_modrm(const struct x86_instruction *instruction)
{
	if (instruction->map == X86_MAP_ONE)
		return x86_opcode_is_in(one_has_modrm, instruction->opcode);
	if (instruction->is_vector)
		return instruction->map != X86_MAP_0F || instruction->opcode != 0x77;
	return instruction->map != X86_MAP_0F ||
	       !x86_opcode_is_in(two_has_no_modrm, instruction->opcode);
}

static bool is_prefix(uint8_t byte)
{
	static const uint8_t prefixes[] = {
		OPERAND_SIZE, ADDRESS_SIZE, REPEAT_NOT, REPEAT, SEGMENT_FS, SEGMENT_GS,
		0xf0,	      0x2e,	    0x36,	0x3e,	0x26,
	};

	return memchr(prefixes, byte, sizeof(prefixes));
}

static void take_prefix(struct x86_instruction *instruction, uint8_t prefix)
{
	if (prefix == OPERAND_SIZE)
		instruction->is_short = true;
	else if (prefix == ADDRESS_SIZE)
		instruction->has_short_address = true;
	else if (prefix == SEGMENT_FS || prefix == SEGMENT_GS)
		instruction->has_segment = true;
	else if (prefix == REPEAT || prefix == REPEAT_NOT)
		instruction->repeat = prefix;
}

bool x86_instruction_read(struct x86_instruction *instruction, const uint8_t *bytes, size_t n_bytes)
{
	const size_t most = n_bytes < X86_INSTRUCTION_MAX_BYTES ? n_bytes
								: X86_INSTRUCTION_MAX_BYTES;
	struct reader reader = { .at = bytes, .end = bytes + most };
	unsigned int rex = 0;
	bool is_known;
	uint8_t byte;

	*instruction = (struct x86_instruction){ .base = X86_NO_REGISTER };
	for (byte = next(&reader); is_prefix(byte); byte = next(&reader))
		take_prefix(instruction, byte);
	if ((byte & 0xf0) == PREFIX_REX) {
		rex = byte & 15;
		instruction->has_rex = true;
		instruction->is_wide = rex & REX_W;
		byte = next(&reader);
	}
	if (byte == VEX_2 || byte == VEX_3 || byte == EVEX)
		is_known = read_vector(instruction, &reader, byte, &rex);
	else
		is_known = read_opcode(instruction, &reader, byte);
	if (!is_known)
		return false;
	if (has_modrm(instruction))
		read_modrm(instruction, &reader, rex);
	else
		instruction->rm = (uint8_t)((instruction->opcode & 7) | (rex & REX_B ? 8 : 0));
	if (instruction->is_wide)
		instruction->is_short = false;
	instruction->immediate = number(&reader, immediate_bytes(instruction));
	instruction->size_bytes = (size_t)(reader.at - bytes);
	return !reader.is_bad;
}
