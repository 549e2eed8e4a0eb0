#ifndef TSPROF_BASE_ESCAPE_H
#define TSPROF_BASE_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * The doors through which names leave the program.  A symbol name is any bytes
 * at all: control codes, half a UTF-8 sequence, `<script>`.  Each function
 * appends `text` made harmless for one kind of output; what is not UTF-8
 * becomes U+FFFD.
 */

/* Terminals and text tables: control characters (C0, C1, DEL, bidi overrides) become U+FFFD. */
void escape_terminal(struct buffer *out, const char *text);

/* XML text and attribute values in double quotes; characters XML 1.0 forbids become U+FFFD. */
void escape_xml(struct buffer *out, const char *text);

/* The inside of a JSON string, RFC 8259; also escapes `<`, `>`, `&`, U+2028/9 for use in HTML. */
void escape_json(struct buffer *out, const char *text);

/* One CSV field, RFC 4180: quoted when it has to be. */
void escape_csv(struct buffer *out, const char *text);

/*
 * The next code point at *at (before `end`), moving *at past it.  An invalid
 * sequence yields U+FFFD and moves one byte.
 */
uint32_t utf8_next(const char **at, const char *end);

void utf8_add(struct buffer *out, uint32_t code_point);

/* Columns that the text takes in a terminal: wide CJK count two, combining marks none. */
size_t utf8_columns(const char *text);

/*
 * Append at most `columns` columns of escaped `text`; when it does not fit, its
 * middle is replaced by "…" so that both ends of a long C++ name stay.
 */
void escape_terminal_fit(struct buffer *out, const char *text, size_t columns);

#endif
