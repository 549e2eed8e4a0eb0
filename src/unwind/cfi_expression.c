/* A stack machine (DWARF 5, 2.5.1) for what call frame information uses of it. */
#include "unwind/cfi_expression.h"

#include "base/bytes.h"

enum dw_op {
	DW_OP_ADDR = 0x03,
	DW_OP_DEREF = 0x06,
	DW_OP_CONST1U = 0x08,
	DW_OP_CONST1S = 0x09,
	DW_OP_CONST2U = 0x0a,
	DW_OP_CONST2S = 0x0b,
	DW_OP_CONST4U = 0x0c,
	DW_OP_CONST4S = 0x0d,
	DW_OP_CONST8U = 0x0e,
	DW_OP_CONST8S = 0x0f,
	DW_OP_CONSTU = 0x10,
	DW_OP_CONSTS = 0x11,
	DW_OP_DUP = 0x12,
	DW_OP_DROP = 0x13,
	DW_OP_OVER = 0x14,
	DW_OP_PICK = 0x15,
	DW_OP_SWAP = 0x16,
	DW_OP_ROT = 0x17,
	DW_OP_ABS = 0x19,
	DW_OP_AND = 0x1a,
	DW_OP_DIV = 0x1b,
	DW_OP_MINUS = 0x1c,
	DW_OP_MOD = 0x1d,
	DW_OP_MUL = 0x1e,
	DW_OP_NEG = 0x1f,
	DW_OP_NOT = 0x20,
	DW_OP_OR = 0x21,
	DW_OP_PLUS = 0x22,
	DW_OP_PLUS_UCONST = 0x23,
	DW_OP_SHL = 0x24,
	DW_OP_SHR = 0x25,
	DW_OP_SHRA = 0x26,
	DW_OP_XOR = 0x27,
	DW_OP_BRA = 0x28,
	DW_OP_EQ = 0x29,
	DW_OP_GE = 0x2a,
	DW_OP_GT = 0x2b,
	DW_OP_LE = 0x2c,
	DW_OP_LT = 0x2d,
	DW_OP_NE = 0x2e,
	DW_OP_SKIP = 0x2f,
	DW_OP_LIT0 = 0x30,
	DW_OP_LIT31 = 0x4f,
	DW_OP_BREG0 = 0x70,
	DW_OP_BREG31 = 0x8f,
	DW_OP_BREGX = 0x92,
	DW_OP_DEREF_SIZE = 0x94,
	DW_OP_NOP = 0x96,
};

struct expression {
	struct cfi_expression_context *context;
	const uint8_t *start;
	struct bytes from;
	size_t depth;
	uint64_t stack[CFI_EXPRESSION_MAX_DEPTH];
};

static void push(struct expression *e, uint64_t value)
{
	if (e->depth == CFI_EXPRESSION_MAX_DEPTH)
		e->from.is_bad = true;
	else
		e->stack[e->depth++] = value;
}

/* The item `below` the top; a zero that is not kept when there is none. */
static uint64_t peek(struct expression *e, size_t below)
{
	if (below >= e->depth) {
		e->from.is_bad = true;
		return 0;
	}
	return e->stack[e->depth - 1 - below];
}

static uint64_t pop(struct expression *e)
{
	const uint64_t value = peek(e, 0);

	if (e->depth)
		e->depth--;
	return value;
}

static void push_register(struct expression *e, uint64_t number)
{
	const uint64_t offset = (uint64_t)bytes_sleb(&e->from);

	if (number >= REGISTERS_MAX)
		e->from.is_bad = true;
	else
		push(e, e->context->registers->values[number] + offset);
}

static void dereference(struct expression *e, uint8_t size_bytes)
{
	const uint64_t address = pop(e);
	uint64_t word = 0;

	if (size_bytes == 0 || size_bytes > 8) {
		e->from.is_bad = true;
		return;
	}
	if (!stack_dump_read(e->context->dump, address, &word)) {
		e->context->missing_address = address;
		e->from.is_bad = true;
		return;
	}
	if (size_bytes < 8)
		word &= (UINT64_C(1) << (size_bytes * 8)) - 1;
	push(e, word);
}

static void jump(struct expression *e, bool is_taken)
{
	const int16_t distance = (int16_t)bytes_u16(&e->from);
	const int64_t target = (e->from.at - e->start) + distance;

	if (!is_taken)
		return;
	if (target < 0 || target > e->from.end - e->start)
		e->from.is_bad = true;
	else
		e->from.at = e->start + target;
}

static uint64_t shifted(uint64_t value, uint64_t n_bits, uint8_t opcode)
{
	if (opcode == DW_OP_SHRA)
		return (uint64_t)((int64_t)value >> (n_bits > 63 ? 63 : n_bits));
	if (n_bits > 63)
		return 0;
	return opcode == DW_OP_SHL ? value << n_bits : value >> n_bits;
}

/* left / right as DW_OP_div means it: signed, and never a trap. */
static uint64_t divided(uint64_t left, uint64_t right)
{
	if (right == UINT64_MAX)
		return 0 - left;
	return (uint64_t)((int64_t)left / (int64_t)right);
}

