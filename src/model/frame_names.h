#ifndef TSPROF_MODEL_FRAME_NAMES_H
#define TSPROF_MODEL_FRAME_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "model/profile.h"

/*
 * Words for places that no symbol names, so that nothing is ever dropped:
 *
 *	[libfoo.so+0x1234]                    FRAME_UNRESOLVED
 *	[kernel+0xffffffff81000000]           FRAME_UNRESOLVED | FRAME_KERNEL
 *	[kernel]                              FRAME_KERNEL, for address 0: anywhere in it
 *	[truncated: stack dump]               FRAME_PSEUDO
 *	[truncated: no unwind info in libfoo.so]
 *	[not sampled: no tick fell into it]
 *
 * Any location will do, however impossible its numbers.
 */

#define FRAME_NAME_NOT_SAMPLED "[not sampled: no tick fell into it]"
#define FRAME_NAME_NOT_TAKEN "[wait without a stack]"

/* Gives one location its single frame of this kind.  Returns 0 or -ENOMEM. */
int frame_names_set_unresolved(struct profile *profile, uint32_t location);

/* The same with the address of the nameless function that holds it: all of it is one frame. */
int frame_names_set_nameless(struct profile *profile, uint32_t location, uint64_t function_vaddr);

/*
 * The same for every location that has no frame yet.  Returns 0 or -ENOMEM.  Files leave such
 * names out, which are as many as addresses: their readers call this.
 */
int frame_names_complete(struct profile *profile);

/* Whether the location's innermost frame is unresolved, or would be by these names. */
bool frame_names_is_unresolved(const struct profile *profile, uint32_t location);

/* "[libfoo.so+0x1234]", for any location but those of the pseudo module. */
void frame_names_add_address(struct buffer *out, const struct profile *profile, uint32_t module,
			     uint64_t vaddr);

#endif
