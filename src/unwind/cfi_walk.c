/*
 * The fast walk follows pc, sp and fp by cached rules; when a
 * frame needs more, the sample is walked again from its first frame with all
 * registers.  That happens to less than one sample in a hundred, but where code without
 * call frame information aligns its stack.
 */
#include "unwind/cfi_walk.h"

#include "unwind/cfi_code.h"
#include "unwind/cfi_full.h"
#include "unwind/cfi_ladder.h"
#include "unwind/code_bytes.h"

struct walk {
	struct cfi_cache_context *cache;
	struct stack_dump dump;
	struct stack *stack;
	struct cfi_frame frame;
	struct walk_trail trail;
	struct registers *full; /* NULL in the fast walk */
	uint64_t needed_end;	/* of the dump; for needed_stack_bytes */
};

enum verdict { VERDICT_GO_ON, VERDICT_DONE, VERDICT_NEEDS_FULL };

static enum verdict done(struct walk *w, enum stack_end end)
{
	w->stack->end = end;
	return VERDICT_DONE;
}

static enum verdict ended_by_code(struct walk *w)
{
	walk_trail_end(&w->trail, &w->frame);
	return done(w, STACK_COMPLETE);
}

/* The walk ends because the word at `address` is not in the dump. */
static enum verdict unreadable(struct walk *w, uint64_t address)
{
	/* The interrupted code ran on another stack than its handler, which was copied. */
	if (w->frame.is_switched)
		return done(w, STACK_TRUNCATED_DUMP);
	if (address >= w->dump.start && address < UINT64_MAX - sizeof(uint64_t))
		w->needed_end = address + sizeof(uint64_t);
	return done(w, stack_dump_end(&w->dump, address));
}

static uint64_t words(int16_t n_words)
{
	return (uint64_t)((int64_t)n_words * 8);
}

static enum verdict without_cfi(struct walk *w, uint32_t module)
{
	w->stack->end_module = module;
	return done(w, STACK_NO_CFI);
}

/* `entry` is NULL for an ip outside all mappings. */
static enum verdict ladder_step(struct walk *w, const struct cfi_entry *entry)
{
	/* Climbing looks other addresses up, which may take the entry's place. */
	const uint32_t module = entry ? entry->module : 0;
	const bool is_new_thread = entry && w->frame.is_exact &&
				   entry->rule.flags & CFI_RULE_NEW_THREAD;

	switch (cfi_ladder_climb(w->cache, &w->dump, &w->frame)) {
	case CFI_LADDER_FOUND:
		if (w->full)
			cfi_frame_put(w->full, &w->frame);
		return VERDICT_GO_ON;
	case CFI_LADDER_ROOT:
		return done(w, STACK_COMPLETE);
	case CFI_LADDER_CUT:
		if (!is_new_thread)
			return unreadable(w, w->frame.fp + sizeof(uint64_t));
		break;
	case CFI_LADDER_LOST:
		break;
	}
	if (is_new_thread)
		return done(w, STACK_COMPLETE);
	if (!entry)
		return done(w, STACK_BAD_MEMORY);
	return without_cfi(w, module);
}

static enum verdict signal_step(struct walk *w)
{
	const uint64_t sp = w->frame.sp;
	struct registers registers;

	if (!cfi_signal_registers(&w->dump, w->cache->arch, sp, &registers))
		return unreadable(w, sp);
	w->frame = cfi_frame_of(&registers);
	w->frame.is_exact = true;
	w->frame.is_switched = true;
	if (w->full)
		*w->full = registers;
	return VERDICT_GO_ON;
}

/* The caller's pc, sp and fp for a CFA; `fp_slot` is an address, 0 when fp still holds. */
static enum verdict fast_take(struct walk *w, struct cfi_rule rule, uint64_t cfa, uint64_t fp_slot)
{
	struct cfi_frame *frame = &w->frame;
	const bool is_on_trail = walk_trail_is_at(&w->trail, frame);
	const uint64_t link_slot = rule.link_words ? cfa + words(rule.link_words) : 0;
	uint64_t ip = frame->link;

