/* One row applied to a whole register set (DWARF 5, 6.4.3). */
#include "unwind/cfi_full.h"

#include "unwind/cfi_expression.h"

struct full_step {
	const struct cfi_row *row;
	struct cfi_expression_context context;
	uint64_t cfa;
	uint64_t missing;
};

static enum cfi_full_result failed(struct full_step *step)
{
	step->missing = step->context.missing_address;
	return step->missing ? CFI_FULL_MISSING : CFI_FULL_BAD;
}

static enum cfi_full_result full_cfa(struct full_step *step)
{
	const struct cfi_row *row = step->row;

	if (row->cfa_expression) {
		if (!cfi_expression_value(&step->context, row->cfa_expression,
					  row->cfa_expression_size, NULL, &step->cfa))
			return failed(step);
		return CFI_FULL_OK;
	}
	if (row->cfa_register >= row->n_columns)
		return CFI_FULL_BAD;
	step->cfa = step->context.registers->values[row->cfa_register] + (uint64_t)row->cfa_offset;
	return CFI_FULL_OK;
}

/*
 * The word at a slot.  One below the stack pointer was popped already (the
 * epilogue's rows still name it): the register holds its value again.
 */
static enum cfi_full_result full_slot(struct full_step *step, uint64_t address, uint64_t *value)
{
	if (address < registers_sp(step->context.registers))
		return CFI_FULL_OK;
	if (stack_dump_read(step->context.dump, address, value))
		return CFI_FULL_OK;
	step->missing = address;
	return CFI_FULL_MISSING;
}

static enum cfi_full_result full_column(struct full_step *step, const struct cfi_column *column,
					uint64_t *value)
{
	uint64_t address;

	switch ((enum cfi_how)column->how) {
	case CFI_HOW_SAME:
	case CFI_HOW_UNDEFINED:
		return CFI_FULL_OK;
	case CFI_HOW_OFFSET:
		return full_slot(step, step->cfa + (uint64_t)column->offset, value);
	case CFI_HOW_VALUE_OFFSET:
		*value = step->cfa + (uint64_t)column->offset;
		return CFI_FULL_OK;
	case CFI_HOW_REGISTER:
		if ((uint64_t)column->offset >= step->row->n_columns)
			return CFI_FULL_BAD;
		*value = step->context.registers->values[column->offset];
		return CFI_FULL_OK;
	case CFI_HOW_EXPRESSION:
		if (!cfi_expression_value(&step->context, column->expression,
					  column->expression_size, &step->cfa, &address))
			return failed(step);
		/*
		 * gcc's realigned frames save rbp "where rbp points to".  Behind the
		 * epilogue's pop that is the caller's frame: nothing was saved there.
		 */
		if (!step->row->is_signal && address >= step->cfa)
			return CFI_FULL_OK;
		return full_slot(step, address, value);
	case CFI_HOW_VALUE_EXPRESSION:
		if (!cfi_expression_value(&step->context, column->expression,
					  column->expression_size, &step->cfa, value))
			return failed(step);
		return CFI_FULL_OK;
	}
	return CFI_FULL_BAD;
}

enum cfi_full_result cfi_full_step(const struct cfi_row *row, const struct stack_dump *dump,
				   struct registers *registers, uint64_t *ret_missing)
{
	const bool is_x86 = registers->arch == ARCH_X86_64;
	const uint32_t sp = is_x86 ? X86_64_RSP : AARCH64_SP;
	const uint32_t pc = is_x86 ? X86_64_RIP : AARCH64_PC;
	struct full_step step = { .row = row, .context = { .registers = registers, .dump = dump } };
	struct registers caller = *registers;
	enum cfi_full_result r;

	if (row->return_register >= row->n_columns)
		return CFI_FULL_BAD;
	if (row->columns[row->return_register].how == CFI_HOW_UNDEFINED)
		return CFI_FULL_END;
	r = full_cfa(&step);
	caller.values[sp] = step.cfa;
	for (uint32_t i = 0; i < row->n_columns && r == CFI_FULL_OK; i++)
		r = full_column(&step, &row->columns[i], &caller.values[i]);
	if (r == CFI_FULL_MISSING)
		*ret_missing = step.missing;
	if (r != CFI_FULL_OK)
		return r;
	/* On aarch64 the return column is lr, and the pc has no column of its own. */
	caller.values[pc] = caller.values[row->return_register];
	*registers = caller;
	return CFI_FULL_OK;
}
