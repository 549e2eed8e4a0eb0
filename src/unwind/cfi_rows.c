/*
 * The call frame instructions (DWARF 5, 6.4.2, and the GNU and AArch64 ones).
 * They are executed straight from the section until the location passes the
 * address that is asked for.
 */
#include "unwind/cfi_rows.h"

#include <errno.h>
#include <string.h>

#include "unwind/cfi_opcode.h"

struct machine {
	const struct cfi_fde *fde;
	struct bytes from;
	uint64_t location;
	struct cfi_row *row;
	const struct cfi_row *initial; /* NULL while the CIE's program runs */
	unsigned int n_states;
	struct cfi_row states[CFI_ROWS_MAX_STATES];
};

static void row_copy(struct cfi_row *to, const struct cfi_row *from)
{
	memcpy(to, from,
	       offsetof(struct cfi_row, columns) + from->n_columns * sizeof(from->columns[0]));
}

/* Offsets wrap instead of overflowing: what is hostile must not be undefined. */
static int64_t times(uint64_t factor, int64_t alignment)
{
	return (int64_t)(factor * (uint64_t)alignment);
}

static void set_column(struct machine *m, uint64_t number, struct cfi_column column)
{
	if (number < m->row->n_columns)
		m->row->columns[number] = column;
}

static void set_offset(struct machine *m, uint64_t number, enum cfi_how how, int64_t offset)
{
	set_column(m, number, (struct cfi_column){ .offset = offset, .how = (uint8_t)how });
}

static void set_expression(struct machine *m, uint64_t number, enum cfi_how how)
{
	const uint64_t size = bytes_uleb(&m->from);
	const uint8_t *expression = bytes_take(&m->from, size);

	if (size > UINT32_MAX)
		m->from.is_bad = true;
	set_column(m, number,
		   (struct cfi_column){ .expression = expression,
					.expression_size = (uint32_t)size,
					.how = (uint8_t)how });
}

static void restore_column(struct machine *m, uint64_t number)
{
	if (!m->initial)
		m->from.is_bad = true;
	else if (number < m->row->n_columns)
		m->row->columns[number] = m->initial->columns[number];
}

static void remember_state(struct machine *m)
{
	if (m->n_states == CFI_ROWS_MAX_STATES)
		m->from.is_bad = true;
	else
		row_copy(&m->states[m->n_states++], m->row);
}

static void restore_state(struct machine *m)
{
	if (m->n_states == 0)
		m->from.is_bad = true;
	else
		row_copy(m->row, &m->states[--m->n_states]);
}

static void set_cfa_register(struct machine *m, uint64_t number)
{
	m->row->cfa_register = number < REGISTERS_MAX ? (uint32_t)number : REGISTERS_MAX;
	m->row->cfa_expression = NULL;
}

static void set_cfa_expression(struct machine *m)
{
	const uint64_t size = bytes_uleb(&m->from);

	if (size == 0 || size > UINT32_MAX)
		m->from.is_bad = true;
	m->row->cfa_expression = bytes_take(&m->from, size);
	m->row->cfa_expression_size = (uint32_t)size;
}

static void advance(struct machine *m, uint64_t delta)
{
	const uint64_t bytes = delta * m->fde->code_alignment;

	/* Only forwards (except by set_loc): what runs backwards is damaged. */
	if (m->location + bytes < m->location)
		m->from.is_bad = true;
	m->location += bytes;
}

static void set_location(struct machine *m)
{
	const struct cfi_section *section = m->fde->section;

	m->location = cfi_pointer(&m->from, m->fde->pointer_encoding, section->bytes,
				  section->vaddr, 0);
}

/* Instructions about the CFA; false when it is none of them. */
static bool step_cfa(struct machine *m, uint8_t opcode)
{
	struct cfi_row *row = m->row;

	switch (opcode) {
	case CFA_DEF_CFA:
		set_cfa_register(m, bytes_uleb(&m->from));
		row->cfa_offset = (int64_t)bytes_uleb(&m->from);
		return true;
	case CFA_DEF_CFA_SF:
		set_cfa_register(m, bytes_uleb(&m->from));
		row->cfa_offset = times((uint64_t)bytes_sleb(&m->from), m->fde->data_alignment);
		return true;
	case CFA_DEF_CFA_REGISTER:
		set_cfa_register(m, bytes_uleb(&m->from));
		return true;
	case CFA_DEF_CFA_OFFSET:
		row->cfa_offset = (int64_t)bytes_uleb(&m->from);
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		row->cfa_offset = times((uint64_t)bytes_sleb(&m->from), m->fde->data_alignment);
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		set_cfa_expression(m);
		return true;
	default:
		return false;
	}
}