	if (rule.link_words) {
		if (!stack_dump_read(&w->dump, link_slot, &ip))
			return unreadable(w, link_slot);
	} else if (!frame->is_exact) {
		/* lr was overwritten by the call that this frame made. */
		return done(w, STACK_BAD_MEMORY);
	}
	/* Rows of an epilogue still name the slot of what was popped already. */
	if (fp_slot < frame->sp)
		fp_slot = 0;
	if (fp_slot && !stack_dump_read(&w->dump, fp_slot, &frame->fp))
		return unreadable(w, fp_slot);
	if (cfa <= frame->sp && (cfa < frame->sp || rule.link_words))
		return done(w, STACK_BAD_MEMORY);
	if (cfa & 7)
		return done(w, STACK_BAD_MEMORY);
	frame->pc = cfi_code_address(w->cache->arch, ip);
	frame->sp = cfa;
	frame->is_exact = rule.flags & CFI_RULE_IS_SIGNAL;
	if (is_on_trail && !frame->is_exact && rule.kind != CFI_RULE_DRAP)
		walk_trail_link(&w->trail, link_slot, fp_slot);
	return VERDICT_GO_ON;
}

/* The CFA of a rule of these kinds, of which one becomes an SP rule by it. */
static uint64_t cfa_of(const struct cfi_frame *frame, struct cfi_rule *rule)
{
	uint64_t cfa;

	if (rule->kind == CFI_RULE_SP)
		return frame->sp + words(rule->cfa_words);
	if (rule->kind == CFI_RULE_FP)
		return frame->fp + words(rule->cfa_words);
	cfa = frame->sp + cfi_rule_far_bytes(*rule);
	rule->kind = CFI_RULE_SP;
	rule->link_words = -1;
	return cfa;
}

/* Where the slot is known, but was not copied, no guess is made instead. */
static bool is_cut(const struct walk *w, uint64_t slot)
{
	return slot >= w->frame.sp && stack_dump_end(&w->dump, slot) == STACK_TRUNCATED_DUMP;
}

/* By a rule that was read from the code. */
static enum verdict code_step(struct walk *w, const struct cfi_entry *entry)
{
	/* Looking the return address up may take its place. */
	const struct cfi_entry own = *entry;
	struct cfi_rule rule = own.rule;
	uint64_t ip = w->frame.link;
	uint64_t cfa, slot;

	if (rule.kind == CFI_RULE_FULL || rule.kind == CFI_RULE_DRAP)
		return VERDICT_NEEDS_FULL;
	if (rule.kind != CFI_RULE_SP && rule.kind != CFI_RULE_FP && rule.kind != CFI_RULE_SP_FAR)
		return ladder_step(w, &own);
	cfa = cfa_of(&w->frame, &rule);
	slot = cfa + words(rule.link_words);
	if (rule.link_words && !stack_dump_read(&w->dump, slot, &ip))
		return is_cut(w, slot) ? unreadable(w, slot) : ladder_step(w, &own);
	if (!cfi_ladder_is_return(w->cache, cfi_code_address(w->cache->arch, ip)))
		return ladder_step(w, &own);
	return fast_take(w, rule, cfa, rule.fp_words ? cfa + words(rule.fp_words) : 0);
}

static enum verdict fast_step(struct walk *w, const struct cfi_entry *entry)
{
	const struct cfi_frame *frame = &w->frame;
	struct cfi_rule rule = entry->rule;
	uint64_t cfa;

	if (rule.flags & CFI_RULE_BY_CODE)
		return code_step(w, entry);
	switch ((enum cfi_rule_kind)rule.kind) {
	case CFI_RULE_SP:
	case CFI_RULE_FP:
	case CFI_RULE_SP_FAR:
		cfa = cfa_of(frame, &rule);
		break;
	case CFI_RULE_DRAP:
		if (!stack_dump_read(&w->dump, frame->fp + words(rule.cfa_words), &cfa))
			return unreadable(w, frame->fp + words(rule.cfa_words));
		return fast_take(w, rule, cfa, frame->fp + words(rule.fp_words));
	case CFI_RULE_PLT:
		cfa = frame->sp + ((frame->pc & 15) >= (uint64_t)rule.cfa_words ? 16 : 8);
		break;
	case CFI_RULE_SIGNAL:
		return signal_step(w);
	case CFI_RULE_END:
		return ended_by_code(w);
	case CFI_RULE_FULL:
		return VERDICT_NEEDS_FULL;
	case CFI_RULE_NONE:
	case CFI_RULE_BAD:
	default:
		return ladder_step(w, entry);
	}
	return fast_take(w, rule, cfa, rule.fp_words ? cfa + words(rule.fp_words) : 0);
}

