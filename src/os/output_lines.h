#ifndef TSPROF_OS_OUTPUT_LINES_H
#define TSPROF_OS_OUTPUT_LINES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes that come in pieces, as lines that are looked at with a regular
 * expression.  Of a line its first OUTPUT_LINE_MAX_BYTES count.  Colours and other control
 * sequences of terminals are left out of it, and a '\r' before its end.
 */
enum { OUTPUT_LINE_MAX_BYTES = 8192 };

struct output_lines {
	const regex_t *pattern; /* borrowed */
	/* Called for lines that match; the texts are borrowed for the call. */
	void (*matched)(void *context, const char *name, size_t name_bytes, const char *line,
			size_t line_bytes);
	void *context;
	size_t n_bytes;
	enum { OUTPUT_TEXT, OUTPUT_ESCAPE, OUTPUT_CONTROL } state;
	char bytes[OUTPUT_LINE_MAX_BYTES + 1];
};

void output_lines_add(struct output_lines *lines, const char *bytes, size_t size);

/* There will be no more: what is left is a line, too. */
void output_lines_finish(struct output_lines *lines);

#endif
