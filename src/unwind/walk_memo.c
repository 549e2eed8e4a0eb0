/* Following the last walk of a thread; see walk_memo.h. */
#include "unwind/walk_memo.h"

#include <stdlib.h>

void walk_memo_release(struct walk_memo *memo)
{
	free(memo->steps);
	*memo = (struct walk_memo){ 0 };
}

struct walk_trail walk_trail_begin(struct walk_memo *memo, struct walk_step *spare, uint32_t tid,
				   uint32_t generation)
{
	if (memo->tid != tid || memo->generation != generation)
		memo->n_steps = 0;
	memo->tid = tid;
	memo->generation = generation;
	return (struct walk_trail){ .memo = memo, .steps = spare };
}

struct walk_step *walk_trail_finish(struct walk_trail *trail)
{
	struct walk_step *spare = trail->memo->steps;

	trail->memo->steps = trail->steps;
	trail->memo->n_steps = trail->n_steps;
	return spare;
}

/* An address so many words from the stack pointer that the step leads to. */
static uint64_t slot_of(const struct walk_step *step, int16_t n_words)
{
	return step[1].sp + (uint64_t)(n_words * INT64_C(8));
}

void walk_trail_look_ahead(const struct walk_trail *trail, const struct stack_dump *dump)
{
	const struct walk_memo *memo = trail->memo;

	for (size_t i = 0; memo && i + 1 < memo->n_steps; i++) {
		const struct walk_step *step = &memo->steps[i];
		const uint64_t offset = slot_of(step, step->link_words) - dump->start;

		if (offset < dump->n_word_bytes)
			__builtin_prefetch(dump->bytes + offset);
	}
}

static bool is_word(const struct stack_dump *dump, uint64_t address, enum arch arch,
		    uint64_t wanted)
{
	uint64_t word;

	return stack_dump_read(dump, address, &word) && cfi_code_address(arch, word) == wanted;
}

static bool is_plain_word(const struct stack_dump *dump, uint64_t address, uint64_t wanted)
{
	uint64_t word;

	return stack_dump_read(dump, address, &word) && word == wanted;
}

/* Whether the step leads to the next one in this dump too. */
static bool is_same(const struct walk_step *step, const struct stack_dump *dump, enum arch arch)
{
	return step->link_words &&
	       is_word(dump, slot_of(step, step->link_words), arch, step[1].pc) &&
	       (!step->fp_words || is_plain_word(dump, slot_of(step, step->fp_words), step[1].fp));
}

void walk_trail_follow(struct walk_trail *trail, const struct stack_dump *dump, enum arch arch,
		       struct cfi_frame *frame, struct stack *stack)
{
	const struct walk_memo *memo = trail->memo;
	const struct walk_step *step = &memo->steps[trail->at];
	const struct walk_step *last = &memo->steps[memo->n_steps - 1];

	while (step < last && stack->n_frames + 1 < STACK_MAX_FRAMES &&
	       trail->n_steps < WALK_MEMO_STEPS && is_same(step, dump, arch)) {
		stack->locations[stack->n_frames] = step->location;
		stack->ips[stack->n_frames++] = step->pc;
		trail->steps[trail->n_steps++] = *step++;
	}
	trail->at = (size_t)(step - memo->steps);
	frame->pc = step->pc;
	frame->sp = step->sp;
	frame->fp = step->fp;
}
