/* Each cell is a cursor that gives one line after the other until all are empty. */
#include "cmd/wrapped_rows.h"

#include <stdbool.h>
#include <string.h>

#include "base/escape.h"

static size_t character_columns(const char *from, const char *to)
{
	char character[8] = { 0 };
	const size_t size = (size_t)(to - from);

	memcpy(character, from, size < sizeof(character) ? size : sizeof(character) - 1);
	return utf8_columns(character);
}

/*
 * Where the next line of `text` ends: behind the last word that fits, or in the
 * middle of one that is too long for any line.
 */
static const char *line_end(const char *text, size_t width)
{
	const char *const end = text + strlen(text);
	const char *at = text;
	const char *last_gap = NULL;
	size_t used = 0;

	while (at < end) {
		const char *next = at;

		(void)utf8_next(&next, end);
		used += character_columns(at, next);
		if (*at == ' ')
			last_gap = at;
		if (used > width)
			break;
		at = next;
	}
	if (at == end)
		return end;
	if (last_gap)
		return last_gap;
	if (at == text) /* one character is wider than the column */
		(void)utf8_next(&at, end);
	return at;
}

static void add_spaces(struct buffer *out, size_t n)
{
	while (n-- > 0)
		buffer_add_char(out, ' ');
}

/* One line of a cell; returns what is left of it. */
static const char *add_line(struct buffer *out, const char *text, size_t width)
{
	const char *const end = line_end(text, width);
	struct buffer line = BUFFER_INIT;
	size_t used;

	buffer_add(&line, text, (size_t)(end - text));
	used = utf8_columns(buffer_string(&line));
	buffer_add(out, buffer_string(&line), line.size);
	add_spaces(out, width > used ? width - used : 0);
	if (line.is_failed)
		out->is_failed = true;
	buffer_release(&line);
	return end + strspn(end, " ");
}

static void trim_line(struct buffer *out)
{
	while (out->size && out->data[out->size - 1] == ' ')
		out->data[--out->size] = '\0';
}

void wrapped_rows_add(struct buffer *out, const struct wrapped_layout *layout,
		      const char *const *cells)
{
	struct buffer safe[WRAPPED_MAX_COLUMNS];
	const char *left[WRAPPED_MAX_COLUMNS];
	bool has_more = true;

	for (size_t i = 0; i < layout->n_columns; i++) {
		safe[i] = BUFFER_INIT;
		escape_terminal(&safe[i], cells[i]);
		if (safe[i].is_failed)
			out->is_failed = true;
		left[i] = buffer_string(&safe[i]);
	}
	while (has_more) {
		has_more = false;
		for (size_t i = 0; i < layout->n_columns; i++) {
			add_spaces(out, i ? 2 : 0);
			left[i] = add_line(out, left[i], layout->widths[i]);
			has_more |= *left[i] != '\0';
		}
		trim_line(out);
		buffer_add_char(out, '\n');
	}
	for (size_t i = 0; i < layout->n_columns; i++)
		buffer_release(&safe[i]);
}

void wrapped_rows_add_rule(struct buffer *out, const struct wrapped_layout *layout)
{
	for (size_t i = 0; i < layout->n_columns; i++) {
		add_spaces(out, i ? 2 : 0);
		for (size_t n = layout->widths[i]; n > 0; n--)
			buffer_add_string(out, "─");
	}
	buffer_add_char(out, '\n');
}
