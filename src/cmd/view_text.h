#ifndef TSPROF_CMD_VIEW_TEXT_H
#define TSPROF_CMD_VIEW_TEXT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "tree/calltree.h"
#include "tree/view.h"

/* What is looked at, in words.  All views here are resolved, all trees made from them. */

/* "from loaded, in scope parse, thread worker", for a terminal; nothing for everything. */
void view_text_add(struct buffer *out, const struct view *view);

/* "1,234 samples, 1.20 s of CPU time in 2.00 s": how much of it there is. */
void view_text_add_size(struct buffer *out, const struct view *view, const struct calltree *tree);

/* The same as members of an object that is open; `tree` is NULL where none was made. */
void view_text_write_json(struct json_writer *json, const struct view *view,
			  const struct profile *profile, const struct calltree *tree);

/* -ENODATA where a time or scopes were asked for and no sample is in them, saying why. */
int view_text_check(const struct view *view, const struct calltree *tree, struct error *err);

#endif