static void binary(struct expression *e, uint8_t opcode)
{
	const uint64_t right = pop(e);
	const uint64_t left = pop(e);
	const int64_t order = (int64_t)left < (int64_t)right ? -1 : left != right;

	if (right == 0 && (opcode == DW_OP_DIV || opcode == DW_OP_MOD)) {
		e->from.is_bad = true;
		return;
	}
	switch (opcode) {
	case DW_OP_AND:
		push(e, left & right);
		return;
	case DW_OP_DIV:
		push(e, divided(left, right));
		return;
	case DW_OP_MINUS:
		push(e, left - right);
		return;
	case DW_OP_MOD:
		push(e, left % right);
		return;
	case DW_OP_MUL:
		push(e, left * right);
		return;
	case DW_OP_OR:
		push(e, left | right);
		return;
	case DW_OP_PLUS:
		push(e, left + right);
		return;
	case DW_OP_SHL:
	case DW_OP_SHR:
	case DW_OP_SHRA:
		push(e, shifted(left, right, opcode));
		return;
	case DW_OP_XOR:
		push(e, left ^ right);
		return;
	case DW_OP_EQ:
		push(e, order == 0);
		return;
	case DW_OP_GE:
		push(e, order >= 0);
		return;
	case DW_OP_GT:
		push(e, order > 0);
		return;
	case DW_OP_LE:
		push(e, order <= 0);
		return;
	case DW_OP_LT:
		push(e, order < 0);
		return;
	case DW_OP_NE:
		push(e, order != 0);
		return;
	default:
		e->from.is_bad = true;
	}
}

/* Constants and registers; false when the opcode is none of them. */
static bool step_push(struct expression *e, uint8_t opcode)
{
	struct bytes *from = &e->from;

	if (opcode >= DW_OP_LIT0 && opcode <= DW_OP_LIT31) {
		push(e, opcode - DW_OP_LIT0);
		return true;
	}
	if (opcode >= DW_OP_BREG0 && opcode <= DW_OP_BREG31) {
		push_register(e, opcode - DW_OP_BREG0);
		return true;
	}
	switch (opcode) {
	case DW_OP_ADDR:
	case DW_OP_CONST8U:
	case DW_OP_CONST8S:
		push(e, bytes_u64(from));
		return true;
	case DW_OP_CONST1U:
		push(e, bytes_u8(from));
		return true;
	case DW_OP_CONST1S:
		push(e, (uint64_t)(int8_t)bytes_u8(from));
		return true;
	case DW_OP_CONST2U:
		push(e, bytes_u16(from));
		return true;
	case DW_OP_CONST2S:
		push(e, (uint64_t)(int16_t)bytes_u16(from));
		return true;
	case DW_OP_CONST4U:
		push(e, bytes_u32(from));
		return true;
	case DW_OP_CONST4S:
		push(e, (uint64_t)(int32_t)bytes_u32(from));
		return true;
	case DW_OP_CONSTU:
		push(e, bytes_uleb(from));
		return true;
	case DW_OP_CONSTS:
		push(e, (uint64_t)bytes_sleb(from));
		return true;
	case DW_OP_BREGX:
		push_register(e, bytes_uleb(from));
		return true;
	default:
		return false;
	}
}

/* The top becomes the third item, the others move up (DWARF 5, 2.5.1.3). */
static void rotate(struct expression *e)
{
	const uint64_t first = pop(e);
	const uint64_t second = pop(e);
	const uint64_t third = pop(e);

	push(e, first);
	push(e, third);
	push(e, second);
}

static void swap(struct expression *e)
{
	const uint64_t first = pop(e);
	const uint64_t second = pop(e);

	push(e, first);
	push(e, second);
}

static void step(struct expression *e)
{
	const uint8_t opcode = bytes_u8(&e->from);
	uint64_t value;

	if (step_push(e, opcode))
		return;
	switch (opcode) {
	case DW_OP_NOP:
		return;
	case DW_OP_DEREF:
		dereference(e, 8);
		return;
	case DW_OP_DEREF_SIZE:
		dereference(e, bytes_u8(&e->from));
		return;
	case DW_OP_DUP:
		push(e, peek(e, 0));
		return;
	case DW_OP_DROP:
		(void)pop(e);
		return;
	case DW_OP_OVER:
		push(e, peek(e, 1));
		return;
	case DW_OP_PICK:
		push(e, peek(e, bytes_u8(&e->from)));
		return;
	case DW_OP_SWAP:
		swap(e);
		return;
	case DW_OP_ROT:
		rotate(e);
		return;
	case DW_OP_ABS:
		value = pop(e);
		push(e, (int64_t)value < 0 ? 0 - value : value);
		return;
	case DW_OP_NEG:
		push(e, 0 - pop(e));
		return;
	case DW_OP_NOT:
		push(e, ~pop(e));
		return;
	case DW_OP_PLUS_UCONST:
		value = pop(e);
		push(e, value + bytes_uleb(&e->from));
		return;
	case DW_OP_BRA:
		jump(e, pop(e) != 0);
		return;
	case DW_OP_SKIP:
		jump(e, true);
		return;
	default:
		binary(e, opcode);
		return;
	}
}

bool cfi_expression_value(struct cfi_expression_context *context, const uint8_t *expression,
			  size_t size, const uint64_t *first, uint64_t *ret_value)
{
	struct expression e;
	unsigned int n_steps = 0;

	e.context = context;
	e.start = expression;
	e.from = bytes_of(expression, size);
	e.depth = 0;
	context->missing_address = 0;
	if (first)
		push(&e, *first);
	while (bytes_left(&e.from) && !e.from.is_bad) {
		if (++n_steps > CFI_EXPRESSION_MAX_STEPS)
			return false;
		step(&e);
	}
	if (e.from.is_bad || e.depth == 0)
		return false;
	*ret_value = e.stack[e.depth - 1];
	return true;
}
