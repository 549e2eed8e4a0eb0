/*
 * Long C++ and Rust names in narrow boxes and columns.  Brackets are matched by counting;
 * what is not balanced is left as it is, since a name may be anything.
 */
#include "base/function_label.h"

#include <stdbool.h>
#include <string.h>

#include "base/escape.h"

#define ELLIPSIS "\xe2\x80\xa6"

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Bytes of "operator()", "operator<<=" and the like at `at`: not brackets; 0 when none. */
static size_t operator_length(const char *at)
{
	size_t n = strlen("operator");

	if (!starts_with(at, "operator"))
		return 0;
	if (starts_with(at + n, "()"))
		return n + 2;
	while (at[n] && strchr("<>=-", at[n]))
		n++;
	return n;
}

/* Where the bracket that opens at `at` is closed, or NULL. */
static const char *closing_bracket(const char *at)
{
	const char open = *at;
	const char close = open == '<' ? '>' : ')';
	size_t depth = 0;

	for (; *at; at++) {
		if (*at == open)
			depth++;
		else if (*at == close && at[-1] != '-' && --depth == 0)
			return at;
	}
	return NULL;
}

/* gcc's names of what has none, "<lambda(int)>": not arguments. */
static bool is_nameless(const char *at)
{
	return starts_with(at, "<lambda") || starts_with(at, "<unnamed");
}

/* At the "::<…>" of a Rust function's own arguments? */
static bool is_turbofish(const char *at)
{
	return starts_with(at, "::<") && !is_nameless(at + 2);
}

/* Where the type of "<type as trait>::function" ends, of which `end` is the last bracket. */
static const char *end_of_type(const char *at, const char *end)
{
	size_t depth = 0;

	for (; at < end; at++) {
		if (strchr("<([", *at))
			depth++;
		else if (strchr(">)]", *at) && at[-1] != '-')
			depth -= depth > 0;
		else if (!depth && starts_with(at, " as "))
			return at;
	}
	return end;
}

void function_label_shorten(struct buffer *out, const char *name)
{
	const char *end = *name == '<' && !is_nameless(name) ? closing_bracket(name) : NULL;
	/* A type of Rust's in brackets: without them, and without its trait. */
	const bool is_type = end && starts_with(end + 1, "::");
	const char *const type_end = is_type ? end_of_type(name + 1, end) : NULL;
	const char *const behind = is_type ? end + 1 : NULL;
	const char *const start = name + is_type;
	const char *at = start;
	bool is_balanced = true; /* looked for once: a hostile name must not cost O(n^2) */

	while (*at) {
		const size_t skip = operator_length(at);
		bool is_list;

		end = NULL;
		if (at == type_end) {
			at = behind;
			continue;
		}
		if (skip) {
			buffer_add(out, at, skip);
			at += skip;
			continue;
		}
		if (is_balanced && is_turbofish(at)) {
			end = closing_bracket(at + 2);
			is_balanced = end;
			at = end ? end + 1 : at;
			continue;
		}
		if (is_balanced && (*at == '<' || *at == '(') && at > start &&
		    !starts_with(at, "(anonymous")) {
			end = closing_bracket(at);
			is_balanced = end;
		}
		if (!end) {
			buffer_add_char(out, *at++);
			continue;
		}
		if (*at == '<')
			buffer_add_string(out, "<" ELLIPSIS ">");
		is_list = *at == '(';
		at = end + 1;
		/* It belongs to the parameters. */
		if (is_list && starts_with(at, " const"))
			at += strlen(" const");
	}
}

/* The longest tail behind a "::" that fits in `columns`; else the last one; NULL when none. */
static const char *qualified_tail(const char *name, size_t columns)
{
	const char *tail = NULL;

	const char *const end = name + strlen(name);

	for (const char *at = name; *at; at++) {
		if (at[0] != ':' || at[1] != ':')
			continue;
		tail = at;
		/* Four bytes a column at most; cheap before exact, names may be huge. */
		if ((size_t)(end - at) <= 4 * columns && utf8_columns(at) + 1 <= columns)
			break;
		at++;
	}
	return tail;
}

static void add_cut(struct buffer *out, const char *text, size_t columns)
{
	const char *const end = text + strlen(text);
	size_t used = 1; /* for the ellipsis */

	while (text < end) {
		const char *next = text;
		char one[8] = "";

		(void)utf8_next(&next, end);
		memcpy(one, text, (size_t)(next - text));
		used += utf8_columns(one);
		if (used > columns)
			break;
		buffer_add(out, text, (size_t)(next - text));
		text = next;
	}
	buffer_add_string(out, ELLIPSIS);
}

static void add_shortened(struct buffer *out, const char *name, size_t columns)
{
	const char *tail;

	if (utf8_columns(name) <= columns) {
		buffer_add_string(out, name);
		return;
	}
	tail = qualified_tail(name, columns);
	if (!tail) {
		add_cut(out, name, columns);
	} else if (utf8_columns(tail) + 1 <= columns) {
		buffer_add_string(out, ELLIPSIS);
		buffer_add_string(out, tail);
	} else if (utf8_columns(tail + 2) <= columns) {
		buffer_add_string(out, tail + 2);
	} else {
		add_cut(out, tail + 2, columns);
	}
}

void function_label_fit(struct buffer *out, const char *name, size_t columns)
{
	struct buffer shortened = BUFFER_INIT;

	if (columns < FUNCTION_LABEL_MIN_COLUMNS)
		return;
	if (utf8_columns(name) <= columns) {
		buffer_add_string(out, name);
		return;
	}
	function_label_shorten(&shortened, name);
	add_shortened(out, buffer_string(&shortened), columns);
	out->is_failed |= shortened.is_failed;
	buffer_release(&shortened);
}