static enum verdict full_take(struct walk *w, const struct cfi_row *row)
{
	const uint64_t sp = w->frame.sp;
	const bool is_exact = w->frame.is_exact;
	const bool is_switched = w->frame.is_switched || row->is_signal;
	uint64_t missing = 0;

	switch (cfi_full_step(row, &w->dump, w->full, &missing)) {
	case CFI_FULL_OK:
		break;
	case CFI_FULL_END:
		return done(w, STACK_COMPLETE);
	case CFI_FULL_MISSING:
		return unreadable(w, missing);
	case CFI_FULL_BAD:
		return done(w, STACK_BAD_MEMORY);
	}
	w->frame = cfi_frame_of(w->full);
	w->frame.pc = cfi_code_address(w->cache->arch, w->frame.pc);
	cfi_frame_put(w->full, &w->frame);
	w->frame.is_exact = row->is_signal;
	w->frame.is_switched = is_switched;
	if (row->is_signal)
		return VERDICT_GO_ON;
	/* What holds its return address in a register (glibc's vfork) need not move sp. */
	if (w->frame.sp < sp || (w->frame.sp == sp && !is_exact))
		return done(w, STACK_BAD_MEMORY);
	return VERDICT_GO_ON;
}

/* No FDE, but a known shape of code: it changes no register but pc and sp. */
static enum verdict full_step_by_shape(struct walk *w, const struct cfi_entry *entry)
{
	enum verdict verdict;

	if (entry->rule.kind != CFI_RULE_SP)
		return ladder_step(w, entry);
	verdict = fast_step(w, entry);
	cfi_frame_put(w->full, &w->frame);
	return verdict;
}

/*
 * As code_step, with all registers.  Where the CFA is a word in memory, as in functions that
 * align their stack, no guess is made instead: gcc has a copy of the return address
 * there behind the caller's fp, with another sp.
 */
static enum verdict full_step_by_code(struct walk *w, const struct cfi_entry *entry)
{
	const struct cfi_entry own = *entry;
	const struct registers registers = *w->full;
	const struct cfi_frame frame = w->frame;
	const uint64_t needed_end = w->needed_end;
	const struct cfi_row *row = cfi_code_row(w->cache, &w->frame, entry);
	enum verdict verdict = VERDICT_DONE;

	if (row)
		verdict = full_take(w, row);
	if (verdict == VERDICT_GO_ON && cfi_ladder_is_return(w->cache, w->frame.pc))
		return VERDICT_GO_ON;
	if (row && verdict == VERDICT_DONE && w->stack->end == STACK_TRUNCATED_DUMP)
		return VERDICT_DONE;
	*w->full = registers;
	w->frame = frame;
	w->needed_end = needed_end;
	if (own.rule.kind != CFI_RULE_SP && own.rule.kind != CFI_RULE_FP &&
	    own.rule.kind != CFI_RULE_SP_FAR)
		return without_cfi(w, own.module);
	return ladder_step(w, &own);
}

static enum verdict full_step(struct walk *w, const struct cfi_entry *entry)
{
	const struct mapping *mapping;
	struct cfi_tables *tables;
	struct cfi_fde fde;
	struct cfi_row row;