/* Instructions whose first operand is a register; false when it is none of them. */
static bool step_column(struct machine *m, uint8_t opcode)
{
	const int64_t alignment = m->fde->data_alignment;
	struct bytes *from = &m->from;
	uint64_t number;

	if ((opcode < CFA_OFFSET_EXTENDED || opcode > CFA_REGISTER) &&
	    (opcode < CFA_EXPRESSION || opcode > CFA_VAL_EXPRESSION) &&
	    opcode != CFA_GNU_NEGATIVE_OFFSET)
		return false;
	number = bytes_uleb(from);
	switch (opcode) {
	case CFA_OFFSET_EXTENDED:
		set_offset(m, number, CFI_HOW_OFFSET, times(bytes_uleb(from), alignment));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		set_offset(m, number, CFI_HOW_OFFSET, times((uint64_t)bytes_sleb(from), alignment));
		break;
	case CFA_GNU_NEGATIVE_OFFSET:
		set_offset(m, number, CFI_HOW_OFFSET, times(0 - bytes_uleb(from), alignment));
		break;
	case CFA_VAL_OFFSET:
		set_offset(m, number, CFI_HOW_VALUE_OFFSET, times(bytes_uleb(from), alignment));
		break;
	case CFA_VAL_OFFSET_SF:
		set_offset(m, number, CFI_HOW_VALUE_OFFSET,
			   times((uint64_t)bytes_sleb(from), alignment));
		break;
	case CFA_RESTORE_EXTENDED:
		restore_column(m, number);
		break;
	case CFA_UNDEFINED:
		set_offset(m, number, CFI_HOW_UNDEFINED, 0);
		break;
	case CFA_SAME_VALUE:
		set_offset(m, number, CFI_HOW_SAME, 0);
		break;
	case CFA_REGISTER:
		set_offset(m, number, CFI_HOW_REGISTER, (int64_t)bytes_uleb(from));
		break;
	case CFA_EXPRESSION:
		set_expression(m, number, CFI_HOW_EXPRESSION);
		break;
	case CFA_VAL_EXPRESSION:
		set_expression(m, number, CFI_HOW_VALUE_EXPRESSION);
		break;
	default:
		return false; /* between EXPRESSION and VAL_EXPRESSION: def_cfa_sf and the like */
	}
	return true;
}

/* Instructions about the location and the whole row; false when it is none of them. */
static bool step_row(struct machine *m, uint8_t opcode)
{
	switch (opcode) {
	case CFA_NOP:
		break;
	case CFA_SET_LOC:
		set_location(m);
		break;
	case CFA_ADVANCE_LOC1:
		advance(m, bytes_u8(&m->from));
		break;
	case CFA_ADVANCE_LOC2:
		advance(m, bytes_u16(&m->from));
		break;
	case CFA_ADVANCE_LOC4:
		advance(m, bytes_u32(&m->from));
		break;
	case CFA_ADVANCE_LOC8:
		advance(m, bytes_u64(&m->from));
		break;
	case CFA_REMEMBER_STATE:
		remember_state(m);
		break;
	case CFA_RESTORE_STATE:
		restore_state(m);
		break;
	case CFA_NEGATE_RA_STATE:
	case CFA_NEGATE_RA_STATE_WITH_PC:
		m->row->is_return_signed = !m->row->is_return_signed;
		break;
	case CFA_GNU_ARGS_SIZE:
		(void)bytes_uleb(&m->from); /* matters to exceptions only */
		break;
	default:
		return false;
	}
	return true;
}

static void step(struct machine *m)
{
	const uint8_t opcode = bytes_u8(&m->from);
	const uint8_t operand = opcode & (uint8_t)~CFA_HIGH_MASK;

	switch (opcode & CFA_HIGH_MASK) {
	case CFA_ADVANCE_LOC:
		advance(m, operand);
		return;
	case CFA_OFFSET:
		set_offset(m, operand, CFI_HOW_OFFSET,
			   times(bytes_uleb(&m->from), m->fde->data_alignment));
		return;
	case CFA_RESTORE:
		restore_column(m, operand);
		return;
	default:
		break;
	}
	if (!step_cfa(m, opcode) && !step_row(m, opcode) && !step_column(m, opcode))
		m->from.is_bad = true;
}

/* The row that holds at `vaddr` is the one before the location passes it. */
static int machine_run(struct machine *m, const uint8_t *program, size_t size, uint64_t vaddr)
{
	m->from = bytes_of(program, size);
	while (bytes_left(&m->from) && !m->from.is_bad) {
		step(m);
		if (m->location > vaddr)
			break;
	}
	return m->from.is_bad ? -EINVAL : 0;
}

int cfi_row_initial(const struct cfi_fde *fde, enum arch arch, struct cfi_row *ret_row)
{
	struct machine m;

	m.fde = fde;
	m.row = ret_row;
	m.initial = NULL;
	m.n_states = 0;
	m.location = fde->start;
	*ret_row = (struct cfi_row){
		.cfa_register = REGISTERS_MAX,
		.return_register = fde->return_register < REGISTERS_MAX
					   ? (uint32_t)fde->return_register
					   : REGISTERS_MAX,
		.n_columns = arch == ARCH_X86_64 ? X86_64_N_REGISTERS : AARCH64_N_REGISTERS,
		.is_signal = fde->is_signal,
	};
	return machine_run(&m, fde->initial_program, fde->initial_program_size, UINT64_MAX);
}

int cfi_row_at(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch, struct cfi_row *ret_row)
{
	struct machine m;
	struct cfi_row initial;
	int r = 0;

	m.initial = fde->initial;
	if (!m.initial) {
		r = cfi_row_initial(fde, arch, &initial);
		m.initial = &initial;
	}
	if (r < 0)
		return r;
	row_copy(ret_row, m.initial);
	m.fde = fde;
	m.row = ret_row;
	m.n_states = 0;
	m.location = fde->start;
	return machine_run(&m, fde->program, fde->program_size, vaddr);
}
