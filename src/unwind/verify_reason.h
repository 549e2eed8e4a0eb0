#ifndef TSPROF_UNWIND_VERIFY_REASON_H
#define TSPROF_UNWIND_VERIFY_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include "model/raw_sample.h"
#include "model/stack.h"
#include "unwind/unwinder.h"

/*
 * Where two engines part, and whether that is known.  A named reason is one
 * that was examined and proved to be the other engine's defect; everything
 * else is VERIFY_UNEXPLAINED and has to be looked at.
 */
enum verify_reason {
	VERIFY_UNEXPLAINED,
	/*
	 * A frame that both have lies in code without an FDE.  cfi reads the code
	 * (unwind/code_row.h), and else takes [sp] when a call instruction stands
	 * before it; libunwind and libdw follow the frame pointer, which such code
	 * mostly has not set up: they skip its caller or stop, at once or a frame
	 * later for want of the right registers.  Who is right about such code no
	 * other engine can tell: test_single_step holds cfi against a shadow stack.
	 */
	VERIFY_CODE_WITHOUT_CFI,
	/*
	 * Frame 0 stands behind a pop and before its ret.  The FDE still says
	 * that the register is saved, in a slot that is below the stack pointer
	 * by now and so not in the dump.  cfi knows that the register has its
	 * caller's value again; libdw gives the register up and stops at the
	 * next frame that needs it.
	 */
	VERIFY_POPPED_REGISTER,
	/*
	 * The last common frame finds its CFA through rbx, and the frame inside it
	 * does not mention rbx.  By the psABI it is preserved then; libdw (0.188)
	 * has register 0, rax, in its place among the preserved ones, and rbx is
	 * lost.  _dl_runtime_resolve calling _dl_fixup is the case.
	 */
	VERIFY_UNMENTIONED_RBX,
	/*
	 * The last frame that libunwind has is in a file without .eh_frame_hdr, as
	 * gcc -static leaves it: cfi indexes .eh_frame itself, libunwind does not.
	 */
	VERIFY_NO_SEARCH_TABLE,
	/*
	 * A function's last instruction calls what does not return, so that the address returned
	 * to is the first of another one.  libunwind (1.6) remembers rows by address alone: where
	 * the last common frame has that address, whether it returns there or, innermost, begins
	 * there, it may go by the row of the other one.
	 */
	VERIFY_RETURN_AT_START,
	/* Neither reached the root, and the frames that both have are the same. */
	VERIFY_CUT_EARLIER,
	VERIFY_N_REASONS
};

const char *verify_reason_name(enum verify_reason reason);

struct verify_difference {
	const struct stack *cfi;
	const struct stack *other;
	size_t n_equal; /* frames that are the same, from the innermost */
	enum verify_reason reason;
};

/* Fills n_equal; true when both have the same ips to the end. */
bool verify_stacks_equal(struct verify_difference *difference);

/* Fills the reason of a difference. */
void verify_find_reason(struct verify_difference *difference, const struct unwind_process *process,
			const struct unwind_images *images, const struct raw_sample *sample);

#endif
