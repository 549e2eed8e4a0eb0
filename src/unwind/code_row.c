/* Ways through the code, until one returns; each address is come by once. */
#include "unwind/code_row.h"

#include <string.h>

#include "unwind/code_state.h"

enum {
	WAYS_MAX = 12, /* to be tried later */
	STEPS_MAX = 1024,
	SEEN_PLACES = 2048,
	WORD_BYTES = 8,
	MOST_STACK_BYTES = 1 << 20,

	DW_OP_DEREF = 0x06,
	DW_OP_CONSTS = 0x11,
	DW_OP_PLUS = 0x22,
	DW_OP_BREG0 = 0x70,
};

void code_state_init(struct code_state *state, uint8_t sp)
{
	state->n_stores = 0;
	state->sp = sp;
	for (uint8_t i = 0; i < CODE_REGISTERS; i++)
		state->registers[i] = (struct code_value){ .kind = CODE_SUM, .number = i };
}

struct code_value code_state_sum(const struct code_state *state, uint8_t number, int64_t offset)
{
	struct code_value value = state->registers[number];

	offset += value.kind == CODE_SUM ? value.offset : value.addend;
	if (offset > MOST_STACK_BYTES || offset < -MOST_STACK_BYTES)
		value.kind = CODE_UNKNOWN;
	else if (value.kind == CODE_SUM)
		value.offset = (int32_t)offset;
	else
		value.addend = (int32_t)offset;
	return value;
}

static bool is_same(struct code_value a, struct code_value b)
{
	return a.kind == b.kind && a.number == b.number && a.offset == b.offset &&
	       a.addend == b.addend;
}

/* How many come before it; n_stores when there is none. */
static size_t find_store(const struct code_state *state, struct code_value address)
{
	size_t i = 0;

	while (i < state->n_stores && !is_same(state->stores[i].address, address))
		i++;
	return i;
}

bool code_state_is_written(const struct code_state *state, struct code_value address)
{
	return find_store(state, address) < state->n_stores;
}

struct code_value code_state_load(const struct code_state *state, struct code_value address)
{
	const size_t at = find_store(state, address);

	if (at < state->n_stores)
		return state->stores[at].value;
	/* Below the stack there was nothing yet. */
	if (address.kind != CODE_SUM || (address.number == state->sp && address.offset < 0))
		return (struct code_value){ .kind = CODE_UNKNOWN };
	address.kind = CODE_WORD;
	return address;
}

bool code_state_store(struct code_state *state, struct code_value address, struct code_value value)
{
	const size_t at = find_store(state, address);

	if (address.kind == CODE_UNKNOWN)
		return true;
	if (at == CODE_STORES_MAX)
		return false;
	state->stores[at] = (struct code_store){ address, value };
	state->n_stores += at == state->n_stores;
	return true;
}

struct seen {
	uint64_t vaddrs[SEEN_PLACES]; /* plus one; 0: free */
	size_t n;
};

