#ifndef TSPROF_BASE_FUNCTION_LABEL_H
#define TSPROF_BASE_FUNCTION_LABEL_H

#include <stddef.h>

#include "base/buffer.h"

/*
 * Append the form of a function name that says most in `columns` columns of a
 * fixed-width font, not escaped; nothing when fewer than FUNCTION_LABEL_MIN_COLUMNS.
 *
 * The first that fits of: the name; the name without parameters, "const" behind them and
 * "::<…>" of Rust, with template arguments as "<…>" and "<type as trait>::function" as
 * "type::function"; that without leading qualifiers ("…::push_back"); its beginning and "…".
 * flame.js does the same after a zoom, and a test compares the two.
 */
void function_label_fit(struct buffer *out, const char *name, size_t columns);

/* The second form of the list. */
void function_label_shorten(struct buffer *out, const char *name);

enum { FUNCTION_LABEL_MIN_COLUMNS = 3 };

#endif
