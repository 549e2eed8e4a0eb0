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
 * stack, "root;…;leaf COUNT\n", sorted bytewise, no comments, UTF-8.  In names
 * ';' becomes ':', control bytes become '?', what is not UTF-8 becomes U+FFFD,
 * and '_' stands for a space at either end or before trailing digits and for a
 * '#' before a space, so that no reader takes a name for a count or a comment.
 * Names are whole; kernel functions end in "_[k]", scopes
 * begin with "scope:".  With lines in the tree a
 * frame is "name (file:line)", with addresses "name [module+0x1234]".
 *
 * The count is ticks, or microseconds with `as_time`; stacks that round to 0
 * are left out.  Lack of memory stays in the buffer's flag.
 */
void folded_write(struct buffer *out, const struct calltree *tree, bool as_time);

/* Where text goes that is too much to be held: `put` returns 0 or what stops it. */
struct folded_sink {
	int (*put)(void *context, const char *data, size_t size);
	void *context;
};

/*
 * The same, some hundred KiB at a time; what was put before a failure is out.
 * Returns 0, -ENOMEM or what `put` returned.
 */
int folded_put_all(const struct folded_sink *sink, const struct calltree *tree, bool as_time);

/* Frames in one line; deeper lines are counted as bad. */
enum { FOLDED_MAX_FRAMES = 8192 };

/*
 * The same format read, with what its readers accept: blank lines and lines
 * starting with "# " are skipped, fractions are rounded, "_[k]", "_[i]" and
 * "_[j]" suffixes become flags, of two numbers (a differential) the last one
 * counts.  Other lines are counted in `ret_n_bad` with the first one's number
 * in `ret_first_bad`; it is an error, which names `name`, when they are more
 * than the good ones or no line counts anything.
 *
 * `profile` is initialised here, and released here on failure.  A count is
 * both the ticks and the weight of its sample: info.has_times is false.
 */
int folded_read(struct profile *profile, const uint8_t *bytes, size_t size_bytes, const char *name,
		uint64_t *ret_n_bad, uint64_t *ret_first_bad, struct error *err);

#endif
