#ifndef TSPROF_UNWIND_SAMPLE_VIEW_H
#define TSPROF_UNWIND_SAMPLE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "model/address_space.h"
#include "model/location_table.h"
#include "model/raw_sample.h"
#include "model/stack.h"
#include "symbol/elf_image.h"
#include "unwind/stack_dump.h"
#include "unwind/unwinder.h"

/*
 * A process as one sample shows it: the stack bytes that were copied, and the
 * files' bytes where modules are mapped.  What the foreign unwinders (libunwind,
 * libdw) read through, and where they put the frames that they find.
 *
 * Everything is borrowed; a view lives as long as one walk.
 */
struct sample_view {
	const struct address_space *space;
	const struct unwind_images *images;
	const struct raw_sample *sample;
	struct stack_dump dump;
	struct location_table *locations;
	struct stack *stack;	  /* being filled */
	uint32_t unmapped_module; /* for an innermost ip outside all mappings, or 0 */
	bool has_failed_read;	  /* in the step under way */
	bool is_beyond_dump;	  /* … and it wanted stack above the copied bytes */
	bool is_out_of_memory;	  /* a location could not be added */
};

/*
 * Empties `stack` and starts over.  False, with the stack's end set, when there
 * are no registers to start from.
 */
bool sample_view_init(struct sample_view *view, const struct unwind_process *process,
		      const struct unwind_images *images, const struct raw_sample *sample,
		      struct location_table *locations, struct stack *stack);

/* The image mapped at the ip, or NULL; `ret_mapping` may be NULL. */
const struct elf_image *sample_view_image(const struct sample_view *view, uint64_t ip,
					  const struct mapping **ret_mapping);

/* Eight bytes at any address: from the dump first, then from the images. */
bool sample_view_read(struct sample_view *view, uint64_t address, uint64_t *ret_value);

/*
 * Append the next outer frame.  A return address is stepped back into its call
 * for its location.  False when the walk should stop: a return address is
 * not mapped, the limit is reached (both set stack.end) or memory is short.
 */
bool sample_view_add_frame(struct sample_view *view, uint64_t ip, bool is_return_address);

/* A step from one frame to the next begins: what failed in the one before is forgotten. */
void sample_view_begin_step(struct sample_view *view);

/* Decide why a walk that did not reach the outermost frame stopped. */
void sample_view_set_cut(struct sample_view *view, bool has_unwind_info);

#endif