/* False when it was there already, or there is no more room. */
static bool seen_add(struct seen *seen, uint64_t vaddr)
{
	size_t place = (size_t)(vaddr * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SEEN_PLACES;

	if (seen->n == STEPS_MAX)
		return false;
	while (seen->vaddrs[place] && seen->vaddrs[place] != vaddr + 1)
		place = (place + 1) % SEEN_PLACES;
	if (seen->vaddrs[place])
		return false;
	seen->vaddrs[place] = vaddr + 1;
	seen->n++;
	return true;
}

static bool is_preserved(enum arch arch, uint8_t number)
{
	if (arch == ARCH_X86_64)
		return number == X86_64_RBX || number == X86_64_RBP || number == X86_64_RSP ||
		       (number >= 12 && number <= 15);
	return number >= 19 && number <= 31 && number != AARCH64_LR;
}

static void add_number(struct code_row *row, int64_t number)
{
	for (bool is_last = false; !is_last; number >>= 7) {
		const uint8_t byte = number & 0x7f;

		is_last = number >= -64 && number < 64;
		row->expressions[row->n_bytes++] = byte | (is_last ? 0 : 0x80);
	}
}

/* A register and a number: `address` as an expression. */
static void add_address(struct code_row *row, struct code_value address)
{
	row->expressions[row->n_bytes++] = (uint8_t)(DW_OP_BREG0 + address.number);
	add_number(row, address.offset);
}

static void add_cfa(struct code_row *row, struct code_value cfa)
{
	if (cfa.kind == CODE_SUM) {
		row->row.cfa_register = cfa.number;
		row->row.cfa_offset = cfa.offset;
		return;
	}
	row->row.cfa_expression = row->expressions;
	add_address(row, cfa);
	row->expressions[row->n_bytes++] = DW_OP_DEREF;
	if (cfa.addend) {
		row->expressions[row->n_bytes++] = DW_OP_CONSTS;
		add_number(row, cfa.addend);
		row->expressions[row->n_bytes++] = DW_OP_PLUS;
	}
	row->row.cfa_expression_size = (uint32_t)row->n_bytes;
}

/* Where the caller's register is; by registers that hold at this frame. */
static void add_column(struct code_row *row, uint8_t number, struct code_value value,
		       struct code_value cfa, bool is_held)
{
	struct cfi_column *column = &row->row.columns[number];
	const size_t start = row->n_bytes;

	column->how = CFI_HOW_UNDEFINED;
	if (value.kind == CODE_SUM && value.number == number && !value.offset) {
		column->how = CFI_HOW_SAME;
	} else if (value.kind == CODE_WORD && cfa.kind == CODE_SUM && value.number == cfa.number &&
		   !value.addend) {
		column->how = CFI_HOW_OFFSET;
		column->offset = (int64_t)value.offset - cfa.offset;
	} else if (value.kind == CODE_WORD && is_held && !value.addend) {
		column->how = CFI_HOW_EXPRESSION;
		add_address(row, value);
		column->expression = &row->expressions[start];
		column->expression_size = (uint32_t)(row->n_bytes - start);
	} else if (value.kind == CODE_SUM && is_held && !value.offset) {
		column->how = CFI_HOW_REGISTER;
		column->offset = value.number;
	}
}

/* The return address lies below the CFA, or is in the link register. */
static bool add_link(struct code_row *row, const struct code_state *state, struct code_value cfa,
		     enum arch arch, bool is_exact)
{
	struct cfi_column *column = &row->row.columns[row->row.return_register];

	if (arch == ARCH_X86_64) {
		column->how = CFI_HOW_OFFSET;
		column->offset = -WORD_BYTES;
		return !code_state_is_written(state, code_state_sum(state, state->sp, 0));
	}
	add_column(row, AARCH64_LR, state->registers[AARCH64_LR], cfa, false);
	return column->how == CFI_HOW_OFFSET || (is_exact && column->how == CFI_HOW_SAME);
}

static bool row_of(const struct code_state *state, enum arch arch, bool is_exact,
		   struct code_row *row)
{
	const bool is_x86 = arch == ARCH_X86_64;
	const struct code_value cfa = code_state_sum(state, state->sp, is_x86 ? WORD_BYTES : 0);

	if (cfa.kind == CODE_UNKNOWN || cfa.offset % WORD_BYTES || cfa.addend % WORD_BYTES ||
	    (cfa.kind == CODE_SUM && cfa.number == state->sp && cfa.offset < 0) ||
	    (!is_exact && !is_preserved(arch, cfa.number)))
		return false;
	row->n_bytes = 0;
	row->row = (struct cfi_row){
		.return_register = is_x86 ? X86_64_RIP : AARCH64_LR,
		.n_columns = is_x86 ? X86_64_N_REGISTERS : AARCH64_N_REGISTERS,
	};
	add_cfa(row, cfa);
	for (uint8_t i = 0; i < row->row.n_columns; i++) {
		const struct code_value value = state->registers[i];

		if (is_preserved(arch, i) && i != state->sp)
			add_column(row, i, value, cfa,
				   is_exact || is_preserved(arch, value.number));
	}
	return add_link(row, state, cfa, arch, is_exact);
}

struct way {
	uint64_t vaddr;
	struct code_state state;
};

bool code_row_at(const struct elf_image *image, enum arch arch, uint64_t vaddr, bool is_exact,
		 struct code_row *ret_row)
{
	struct seen seen = { .n = 0 };
	struct way ways[WAYS_MAX];
	size_t n_ways = 1;

	ways[0].vaddr = vaddr;
	code_state_init(&ways[0].state, arch == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP);
	while (n_ways) {
		struct way way = ways[--n_ways];
		enum code_step step = CODE_GOES_ON;
		uint64_t target = 0;

		while (step != CODE_IS_LOST && seen_add(&seen, way.vaddr)) {
			step = arch == ARCH_X86_64
				       ? code_step_x86(image, &way.state, &way.vaddr, &target)
				       : code_step_aarch64(image, &way.state, &way.vaddr, &target);
			if (step == CODE_RETURNS && row_of(&way.state, arch, is_exact, ret_row))
				return true;
			if (step == CODE_RETURNS)
				break;
			if (step == CODE_FORKS && n_ways < WAYS_MAX)
				ways[n_ways++] = (struct way){ target, way.state };
			if (step == CODE_JUMPS)
				way.vaddr = target;
		}
	}
	return false;
}
