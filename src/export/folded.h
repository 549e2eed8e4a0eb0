#ifndef TSPROF_EXPORT_FOLDED_H
#define TSPROF_EXPORT_FOLDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/profile.h"
#include "tree/calltree.h"

/*
 * Collapsed stacks, the format of Brendan Gregg's FlameGraph tools: one line a
 * stack, "root;…;leaf COUNT\n", sorted bytewise, no comments.  In names ';'
 * becomes ':', control bytes become '?', and a space before trailing digits
 * becomes '_', so that no reader takes them for a count.  The count is ticks,
 * or microseconds with `as_time`.
 */
void folded_write(struct buffer *out, const struct calltree *tree, bool as_time);

/*
 * The same format read, with what its readers accept: blank lines and lines
 * starting with "# " are skipped, fractions are rounded, "_[k]" and "_[i]"
 * suffixes become flags.  Other lines are counted in `ret_n_bad` with the first
 * one's number in `ret_first_bad`; no usable line at all is an error.
 */
int folded_read(struct profile *profile, const uint8_t *bytes, size_t size_bytes, const char *name,
		uint64_t *ret_n_bad, uint64_t *ret_first_bad, struct error *err);

#endif
