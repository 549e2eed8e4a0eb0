/* Following the last walk of a thread; see walk_memo.h. */
#include "unwind/walk_memo.h"

#include <stdlib.h>
#include <string.h>

void walk_memo_release(struct walk_memo *memo)
{
	free(memo->steps);
	free(memo->ips);
	free(memo->locations);
	*memo = (struct walk_memo){ 0 };
}

static bool has_memory(struct walk_memo *memo)
{
	if (memo->locations)
		return true;
	memo->steps = malloc(WALK_MEMO_STEPS * sizeof(*memo->steps));
	memo->ips = malloc(WALK_MEMO_STEPS * sizeof(*memo->ips));
	memo->locations = malloc(WALK_MEMO_STEPS * sizeof(*memo->locations));
	if (memo->steps && memo->ips && memo->locations)
		return true;
	walk_memo_release(memo);
	return false;
}

struct walk_trail walk_trail_begin(struct walk_memo *memo, struct walk_step *steps, uint32_t tid,
				   uint32_t generation)
{
	if (!steps || !has_memory(memo))
		return (struct walk_trail){ 0 };
	if (memo->tid != tid || memo->generation != generation)
		memo->n_steps = 0;
	memo->tid = tid;
	memo->generation = generation;
	return (struct walk_trail){ .memo = memo, .steps = steps, .at = memo->n_steps };
}

void walk_trail_finish(struct walk_trail *trail, const struct stack *stack)
{
	struct walk_memo *memo = trail->memo;
	size_t n = trail->n_kept;

	for (size_t i = trail->n_steps; i > 0 && n < WALK_MEMO_STEPS; i--, n++) {
		const struct walk_step *step = &trail->steps[i - 1];

		memo->steps[n] = *step;
		memo->ips[n] = stack->ips[step->frame];
		memo->locations[n] = stack->locations[step->frame];
	}
	memo->n_steps = n;
	memo->is_to_outermost = trail->is_to_outermost;
}

void walk_trail_look_ahead(const struct walk_trail *trail, const struct stack_dump *dump)
{
	const struct walk_memo *memo = trail->memo;
	const uint8_t *const bytes = dump->bytes;

	for (size_t i = 1; memo && i < memo->n_steps; i++) {
		const uint64_t offset = memo->steps[i].link_slot - dump->start;

		if (offset < dump->n_word_bytes)
			__builtin_prefetch(bytes + offset);
	}
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Whether a step leads to the next one in this dump too, wherever in it the words are. */
static bool is_same_anywhere(const struct walk_step *step, const struct stack_dump *dump,
			     enum arch arch, uint64_t pc, uint64_t fp)
{
	uint64_t word;

	if (!step->link_slot || !stack_dump_read(dump, step->link_slot, &word) ||
	    cfi_code_address(arch, word) != pc)
		return false;
	return !step->fp_slot || (stack_dump_read(dump, step->fp_slot, &word) && word == fp);
}

/*
 * The first step from `first` on, but none before `least`, that does not lead to the next one:
 * most of what a walk does, for which the dump's beginning is enough but for large stacks.
 */
static size_t find_change(const struct walk_memo *memo, const struct stack_dump *dump,
			  enum arch arch, size_t first, size_t least)
{
	const uint8_t *const bytes = dump->bytes;
	const uint64_t start = dump->start;
	const uint64_t n_word_bytes = dump->n_word_bytes;
	const uint64_t address_bits = cfi_code_address(arch, UINT64_MAX);
	const struct walk_step *step = &memo->steps[first];
	const uint64_t *ip = &memo->ips[first];

	for (; step > &memo->steps[least]; step--, ip--) {
		const uint64_t link = step->link_slot - start;
		const uint64_t fp = step->fp_slot - start;

		if (link < n_word_bytes && (fp < n_word_bytes || !step->fp_slot)) {
			if ((word_at(bytes + link) & address_bits) != ip[-1])
				break;
			if (step->fp_slot && word_at(bytes + fp) != step[-1].fp)
				break;
		} else if (!is_same_anywhere(step, dump, arch, ip[-1], step[-1].fp)) {
			break;
		}
	}
	return (size_t)(step - memo->steps);
}

/* The steps from `first` down to `last`, as if they had been walked. */
static void take_steps(struct walk_trail *trail, struct stack *stack, size_t first, size_t last)
{
	const struct walk_memo *memo = trail->memo;

	for (size_t i = first; i > last; i--) {
		trail->steps[trail->n_steps] = memo->steps[i];
		trail->steps[trail->n_steps++].frame = stack->n_frames;
		stack->locations[stack->n_frames] = memo->locations[i];
		stack->ips[stack->n_frames++] = memo->ips[i];
	}
}

bool walk_trail_follow(struct walk_trail *trail, const struct stack_dump *dump, enum arch arch,
		       struct cfi_frame *frame, struct stack *stack)
{
	const struct walk_memo *memo = trail->memo;
	const size_t first = trail->at - 1;
	const size_t room = STACK_MAX_FRAMES - stack->n_frames;
	const size_t i = find_change(memo, dump, arch, first, first < room ? 0 : first + 1 - room);

	trail->at = i + 1;
	frame->pc = memo->ips[i];
	frame->sp = memo->steps[i].sp;
	frame->fp = memo->steps[i].fp;
	if (i > 0 || !memo->is_to_outermost) {
		take_steps(trail, stack, first, i);
		return false;
	}
	stack->n_outer = (uint32_t)first + 1;
	stack->outer_locations = memo->locations;
	stack->outer_ips = memo->ips;
	trail->n_kept = first + 1;
	trail->is_to_outermost = true;
	return true;
}
