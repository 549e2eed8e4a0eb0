/* The callers of functions, where only their beginnings tell. */
#include "unwind/cfi_search.h"

#include "unwind/cfi_ladder.h"
#include "unwind/code_bytes.h"
#include "unwind/code_row.h"

enum {
	SEARCH_WORDS = 64,
	WORD_BYTES = 8,
	ENTRY_MAX_BYTES = 64, /* from a program's first instruction to its call */
	FUNCTION_MAX_BYTES = 1 << 16,
	BEGIN_MAX_FRAMES = 8,
};

static uint64_t entry_ip(const struct cfi_frame *frame)
{
	return frame->pc - !frame->is_exact;
}

static uint64_t slot_of(uint64_t cfa, int16_t n_words)
{
	return cfa + (uint64_t)(n_words * INT64_C(8));
}

/* A return address, and the word of the stack that holds it. */
struct candidate {
	uint64_t ip;
	uint64_t slot;
};

/* The rule of a function that was called before `candidate`, which tells where it begins. */
static bool is_called(struct cfi_cache_context *context, const struct cfi_frame *frame,
		      struct candidate candidate, struct cfi_rule *ret_rule)
{
	const struct address_space *space = &context->process->space;
	const struct mapping *from = address_space_find(space, candidate.ip - 1);
	const struct mapping *to = address_space_find(space, entry_ip(frame));
	const struct elf_image *caller = from ? cfi_modules_image(context, from->module) : NULL;
	const struct elf_image *image = to ? cfi_modules_image(context, to->module) : NULL;
	struct function_range function = { .size_bytes = FUNCTION_MAX_BYTES };
	struct code_row code;
	uint64_t start;

	if (!caller || !image ||
	    !code_call_target(caller, context->arch, candidate.ip - from->bias, &start))
		return false;
	start += from->bias;
	function.start = start - to->bias;
	if (frame->pc - start >= FUNCTION_MAX_BYTES ||
	    !code_row_from(image, context->arch, function, frame->pc - to->bias, &code))
		return false;
	*ret_rule = cfi_rule_pack(&code.row, context->arch);
	return ret_rule->kind == CFI_RULE_SP &&
	       frame->sp + (uint64_t)((ret_rule->cfa_words + ret_rule->link_words) * WORD_BYTES) ==
		       candidate.slot;
}

/* A program's entry is known by its arguments, which lie above what it has pushed. */
static bool is_root(struct cfi_cache_context *context, const struct stack_dump *dump,
		    struct candidate candidate)
{
	const struct cfi_entry *entry = cfi_cache_get(context, candidate.ip - 1);
	const struct mapping *mapping = address_space_find(&context->process->space,
							   candidate.ip - 1);
	const struct elf_image *image = mapping ? cfi_modules_image(context, mapping->module)
						: NULL;

	if (entry && entry->rule.kind == CFI_RULE_END)
		return true;
	return image && image->entry_vaddr &&
	       candidate.ip - mapping->bias - image->entry_vaddr <= ENTRY_MAX_BYTES &&
	       cfi_ladder_is_arguments(dump, candidate.slot + WORD_BYTES);
}

/* By call frame information, where that says no more than where the caller's pc, sp and fp are. */
static bool step(struct cfi_cache_context *context, const struct stack_dump *dump,
		 struct cfi_rule rule, struct cfi_frame *frame)
{
	const uint64_t base = rule.kind == CFI_RULE_SP ? frame->sp : frame->fp;
	const uint64_t cfa = base + (uint64_t)(rule.cfa_words * WORD_BYTES);

	if ((rule.kind != CFI_RULE_SP && rule.kind != CFI_RULE_FP) || !rule.link_words ||
	    rule.flags & (CFI_RULE_BY_CODE | CFI_RULE_IS_SIGNAL) || cfa <= frame->sp)
		return false;
	if (!stack_dump_read(dump, slot_of(cfa, rule.link_words), &frame->pc) ||
	    (rule.fp_words && !stack_dump_read(dump, slot_of(cfa, rule.fp_words), &frame->fp)))
		return false;
	frame->pc = cfi_code_address(context->arch, frame->pc);
	frame->sp = cfa;
	return true;
}

