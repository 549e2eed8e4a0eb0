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
	uint64_t sp;
	uint64_t fp;
	/* Where the next step's pc and fp were read. */
	uint64_t link_slot; /* 0: it was not a plain step, and must be walked */
	uint64_t fp_slot;   /* 0: fp was kept */
	uint32_t frame;	    /* of the stack, while the walk is under way */
};

enum {
	WALK_MEMO_STEPS = STACK_MAX_FRAMES, /* of a walk: one a frame */
	WALK_MEMO_PER_CACHE = 32	    /* threads of a process that are remembered at a time */
};

/*
 * Outermost first, so that what is followed to the end stays where it is, and
 * the stack borrows its locations and ips.
 */
struct walk_memo {
	struct walk_step *steps; /* NULL until first used */
	uint64_t *ips;		 /* of each step, as the stack has it: the pc */
	uint32_t *locations;
	size_t n_steps;
	uint32_t tid;
	uint32_t generation;  /* of the address space */
	bool is_to_outermost; /* by the code at the first step's pc alone the stack ends there */
};

void walk_memo_release(struct walk_memo *memo);

/* A walk under way, beside the one before. */
struct walk_trail {
	struct walk_memo *memo;	 /* NULL: nothing is remembered */
	struct walk_step *steps; /* of this walk, innermost first */
	size_t n_steps;
	size_t at;     /* the memo's steps from there on lie below the walk's sp */
	size_t n_kept; /* of the memo's, that this walk ends with */
	bool is_to_outermost;
};

/*
 * Begin a walk of the thread `tid`, whose steps are kept in `steps`, WALK_MEMO_STEPS
 * of them.  Without memory for it nothing is remembered, which is only slower.
 */
struct walk_trail walk_trail_begin(struct walk_memo *memo, struct walk_step *steps, uint32_t tid,
				   uint32_t generation);

/* Make this walk, which found `stack`, the thread's last one. */
void walk_trail_finish(struct walk_trail *trail, const struct stack *stack);

/* Remember a step from the frame that is the stack's last, if there is room. */
static inline void walk_trail_put(struct walk_trail *trail, const struct walk_step *step)
{
	if (trail->memo && trail->n_steps < WALK_MEMO_STEPS)
		trail->steps[trail->n_steps++] = *step;
}

/* A frame that was returned to, on the dump's own stack, is about to be left. */
static inline void walk_trail_add(struct walk_trail *trail, const struct cfi_frame *frame,
				  uint32_t n_frame)
{
	if (!frame->is_exact && !frame->is_switched)
		walk_trail_put(trail, &(struct walk_step){
					      .sp = frame->sp, .fp = frame->fp, .frame = n_frame });
}

/* The frame added last was left by a plain step that read these words. */
static inline void walk_trail_link(struct walk_trail *trail, uint64_t link_slot, uint64_t fp_slot)
{
	struct walk_step *last = &trail->steps[trail->n_steps - 1];

	last->link_slot = link_slot;
	last->fp_slot = fp_slot;
}

/* Whether the frame is the one added last. */
static inline bool walk_trail_is_at(const struct walk_trail *trail, const struct cfi_frame *frame)
{
	return trail->n_steps && trail->steps[trail->n_steps - 1].sp == frame->sp &&
	       !frame->is_exact && !frame->is_switched;
}

/* The code at the frame's pc ends the stack, whatever is in memory. */
static inline void walk_trail_end(struct walk_trail *trail, const struct cfi_frame *frame)
{
	trail->is_to_outermost = walk_trail_is_at(trail, frame);
}

/* Have the words of the last walk brought into the cache, which this one mostly reads too. */
void walk_trail_look_ahead(const struct walk_trail *trail, const struct stack_dump *dump);

/*
 * Whether the last walk was at this frame, which was returned to and lies on the
 * dump's own stack.  Frames come in the order of their stack pointers.
 */
static inline bool walk_trail_meets(struct walk_trail *trail, uint64_t pc, uint64_t sp, uint64_t fp)
{
	const struct walk_memo *memo = trail->memo;
	const struct walk_step *step;

	while (trail->at && memo->steps[trail->at - 1].sp < sp)
		trail->at--;
	if (!trail->at)
		return false;
	step = &memo->steps[trail->at - 1];
	return step->sp == sp && step->fp == fp && memo->ips[trail->at - 1] == pc;
}

/*
 * Follow the last walk, which was at `frame`, as far as the dump is the same.  True at
 * the outermost frame, where the stack is complete.
 */
bool walk_trail_follow(struct walk_trail *trail, const struct stack_dump *dump, enum arch arch,
		       struct cfi_frame *frame, struct stack *stack);

/*
 * Where the last walk was at this frame, follow it; it costs little where it was not, so
 * that each frame can be asked.
 */
static inline bool walk_trail_skip(struct walk_trail *trail, const struct stack_dump *dump,
				   enum arch arch, struct cfi_frame *frame, struct stack *stack)
{
	return !frame->is_exact && !frame->is_switched &&
	       walk_trail_meets(trail, frame->pc, frame->sp, frame->fp) &&
	       walk_trail_follow(trail, dump, arch, frame, stack);
}

#endif
