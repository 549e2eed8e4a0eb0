/*
 * Recognising the few shapes that rows come in: CFA from sp or fp with slots
 * below it, and three expressions that compilers, linkers and libc write.
 */
#include "unwind/cfi_rule.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

enum {
	DW_OP_DEREF = 0x06,
	DW_OP_LIT0 = 0x30,
	DW_OP_LIT15 = 0x3f,
	DW_OP_BREG6 = 0x76,
	DW_OP_BREG7 = 0x77,

	FAR_BYTES = INT16_MAX * 8,

	/* struct ucontext at sp, asm/sigcontext.h: gregs[] begin at 40. */
	UCONTEXT_RSP = 160,
	UCONTEXT_RBP = 120,
	UCONTEXT_RIP = 168,
};

static bool words_fit(int64_t bytes, int16_t *ret_words)
{
	if (bytes % 8 != 0 || bytes / 8 < INT16_MIN || bytes / 8 > INT16_MAX)
		return false;
	*ret_words = (int16_t)(bytes / 8);
	return true;
}

/* A saved register's slot in words; 0 for one that still holds. */
static bool slot_fits(const struct cfi_column *column, int16_t *ret_words)
{
	switch ((enum cfi_how)column->how) {
	case CFI_HOW_SAME:
	case CFI_HOW_UNDEFINED:
		*ret_words = 0;
		return true;
	case CFI_HOW_OFFSET:
		return column->offset != 0 && words_fit(column->offset, ret_words);
	case CFI_HOW_VALUE_OFFSET:
	case CFI_HOW_REGISTER:
	case CFI_HOW_EXPRESSION:
	case CFI_HOW_VALUE_EXPRESSION:
		break;
	}
	return false;
}

/* Whether the expression is `breg opcode` + offset, and then a deref if so wanted. */
static bool is_register_offset(const uint8_t *expression, size_t size, uint8_t opcode,
			       bool is_deref, int64_t *ret_offset)
{
	struct bytes from = bytes_of(expression, size);

	if (bytes_u8(&from) != opcode)
		return false;
	*ret_offset = bytes_sleb(&from);
	if (is_deref && bytes_u8(&from) != DW_OP_DEREF)
		return false;
	return !from.is_bad && bytes_left(&from) == 0;
}

static bool column_is_at_rsp(const struct cfi_column *column, int64_t wanted)
{
	int64_t offset;

	return column->how == CFI_HOW_EXPRESSION &&
	       is_register_offset(column->expression, column->expression_size, DW_OP_BREG7, false,
				  &offset) &&
	       offset == wanted;
}

/* What glibc says of its __restore_rt. */
static bool row_is_signal_frame(const struct cfi_row *row)
{
	int64_t offset;

	return row->is_signal &&
	       is_register_offset(row->cfa_expression, row->cfa_expression_size, DW_OP_BREG7, true,
				  &offset) &&
	       offset == UCONTEXT_RSP &&
	       column_is_at_rsp(&row->columns[X86_64_RBP], UCONTEXT_RBP) &&
	       column_is_at_rsp(&row->columns[X86_64_RIP], UCONTEXT_RIP);
}

/*
 * What linkers say of .plt: before its push the CFA is sp + 8, behind it
 * sp + 16.  "breg7 8; breg16 0; lit15; and; litN; ge; lit3; shl; plus".
 */
static bool row_is_plt(const struct cfi_row *row, int16_t *ret_byte)
{
	static const uint8_t head[] = { DW_OP_BREG7, 8, 0x80, 0, DW_OP_LIT15, 0x1a };
	static const uint8_t tail[] = { 0x2a, 0x33, 0x24, 0x22 };
	const uint8_t *expression = row->cfa_expression;

	if (row->cfa_expression_size != sizeof(head) + 1 + sizeof(tail))
		return false;
	if (memcmp(expression, head, sizeof(head)) != 0 ||
	    memcmp(expression + sizeof(head) + 1, tail, sizeof(tail)) != 0)
		return false;
	if (expression[sizeof(head)] < DW_OP_LIT0 || expression[sizeof(head)] > DW_OP_LIT15)
		return false;
	*ret_byte = (int16_t)(expression[sizeof(head)] - DW_OP_LIT0);
	return true;
}