static bool is_begun(struct cfi_cache_context *context, const struct stack_dump *dump,
		     const struct cfi_frame *frame, struct candidate candidate)
{
	const struct mapping *mapping = address_space_find(&context->process->space,
							   candidate.ip - 1);
	const struct elf_image *image = mapping ? cfi_modules_image(context, mapping->module)
						: NULL;
	struct cfi_frame next = { .pc = candidate.ip, .sp = candidate.slot + WORD_BYTES };
	uint64_t target;

	if (!image || code_call_target(image, context->arch, candidate.ip - mapping->bias, &target))
		return false;
	next.fp = frame->fp;
	for (size_t i = 0; i < BEGIN_MAX_FRAMES; i++) {
		const struct cfi_entry *entry = cfi_cache_get(context, next.pc - 1);

		if (!entry)
			return false;
		if (i && entry->rule.kind == CFI_RULE_END)
			return true;
		if (!step(context, dump, entry->rule, &next))
			return false;
	}
	return false;
}

static struct cfi_rule nearest_rule(const struct cfi_frame *frame, struct candidate candidate)
{
	return (struct cfi_rule){
		.kind = CFI_RULE_SP,
		.cfa_words = (int16_t)((candidate.slot - frame->sp) / WORD_BYTES + 1),
		.link_words = -1,
	};
}

static bool take(struct cfi_cache_context *context, const struct stack_dump *dump,
		 struct cfi_frame *frame, struct candidate candidate, struct cfi_rule rule)
{
	struct cfi_entry *entry = cfi_cache_get(context, entry_ip(frame));
	const uint64_t cfa = frame->sp + (uint64_t)(rule.cfa_words * WORD_BYTES);

	if (rule.fp_words && !stack_dump_read(dump, slot_of(cfa, rule.fp_words), &frame->fp))
		return false;
	if (entry) {
		rule.flags |= entry->rule.flags | CFI_RULE_BY_CODE;
		entry->rule = rule;
	}
	frame->pc = candidate.ip;
	frame->sp = cfa;
	frame->is_exact = false;
	return true;
}

bool cfi_search_is_endless(struct cfi_cache_context *context, const struct cfi_frame *frame)
{
	const struct cfi_entry *entry = cfi_cache_get(context, entry_ip(frame));

	return entry && entry->rule.flags & CFI_RULE_IS_ENDLESS;
}

bool cfi_search_caller(struct cfi_cache_context *context, const struct stack_dump *dump,
		       struct cfi_frame *frame)
{
	const struct cfi_entry *entry = cfi_cache_get(context, entry_ip(frame));
	bool is_first = true;

	/* Code that is not at hand may have called more of it. */
	if (!entry || !cfi_modules_image(context, entry->module) || frame->sp % WORD_BYTES)
		return false;
	for (uint64_t i = 0; i < SEARCH_WORDS; i++) {
		struct candidate candidate = { .slot = frame->sp + i * WORD_BYTES };
		struct cfi_rule rule;

		if (!stack_dump_read(dump, candidate.slot, &candidate.ip))
			return false;
		candidate.ip = cfi_code_address(context->arch, candidate.ip);
		if (!cfi_ladder_is_return(context, candidate.ip))
			continue;
		if (is_called(context, frame, candidate, &rule))
			return take(context, dump, frame, candidate, rule);
		if (is_first && cfi_ladder_is_behind_call(context, candidate.ip) &&
		    (is_root(context, dump, candidate) ||
		     is_begun(context, dump, frame, candidate)))
			return take(context, dump, frame, candidate,
				    nearest_rule(frame, candidate));
		is_first = false;
	}
	return false;
}