	if (entry->rule.kind == CFI_RULE_SIGNAL)
		return signal_step(w);
	if (entry->rule.kind == CFI_RULE_END)
		return done(w, STACK_COMPLETE);
	if (entry->rule.flags & CFI_RULE_BY_CODE)
		return full_step_by_code(w, entry);
	if (entry->rule.kind == CFI_RULE_NONE || entry->rule.kind == CFI_RULE_BAD)
		return ladder_step(w, entry);
	mapping = address_space_find(&w->cache->process->space, entry->ip);
	tables = cfi_modules_get(w->cache, entry->module);
	if (!mapping || !tables || cfi_tables_find(tables, entry->ip - mapping->bias, &fde) < 0)
		return full_step_by_shape(w, entry);
	if (cfi_row_at(&fde, entry->ip - mapping->bias, w->cache->arch, &row) < 0)
		return ladder_step(w, entry);
	return full_take(w, &row);
}

/* The innermost ip is in no mapping: a jump to nowhere, or code we were not told of. */
static enum verdict unmapped_step(struct walk *w)
{
	const uint32_t module = w->cache->process->unmapped_module;
	struct stack *stack = w->stack;

	if (!w->frame.is_exact)
		return done(w, STACK_BAD_MEMORY);
	if (module && stack->n_frames < STACK_MAX_FRAMES) {
		uint32_t *location = &stack->locations[stack->n_frames];

		if (location_table_add(w->cache->locations, location, module, w->frame.pc) < 0) {
			w->cache->is_out_of_memory = true;
			return done(w, STACK_BAD_MEMORY);
		}
		stack->ips[stack->n_frames++] = w->frame.pc;
	}
	return ladder_step(w, NULL);
}

static enum verdict planted_root(struct walk *w)
{
	struct cfi_entry *entry = cfi_cache_get(w->cache, w->frame.pc);

	w->stack->locations[w->stack->n_frames] = cfi_cache_location(w->cache, entry);
	w->stack->ips[w->stack->n_frames++] = w->frame.pc;
	return done(w, STACK_COMPLETE);
}

/*
 * Code that has no frame of its own calls nothing, as compilers write it.  The assembly that begins
 * a thread does, and may say no more than that; behind its call the thread ends.
 */
static bool is_frameless(struct cfi_rule rule)
{
	return rule.kind == CFI_RULE_SP && rule.cfa_words == 1;
}

static bool is_thread_start(const struct walk *w, const struct cfi_entry *entry)
{
	const struct mapping *mapping = address_space_find(&w->cache->process->space, entry->ip);
	const struct elf_image *image = cfi_modules_image(w->cache, entry->module);

	return w->cache->arch == ARCH_X86_64 && mapping && image &&
	       code_is_before_exit(image, ARCH_X86_64, entry->ip - mapping->bias);
}

static enum verdict walk_step(struct walk *w)
{
	struct stack *stack = w->stack;
	struct cfi_entry *entry;

	if (stack->n_frames == STACK_MAX_FRAMES)
		return done(w, STACK_LIMIT);
	if (walk_trail_skip(&w->trail, &w->dump, w->cache->arch, &w->frame, stack))
		return done(w, STACK_COMPLETE);
	entry = cfi_cache_get(w->cache, w->frame.pc - !w->frame.is_exact);
	if (!entry)
		return unmapped_step(w);
	if (cfi_ladder_is_planted(w->cache, &w->frame, entry))
		return planted_root(w);
	stack->locations[stack->n_frames] = cfi_cache_location(w->cache, entry);
	walk_trail_add(&w->trail, &w->frame, stack->n_frames);
	stack->ips[stack->n_frames++] = w->frame.pc;
	if (!w->frame.is_exact && is_frameless(entry->rule) && is_thread_start(w, entry))
		return ended_by_code(w);
	cfi_code_look(w->cache, &w->frame, entry);
	return w->full ? full_step(w, entry) : fast_step(w, entry);
}

/*
 * The steps that nearly all are: from a return address on, by a rule that was met
 * before, to a caller further up.  Does what walk_step does, with the frame in
 * registers; ends before the first step that is anything else.  True where the
 * last walk was followed to the end.
 */
