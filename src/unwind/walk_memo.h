#ifndef TSPROF_UNWIND_WALK_MEMO_H
#define TSPROF_UNWIND_WALK_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stack.h"
#include "unwind/cfi_frame.h"
#include "unwind/stack_dump.h"

/*
 * A thread's last walk, so that the next one need not look up again what is
 * still on the stack.  A step from a return address to its caller depends on
 * pc, sp, fp and the words that it reads and on nothing else: where the new
 * walk comes to a state that the last one had, and the words are the same, so
 * are the frames.  The words are compared one independently of the other, where
 * a walk has to wait for each before it knows the next.
 */
struct walk_step {
	uint64_t pc;
	uint64_t sp;
	uint64_t fp;
	uint32_t location;
	/* Where the next step's pc and fp were read, in words from its sp. */
	int16_t link_words; /* 0: it was not a plain step, and must be walked */
	int16_t fp_words;   /* 0: fp was kept */
};

enum {
	WALK_MEMO_STEPS = STACK_MAX_FRAMES, /* of a walk: one a frame */
	WALK_MEMO_PER_CACHE = 32	    /* threads of a process that are remembered at a time */
};

struct walk_memo {
	struct walk_step *steps; /* innermost first; NULL until first used */
	size_t n_steps;
	uint32_t tid;
	uint32_t generation; /* of the address space */
};

void walk_memo_release(struct walk_memo *memo);

/* A walk under way, beside the one before. */
struct walk_trail {
	struct walk_memo *memo; /* NULL: nothing is remembered */
	struct walk_step *steps;
	size_t n_steps;
	size_t at; /* into the memo: all before lies below the walk's sp */
};

/*
 * Begin a walk of the thread `tid`; `spare` is a buffer of WALK_MEMO_STEPS, taken
 * in exchange for another by walk_trail_finish.
 */
struct walk_trail walk_trail_begin(struct walk_memo *memo, struct walk_step *spare, uint32_t tid,
				   uint32_t generation);

/* Make this walk the thread's last one.  Returns the spare buffer for the next. */
struct walk_step *walk_trail_finish(struct walk_trail *trail);

/* Remember a step, if there is room. */
static inline void walk_trail_put(struct walk_trail *trail, const struct walk_step *step)
{
	if (trail->memo && trail->n_steps < WALK_MEMO_STEPS)
		trail->steps[trail->n_steps++] = *step;
}

/* A frame that was returned to, on the dump's own stack, is about to be left. */
static inline void walk_trail_add(struct walk_trail *trail, const struct cfi_frame *frame,
				  uint32_t location)
{
	if (!frame->is_exact && !frame->is_switched)
		walk_trail_put(trail, &(struct walk_step){ .pc = frame->pc,
							   .sp = frame->sp,
							   .fp = frame->fp,
							   .location = location });
}

/* The frame added last was left by a plain step that read these words. */
static inline void walk_trail_link(struct walk_trail *trail, int16_t link_words, int16_t fp_words)
{
	struct walk_step *last = &trail->steps[trail->n_steps - 1];

	last->link_words = link_words;
	last->fp_words = fp_words;
}

/* Whether the frame is the one added last. */
static inline bool walk_trail_is_at(const struct walk_trail *trail, const struct cfi_frame *frame)
{
	return trail->n_steps && trail->steps[trail->n_steps - 1].sp == frame->sp &&
	       !frame->is_exact && !frame->is_switched;
}

/* Have the words of the last walk brought into the cache, which this one mostly reads too. */
void walk_trail_look_ahead(const struct walk_trail *trail, const struct stack_dump *dump);

/* Follow the last walk from `frame` on as far as the dump is the same. */
void walk_trail_follow(struct walk_trail *trail, const struct stack_dump *dump, enum arch arch,
		       struct cfi_frame *frame, struct stack *stack);

/*
 * Whether the last walk was at this frame, which was returned to and lies on the
 * dump's own stack.  Frames come in the order of their stack pointers.
 */
static inline bool walk_trail_meets(struct walk_trail *trail, uint64_t pc, uint64_t sp, uint64_t fp)
{
	const struct walk_memo *memo = trail->memo;
	const struct walk_step *step;

	if (!memo)
		return false;
	while (trail->at < memo->n_steps && memo->steps[trail->at].sp < sp)
		trail->at++;
	step = &memo->steps[trail->at];
	return trail->at < memo->n_steps && step->sp == sp && step->pc == pc && step->fp == fp;
}

/*
 * Where the last walk was at this frame, follow it; it costs little where it was not, so
 * that each frame can be asked.
 */
static inline void walk_trail_skip(struct walk_trail *trail, const struct stack_dump *dump,
				   enum arch arch, struct cfi_frame *frame, struct stack *stack)
{
	if (!frame->is_exact && !frame->is_switched &&
	    walk_trail_meets(trail, frame->pc, frame->sp, frame->fp))
		walk_trail_follow(trail, dump, arch, frame, stack);
}

#endif
