#ifndef TSPROF_CMD_WRAPPED_ROWS_H
#define TSPROF_CMD_WRAPPED_ROWS_H

#include <stddef.h>

#include "base/buffer.h"

/*
 * Rows of texts that are to be read whole: where export/table.h shortens, these
 * are broken into lines between words, or inside of a word that is longer than
 * its column.  Parted by two spaces like a plain table.
 */
enum { WRAPPED_MAX_COLUMNS = 4 };

struct wrapped_layout {
	size_t n_columns;
	size_t widths[WRAPPED_MAX_COLUMNS]; /* at least 1 each */
};

/* `cells` has n_columns texts, made safe for a terminal here. */
void wrapped_rows_add(struct buffer *out, const struct wrapped_layout *layout,
		      const char *const *cells);

/* The rule below a header. */
void wrapped_rows_add_rule(struct buffer *out, const struct wrapped_layout *layout);

#endif