/* What gcc says behind `push rbp` in a function that realigns its stack. */
static bool row_is_drap(const struct cfi_row *row, struct cfi_rule *rule)
{
	const struct cfi_column *fp = &row->columns[X86_64_RBP];
	int64_t cfa;
	int64_t slot;

	if (fp->how != CFI_HOW_EXPRESSION ||
	    !is_register_offset(row->cfa_expression, row->cfa_expression_size, DW_OP_BREG6, true,
				&cfa) ||
	    !is_register_offset(fp->expression, fp->expression_size, DW_OP_BREG6, false, &slot))
		return false;
	return words_fit(cfa, &rule->cfa_words) && words_fit(slot, &rule->fp_words);
}

static enum cfi_rule_kind pack_expression(const struct cfi_row *row, struct cfi_rule *rule)
{
	if (row_is_signal_frame(row))
		return CFI_RULE_SIGNAL;
	if (!slot_fits(&row->columns[X86_64_RIP], &rule->link_words) || rule->link_words == 0)
		return CFI_RULE_FULL;
	if (row_is_drap(row, rule))
		return CFI_RULE_DRAP;
	if (row_is_plt(row, &rule->cfa_words) && row->columns[X86_64_RBP].how == CFI_HOW_SAME)
		return CFI_RULE_PLT;
	return CFI_RULE_FULL;
}

/* Arrays on the stack, in x86-64's frames without a frame pointer. */
static bool far_fits(const struct cfi_plain_row *row, struct cfi_rule *rule)
{
	const uint64_t words = (uint64_t)row->cfa_offset / 8;

	if (row->cfa_offset % 8 != 0 || words > UINT32_MAX || row->link.how != CFI_HOW_OFFSET ||
	    row->link.offset != -8)
		return false;
	rule->cfa_words = (int16_t)(uint16_t)words;
	rule->link_words = (int16_t)(uint16_t)(words >> 16);
	return slot_fits(&row->fp, &rule->fp_words);
}

enum cfi_rule_kind cfi_rule_pack_plain(const struct cfi_plain_row *row, enum arch arch,
				       struct cfi_rule *rule)
{
	const bool is_x86 = arch == ARCH_X86_64;
	const uint32_t sp = is_x86 ? X86_64_RSP : AARCH64_SP;
	const uint32_t fp = is_x86 ? X86_64_RBP : AARCH64_FP;

	if (row->cfa_register != sp && row->cfa_register != fp)
		return CFI_RULE_FULL;
	if (is_x86 && row->cfa_register == sp && row->cfa_offset > FAR_BYTES)
		return far_fits(row, rule) ? CFI_RULE_SP_FAR : CFI_RULE_FULL;
	if (!words_fit(row->cfa_offset, &rule->cfa_words) ||
	    !slot_fits(&row->fp, &rule->fp_words) || !slot_fits(&row->link, &rule->link_words))
		return CFI_RULE_FULL;
	if (is_x86 && rule->link_words == 0)
		return CFI_RULE_FULL;
	return row->cfa_register == sp ? CFI_RULE_SP : CFI_RULE_FP;
}

static enum cfi_rule_kind pack_row(const struct cfi_row *row, enum arch arch, struct cfi_rule *rule)
{
	const bool is_x86 = arch == ARCH_X86_64;
	const struct cfi_plain_row plain = {
		.cfa_register = row->cfa_register,
		.cfa_offset = row->cfa_offset,
		.fp = row->columns[is_x86 ? X86_64_RBP : AARCH64_FP],
		.link = row->columns[row->return_register],
	};

	if (row->columns[is_x86 ? X86_64_RSP : AARCH64_SP].how != CFI_HOW_SAME)
		return CFI_RULE_FULL;
	return cfi_rule_pack_plain(&plain, arch, rule);
}

struct cfi_rule cfi_rule_pack(const struct cfi_row *row, enum arch arch)
{
	const uint32_t link = arch == ARCH_X86_64 ? X86_64_RIP : AARCH64_LR;
	struct cfi_rule rule = { .flags = row->is_signal ? CFI_RULE_IS_SIGNAL : 0 };
	enum cfi_rule_kind kind = CFI_RULE_FULL;

	if (row->return_register < row->n_columns &&
	    row->columns[row->return_register].how == CFI_HOW_UNDEFINED)
		kind = CFI_RULE_END;
	else if (row->return_register != link)
		kind = CFI_RULE_FULL;
	else if (!row->cfa_expression)
		kind = pack_row(row, arch, &rule);
	else if (arch == ARCH_X86_64)
		kind = pack_expression(row, &rule);
	rule.kind = (uint8_t)kind;
	return rule;
}
