/*
 * Ways through the code; each address is come by once.  The first way that returns says what
 * the row is.  The others are followed none the less: where one comes to an address again with
 * another stack pointer than before, that is moved in a loop, and nobody knows how many turns
 * are left.  Unless a call lies between: that may not return, and what comes behind it be another
 * function.
 */
#include "unwind/code_row.h"

#include <string.h>

#include "unwind/code_bytes.h"
#include "unwind/code_state.h"

enum {
	WAYS_MAX = 64, /* to be tried later */
	STEPS_MAX = 1024,
	SEEN_PLACES = 2048,
	WORD_BYTES = 8,

	DW_OP_DEREF = 0x06,
	DW_OP_CONSTS = 0x11,
	DW_OP_PLUS = 0x22,
	DW_OP_BREG0 = 0x70,
};

/* Addresses that were come by, the stack pointer there, and the last call before. */
struct seen {
	uint16_t places[SEEN_PLACES]; /* position in what follows, plus one; 0: free */
	struct seen_item {
		uint64_t vaddr;
		uint64_t last_call;
		struct code_value sp;
	} items[STEPS_MAX];
	size_t n;
};

static uint16_t *seen_place(struct seen *seen, uint64_t vaddr)
{
	size_t place = (size_t)(vaddr * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SEEN_PLACES;

	while (seen->places[place] && seen->items[seen->places[place] - 1].vaddr != vaddr)
		place = (place + 1) % SEEN_PLACES;
	return &seen->places[place];
}

static bool seen_has(struct seen *seen, uint64_t vaddr)
{
	return *seen_place(seen, vaddr);
}

/* Whether it was there with another stack pointer, and no call since. */
static bool seen_differs(struct seen *seen, uint64_t vaddr, const struct code_state *state)
{
	const uint16_t *place = seen_place(seen, vaddr);
	const struct seen_item *item = &seen->items[*place ? *place - 1 : 0];
	const struct code_value sp = state->registers[state->sp];

	return *place && item->last_call == state->last_call && item->sp.kind == sp.kind &&
	       item->sp.number == sp.number && sp.kind != CODE_UNKNOWN &&
	       !code_value_is_same(item->sp, sp);
}

/* Whether what is known of the stack pointer there depends on the way, as with alloca in a loop. */
static bool seen_is_unsure(struct seen *seen, uint64_t vaddr, const struct code_state *state)
{
	const uint16_t *place = seen_place(seen, vaddr);
	const struct seen_item *item = &seen->items[*place ? *place - 1 : 0];

	return *place && item->sp.kind != state->registers[state->sp].kind;
}

/* False when there is no more room. */
static bool seen_add(struct seen *seen, uint64_t vaddr, const struct code_state *state)
{
	if (seen->n == STEPS_MAX)
		return false;
	seen->items[seen->n++] = (struct seen_item){
		.vaddr = vaddr,
		.last_call = state->last_call,
		.sp = state->registers[state->sp],
	};
	*seen_place(seen, vaddr) = (uint16_t)seen->n;
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
	    (cfa.kind == CODE_SUM && cfa.number == state->sp &&
	     cfa.offset < (is_x86 ? WORD_BYTES : 0)) ||
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
	/* By the caller's frame pointer its own CFA may be found. */
	return row->row.columns[is_x86 ? X86_64_RBP : AARCH64_FP].how != CFI_HOW_UNDEFINED &&
	       add_link(row, state, cfa, arch, is_exact);
}

/* What was saved of a register since its function began, in a row there. */
static void add_saved(struct code_row *row, uint8_t number, const struct code_state *state,
		      int64_t first_cfa_offset)
{
	struct cfi_column *column = &row->row.columns[number];
	const struct code_value saved = { .kind = CODE_SUM, .number = number };

	column->how = code_value_is_same(state->registers[number], saved) ? CFI_HOW_SAME
									  : CFI_HOW_UNDEFINED;
	for (size_t i = 0; i < state->n_stores && column->how != CFI_HOW_OFFSET; i++) {
		const struct code_store *store = &state->stores[i];

		if (code_value_is_same(store->value, saved) && store->address.kind == CODE_SUM &&
		    store->address.number == state->sp) {
			column->how = CFI_HOW_OFFSET;
			column->offset = store->address.offset - first_cfa_offset;
		}
	}
}

/* Whether the register is a known number of words below where the stack pointer was first. */
static bool is_below_first(const struct code_state *state, uint8_t number)
{
	const struct code_value value = state->registers[number];

	return value.kind == CODE_SUM && value.number == state->sp && value.offset <= 0 &&
	       value.offset % WORD_BYTES == 0;
}

/*
 * As row_of, for a state that is what became of that at the function's first instruction.  Where
 * the stack pointer was moved by nobody knows how much the frame pointer may tell.
 */
static bool row_since(const struct code_state *state, enum arch arch, struct code_row *row)
{
	const bool is_x86 = arch == ARCH_X86_64;
	const struct code_value first_sp = { .kind = CODE_SUM, .number = state->sp };
	const int64_t first_cfa_offset = is_x86 ? WORD_BYTES : 0;
	const uint8_t fp = is_x86 ? X86_64_RBP : AARCH64_FP;
	const uint8_t base = is_below_first(state, state->sp) ? state->sp : fp;
	struct cfi_column *link;

	if (!is_below_first(state, base))
		return false;
	row->n_bytes = 0;
	row->row = (struct cfi_row){
		.return_register = is_x86 ? X86_64_RIP : AARCH64_LR,
		.n_columns = is_x86 ? X86_64_N_REGISTERS : AARCH64_N_REGISTERS,
		.cfa_register = base,
		.cfa_offset = first_cfa_offset - state->registers[base].offset,
	};
	for (uint8_t i = 0; i < row->row.n_columns; i++)
		if (is_preserved(arch, i) && i != state->sp)
			add_saved(row, i, state, first_cfa_offset);
	link = &row->row.columns[row->row.return_register];
	if (is_x86)
		*link = (struct cfi_column){ .how = CFI_HOW_OFFSET, .offset = -WORD_BYTES };
	else
		add_saved(row, AARCH64_LR, state, first_cfa_offset);
	return row->row.columns[fp].how != CFI_HOW_UNDEFINED && link->how == CFI_HOW_OFFSET &&
	       !(is_x86 && code_state_is_written(state, first_sp));
}

struct way {
	uint64_t vaddr;
	struct code_state state;
};

struct ways {
	const struct elf_image *image;
	enum arch arch;
	bool is_exact;
	bool has_row;
	bool is_contradictory; /* the stack pointer depends on the way */
	bool is_unsure;	       /* a way returns, or was not followed to its end */
	bool has_goal;	       /* else a return is */
	uint64_t goal;
	uint64_t start, end; /* with a goal: of the function, which no way leaves */
	bool is_sp_moved;    /* with a goal: by nobody knows how much, somewhere */
	struct code_row *row;
	struct seen seen;
	size_t n;
	struct way waiting[WAYS_MAX];
};

static enum code_step step(struct ways *ways, struct way *way, uint64_t *ret_target)
{
	return ways->arch == ARCH_X86_64
		       ? code_step_x86(ways->image, &way->state, &way->vaddr, ret_target)
		       : code_step_aarch64(ways->image, &way->state, &way->vaddr, ret_target);
}

/* Whether the way ends, as its place was come by. */
static bool meets(struct ways *ways, uint64_t vaddr, const struct code_state *state)
{
	if (!seen_has(&ways->seen, vaddr))
		return false;
	ways->is_contradictory |= seen_differs(&ways->seen, vaddr, state);
	ways->is_sp_moved |= seen_is_unsure(&ways->seen, vaddr, state);
	return true;
}

/* A branch.  More than can wait are left out. */
static void fork_way(struct ways *ways, const struct way *way, uint64_t target)
{
	if (meets(ways, target, &way->state))
		return;
	if (ways->n < WAYS_MAX)
		ways->waiting[ways->n++] = (struct way){ target, way->state };
	else
		ways->is_unsure = true;
}

static void take_return(struct ways *ways, const struct way *way)
{
	ways->is_unsure = true;
	if (!ways->has_row && !ways->has_goal)
		ways->has_row = row_of(&way->state, ways->arch, ways->is_exact, ways->row);
}

/* All ways have to say the same there, also those that have come by: in a loop it may be moved. */
static void look_for_goal(struct ways *ways, const struct way *way)
{
	struct code_row other;
	bool is_row;

	if (!ways->has_goal || way->vaddr != ways->goal)
		return;
	is_row = row_since(&way->state, ways->arch, ways->has_row ? &other : ways->row);
	if (!is_row || (ways->has_row && (other.row.cfa_register != ways->row->row.cfa_register ||
					  other.row.cfa_offset != ways->row->row.cfa_offset)))
		ways->is_contradictory = true;
	ways->has_row |= is_row;
}

static bool has_left(const struct ways *ways, uint64_t vaddr)
{
	return ways->has_goal && (vaddr < ways->start || vaddr >= ways->end);
}

static void follow_way(struct ways *ways, struct way *way)
{
	while (!ways->is_contradictory) {
		uint64_t target = 0;

		look_for_goal(ways, way);
		if (meets(ways, way->vaddr, &way->state) || has_left(ways, way->vaddr))
			return;
		if (!seen_add(&ways->seen, way->vaddr, &way->state)) {
			ways->is_unsure = true;
			return;
		}
		switch (step(ways, way, &target)) {
		case CODE_GOES_ON:
			break;
		case CODE_JUMPS:
			way->vaddr = target;
			break;
		case CODE_FORKS:
			fork_way(ways, way, target);
			break;
		case CODE_RETURNS:
			take_return(ways, way);
			return;
		case CODE_ENDS:
			look_for_goal(ways, way);
			return;
		case CODE_IS_LOST:
			ways->is_unsure = true;
			return;
		}
	}
}

/* Behind a call that does not return another function would come next. */
static bool ends_at(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	return arch == ARCH_X86_64 ? code_ends_x86(image, vaddr) : code_ends_aarch64(image, vaddr);
}

static uint8_t sp_of(enum arch arch)
{
	return arch == ARCH_X86_64 ? X86_64_RSP : AARCH64_SP;
}

static void follow_all(struct ways *ways, uint64_t vaddr)
{
	struct way way;

	ways->seen.n = 0;
	memset(ways->seen.places, 0, sizeof(ways->seen.places));
	ways->n = 1;
	ways->waiting[0].vaddr = vaddr;
	code_state_init(&ways->waiting[0].state, sp_of(ways->arch));
	while (ways->n && !ways->is_contradictory) {
		way = ways->waiting[--ways->n];
		follow_way(ways, &way);
	}
}

static void ways_init(struct ways *ways, const struct elf_image *image, enum arch arch,
		      struct code_row *row)
{
	ways->image = image;
	ways->arch = arch;
	ways->is_exact = false;
	ways->has_row = false;
	ways->is_contradictory = false;
	ways->is_unsure = false;
	ways->has_goal = false;
	ways->is_sp_moved = false;
	ways->row = row;
}

bool code_row_at(const struct elf_image *image, enum arch arch, uint64_t vaddr, bool is_exact,
		 struct code_row *ret_row)
{
	struct ways ways;

	ways_init(&ways, image, arch, ret_row);
	ways.is_exact = is_exact;
	ret_row->is_endless = false;
	if (!is_exact && !code_is_call_end(image, arch, vaddr))
		return false;
	if (is_exact || !ends_at(image, arch, vaddr))
		follow_all(&ways, vaddr);
	ret_row->is_endless = !ways.is_unsure && !ways.is_contradictory;
	return ways.has_row && !ways.is_contradictory;
}

bool code_row_from(const struct elf_image *image, enum arch arch, struct function_range function,
		   uint64_t vaddr, struct code_row *ret_row)
{
	struct ways ways;

	ways_init(&ways, image, arch, ret_row);
	ways.has_goal = true;
	ways.goal = vaddr;
	ways.start = function.start;
	ways.end = function.start + function.size_bytes;
	follow_all(&ways, function.start);
	return ways.has_row && !ways.is_contradictory &&
	       !(ways.is_sp_moved && ret_row->row.cfa_register == sp_of(arch));
}
