/*
 * A program of a hundred bytes is run for each address that was not met before.
 * Of most of it nothing has to be kept: registers that are saved somewhere, but
 * are neither fp nor the return address, are stepped over.
 */
#include "unwind/cfi_plain.h"

#include "base/bytes.h"
#include "unwind/cfi_opcode.h"

enum { LEB128_ONE_BYTE = 0x80 }; /* numbers below take one byte */

struct plain {
	const struct cfi_fde *fde;
	const struct cfi_row *initial;
	struct bytes from; /* the FDE's program */
	uint64_t location; /* where the row begins to hold */
	uint64_t before;   /* where the one before did */
	struct cfi_plain_row row;
	uint32_t sp, fp, link; /* the columns that matter */
	unsigned int n_states;
	struct cfi_plain_row states[CFI_ROWS_MAX_STATES];
};

/* NULL for a column that is not followed. */
static struct cfi_column *followed(struct plain *p, uint64_t number)
{
	if (number == p->fp)
		return &p->row.fp;
	return number == p->link ? &p->row.link : NULL;
}

/* False where the stack pointer of the caller is something else than the CFA. */
static bool set_column(struct plain *p, uint64_t number, enum cfi_how how, uint64_t factor)
{
	struct cfi_column *column = followed(p, number);

	if (column)
		*column = (struct cfi_column){
			.offset = (int64_t)(factor * (uint64_t)p->fde->data_alignment),
			.how = (uint8_t)how,
		};
	return number != p->sp;
}

static bool restore_column(struct plain *p, uint64_t number)
{
	struct cfi_column *column = followed(p, number);

	if (column)
		*column = p->initial->columns[number];
	return true;
}

static bool set_cfa_register(struct plain *p, uint64_t number)
{
	p->row.cfa_register = number < REGISTERS_MAX ? (uint32_t)number : REGISTERS_MAX;
	return true;
}

static bool set_cfa_offset(struct plain *p, uint64_t offset)
{
	p->row.cfa_offset = (int64_t)offset;
	return true;
}

static bool remember_state(struct plain *p)
{
	if (p->n_states == CFI_ROWS_MAX_STATES)
		return false;
	p->states[p->n_states++] = p->row;
	return true;
}

static bool restore_state(struct plain *p)
{
	if (!p->n_states)
		return false;
	p->row = p->states[--p->n_states];
	return true;
}

static bool advance(struct plain *p, uint64_t delta)
{
	p->before = p->location;
	p->location += delta * p->fde->code_alignment;
	return p->location >= p->before;
}

/* An instruction with its operand in its low bits; false for what is not plain. */
static bool step_short(struct plain *p, uint8_t opcode)
{
	const uint8_t operand = opcode & (uint8_t)~CFA_HIGH_MASK;

	switch (opcode & CFA_HIGH_MASK) {
	case CFA_ADVANCE_LOC:
		return advance(p, operand);
	case CFA_OFFSET:
		return set_column(p, operand, CFI_HOW_OFFSET, bytes_uleb(&p->from));
	default:
		return restore_column(p, operand);
	}
}

/* Any other. */
static bool step_long(struct plain *p, uint8_t opcode)
{
	struct bytes *from = &p->from;
	uint64_t number;

	switch (opcode) {
	case CFA_NOP:
	case CFA_NEGATE_RA_STATE: /* return addresses are stripped alike */
	case CFA_NEGATE_RA_STATE_WITH_PC:
		return true;
	case CFA_ADVANCE_LOC1:
		return advance(p, bytes_u8(from));
	case CFA_ADVANCE_LOC2:
		return advance(p, bytes_u16(from));
	case CFA_ADVANCE_LOC4:
		return advance(p, bytes_u32(from));
	case CFA_GNU_ARGS_SIZE:
		(void)bytes_uleb(from);
		return true;
	case CFA_DEF_CFA:
		number = bytes_uleb(from);
		return set_cfa_register(p, number) && set_cfa_offset(p, bytes_uleb(from));
	case CFA_DEF_CFA_REGISTER:
		return set_cfa_register(p, bytes_uleb(from));
	case CFA_DEF_CFA_OFFSET:
		return set_cfa_offset(p, bytes_uleb(from));
	case CFA_REMEMBER_STATE:
		return remember_state(p);
	case CFA_RESTORE_STATE:
		return restore_state(p);
	case CFA_OFFSET_EXTENDED:
		number = bytes_uleb(from);
		return set_column(p, number, CFI_HOW_OFFSET, bytes_uleb(from));
	case CFA_RESTORE_EXTENDED:
		return restore_column(p, bytes_uleb(from));
	case CFA_UNDEFINED:
		return set_column(p, bytes_uleb(from), CFI_HOW_UNDEFINED, 0);
	case CFA_SAME_VALUE:
		return set_column(p, bytes_uleb(from), CFI_HOW_SAME, 0);
	default:
		return false;
	}
}

/*
 * Until the location passes `vaddr`; false where it cannot be told.  Pushes and pops
 * are nine tenths of a program: the first two branches are for them.
 */
static bool run(struct plain *p, uint64_t vaddr)
{
	const uint64_t alignment = p->fde->code_alignment;
	const uint8_t *at = p->from.at;
	const uint8_t *end = p->from.end;

	while (at < end && p->location <= vaddr) {
		const uint8_t opcode = *at++;

		if ((opcode & CFA_HIGH_MASK) == CFA_ADVANCE_LOC && alignment == 1 &&
		    p->location < UINT64_MAX - UINT8_MAX) {
			p->before = p->location;
			p->location += opcode & (uint8_t)~CFA_HIGH_MASK;
			continue;
		}
		if (opcode == CFA_DEF_CFA_OFFSET && at < end && *at < LEB128_ONE_BYTE) {
			p->row.cfa_offset = *at++;
			continue;
		}
		p->from.at = at;
		if (!(opcode & CFA_HIGH_MASK ? step_short(p, opcode) : step_long(p, opcode)) ||
		    p->from.is_bad)
			return false;
		at = p->from.at;
	}
	return true;
}

bool cfi_plain_span(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
		    struct cfi_span *ret_span)
{
	const bool is_x86 = arch == ARCH_X86_64;
	struct plain p;

	p.fde = fde;
	p.initial = fde->initial;
	p.sp = is_x86 ? X86_64_RSP : AARCH64_SP;
	p.fp = is_x86 ? X86_64_RBP : AARCH64_FP;
	p.link = is_x86 ? X86_64_RIP : AARCH64_LR;
	p.n_states = 0;
	p.location = p.before = fde->start;
	p.from = bytes_of(fde->program, fde->program_size);
	if (!p.initial || p.initial->cfa_expression || fde->return_register != p.link ||
	    p.initial->columns[p.sp].how != CFI_HOW_SAME)
		return false;
	p.row.cfa_register = p.initial->cfa_register;
	p.row.cfa_offset = p.initial->cfa_offset;
	p.row.fp = p.initial->columns[p.fp];
	p.row.link = p.initial->columns[p.link];
	if (!run(&p, vaddr))
		return false;
	/* It ran up to the next row, unless this one is the last. */
	*ret_span = (struct cfi_span){
		.start = p.location > vaddr ? p.before : p.location,
		.end = p.location > vaddr && p.location < fde->end ? p.location : fde->end,
		.rule = { .flags = fde->is_signal ? CFI_RULE_IS_SIGNAL : 0 },
	};
	ret_span->rule.kind = p.row.link.how == CFI_HOW_UNDEFINED
				      ? CFI_RULE_END
				      : (uint8_t)cfi_rule_pack_plain(&p.row, arch, &ret_span->rule);
	return true;
}