static bool plain_steps(struct walk *w)
{
	const struct unwind_cache *cache = w->cache->process->cache;
	const uint32_t generation = w->cache->process->space.generation;
	const enum arch arch = w->cache->arch;
	struct stack *stack = w->stack;
	uint64_t pc = w->frame.pc;
	uint64_t sp = w->frame.sp;
	uint64_t fp = w->frame.fp;

	while (stack->n_frames < STACK_MAX_FRAMES) {
		const struct cfi_entry *entry;
		struct cfi_rule rule;
		uint64_t cfa, link_slot, fp_slot, ip, caller_fp;

		if (walk_trail_meets(&w->trail, pc, sp, fp)) {
			if (walk_trail_follow(&w->trail, &w->dump, arch, &w->frame, stack))
				return true;
			pc = w->frame.pc;
			sp = w->frame.sp;
			fp = w->frame.fp;
		}
		entry = &cache->entries[cfi_cache_place(pc - 1, cache->n_bits)];
		rule = entry->rule;
		if (!cfi_entry_is_of(entry, pc - 1, generation) ||
		    entry->location == CFI_ENTRY_NO_LOCATION)
			break;
		if ((rule.kind != CFI_RULE_SP && rule.kind != CFI_RULE_FP) || is_frameless(rule) ||
		    rule.flags & (CFI_RULE_IS_SIGNAL | CFI_RULE_BY_CODE) || !rule.link_words)
			break;
		cfa = (rule.kind == CFI_RULE_SP ? sp : fp) + words(rule.cfa_words);
		link_slot = cfa + words(rule.link_words);
		if (cfa <= sp || cfa & 7 || !stack_dump_read(&w->dump, link_slot, &ip) ||
		    !cfi_code_address(arch, ip))
			break;
		fp_slot = rule.fp_words ? cfa + words(rule.fp_words) : 0;
		if (fp_slot < sp)
			fp_slot = 0;
		caller_fp = fp;
		if (fp_slot && !stack_dump_read(&w->dump, fp_slot, &caller_fp))
			break;
		stack->locations[stack->n_frames] = entry->location;
		stack->ips[stack->n_frames] = pc;
		walk_trail_put(&w->trail, &(struct walk_step){ .sp = sp,
							       .fp = fp,
							       .link_slot = link_slot,
							       .fp_slot = fp_slot,
							       .frame = stack->n_frames });
		stack->n_frames++;
		pc = cfi_code_address(arch, ip);
		sp = cfa;
		fp = caller_fp;
	}
	w->frame.pc = pc;
	w->frame.sp = sp;
	w->frame.fp = fp;
	return false;
}

static enum verdict walk_run(struct walk *w, const struct registers *registers)
{
	enum verdict verdict;

	w->stack->n_frames = 0;
	w->stack->n_outer = 0;
	w->frame = cfi_frame_of(registers);
	w->frame.pc = cfi_code_address(w->cache->arch, w->frame.pc);
	w->frame.is_exact = true;
	w->needed_end = w->dump.start;
	do {
		if (!w->full && !w->frame.is_exact && !w->frame.is_switched && plain_steps(w))
			verdict = done(w, STACK_COMPLETE);
		else
			verdict = walk_step(w);
		/* A return to 0 is how thread libraries end a stack. */
		if (verdict == VERDICT_GO_ON && w->frame.pc == 0)
			verdict = done(w, STACK_COMPLETE);
	} while (verdict == VERDICT_GO_ON);
	if (!w->frame.is_switched && w->frame.sp > w->needed_end)
		w->needed_end = w->frame.sp;
	w->stack->needed_stack_bytes = w->needed_end - w->dump.start;
	return verdict;
}

void cfi_walk_sample(struct cfi_cache_context *cache, struct walk_trail *trail,
		     const struct raw_sample *sample, struct stack *stack)
{
	struct walk w = {
		.cache = cache,
		.dump = stack_dump_of(sample),
		.stack = stack,
		.trail = *trail,
	};
	struct registers full;

	walk_trail_look_ahead(trail, &w.dump);
	if (walk_run(&w, &sample->registers) == VERDICT_NEEDS_FULL) {
		full = sample->registers;
		w.full = &full;
		w.trail = (struct walk_trail){ 0 };
		(void)walk_run(&w, &sample->registers);
	}
	*trail = w.trail;
}
