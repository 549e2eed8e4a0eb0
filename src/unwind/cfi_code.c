#include "unwind/cfi_code.h"

bool cfi_code_row(const struct cfi_cache_context *context, const struct cfi_frame *frame,
		  const struct cfi_entry *entry, struct code_row *ret_row)
{
	const struct elf_image *image = cfi_modules_image(context, entry->module);
	const struct mapping *mapping = address_space_find(&context->process->space, entry->ip);

	return image && mapping &&
	       code_row_at(image, context->arch, frame->pc - mapping->bias, frame->is_exact,
			   ret_row);
}

void cfi_code_look(const struct cfi_cache_context *context, const struct cfi_frame *frame,
		   struct cfi_entry *entry)
{
	const uint8_t flags = entry->rule.flags | CFI_RULE_HAS_READ;
	struct code_row code;

	if (entry->rule.kind != CFI_RULE_NONE || entry->rule.flags & CFI_RULE_HAS_READ)
		return;
	if (cfi_code_row(context, frame, entry, &code)) {
		entry->rule = cfi_rule_pack(&code.row, context->arch);
		entry->rule.flags |= CFI_RULE_BY_CODE;
	}
	entry->rule.flags |= flags;
}
