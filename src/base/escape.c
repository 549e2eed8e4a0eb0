/*
 * UTF-8 is decoded strictly (no overlong forms, no surrogates; RFC 3629) and
 * encoded again, so nothing invalid passes whatever the output.
 */
#include "base/escape.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT UINT32_C(0xfffd)

struct range {
	uint32_t first;
	uint32_t last;
};

uint32_t utf8_next(const char **at, const char *end)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*at;
	uint32_t code_point;
	int n_more;

	*at += 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return REPLACEMENT;
	n_more = p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	if (end - (const char *)p <= n_more)
		return REPLACEMENT;
	code_point = p[0] & (0x3fu >> n_more);
	for (int i = 1; i <= n_more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		code_point = (code_point << 6) | (p[i] & 0x3f);
	}
	if (code_point < smallest[n_more] || code_point > 0x10ffff ||
	    (code_point >= 0xd800 && code_point <= 0xdfff))
		return REPLACEMENT;
	*at += n_more;
	return code_point;
}

void utf8_add(struct buffer *out, uint32_t c)
{
	char bytes[4];

	if (c < 0x80) {
		buffer_add_char(out, (char)c);
	} else if (c < 0x800) {
		bytes[0] = (char)(0xc0 | (c >> 6));
		bytes[1] = (char)(0x80 | (c & 0x3f));
		buffer_add(out, bytes, 2);
	} else if (c < 0x10000) {
		bytes[0] = (char)(0xe0 | (c >> 12));
		bytes[1] = (char)(0x80 | ((c >> 6) & 0x3f));
		bytes[2] = (char)(0x80 | (c & 0x3f));
		buffer_add(out, bytes, 3);
	} else {
		bytes[0] = (char)(0xf0 | (c >> 18));
		bytes[1] = (char)(0x80 | ((c >> 12) & 0x3f));
		bytes[2] = (char)(0x80 | ((c >> 6) & 0x3f));
		bytes[3] = (char)(0x80 | (c & 0x3f));
		buffer_add(out, bytes, 4);
	}
}

static bool in_ranges(const struct range *ranges, size_t n_ranges, uint32_t c)
{
	for (size_t i = 0; i < n_ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Characters that move the cursor, reorder the line or cannot be seen. */
static bool is_control(uint32_t c)
{
	static const struct range controls[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfff9, 0xfffb },
	};

	return in_ranges(controls, sizeof(controls) / sizeof(controls[0]), c);
}

static bool is_forbidden_in_xml(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0xfffe || c == 0xffff ||
	       is_control(c);
}

static size_t columns_of(uint32_t c)
{
	static const struct range none[] = { { 0x0300, 0x036f },
					     { 0x200b, 0x200f },
					     { 0x20d0, 0x20ff },
					     { 0xfe00, 0xfe0f },
					     { 0xfe20, 0xfe2f } };
	static const struct range two[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },	 { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },	 { 0xffe0, 0xffe6 },
		{ 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd }
	};

	if (c < 0x300)
		return 1;
	if (in_ranges(none, sizeof(none) / sizeof(none[0]), c))
		return 0;
	return in_ranges(two, sizeof(two) / sizeof(two[0]), c) ? 2 : 1;
}

void escape_terminal(struct buffer *out, const char *text)
{
	const char *const end = text + strlen(text);

	while (text < end) {
		const uint32_t c = utf8_next(&text, end);

		utf8_add(out, is_control(c) ? REPLACEMENT : c);
	}
}

void escape_xml(struct buffer *out, const char *text)
{
	const char *const end = text + strlen(text);

	while (text < end) {
		const uint32_t c = utf8_next(&text, end);

		if (c == '<')
			buffer_add_string(out, "&lt;");
		else if (c == '>')
			buffer_add_string(out, "&gt;");
		else if (c == '&')
			buffer_add_string(out, "&amp;");
		else if (c == '"')
			buffer_add_string(out, "&quot;");
		else if (c == '\'')
			buffer_add_string(out, "&#39;");
		else
			utf8_add(out, is_forbidden_in_xml(c) ? REPLACEMENT : c);
	}
}

void escape_json(struct buffer *out, const char *text)
{
	const char *const end = text + strlen(text);

	while (text < end) {
		const uint32_t c = utf8_next(&text, end);

		if (c == '"' || c == '\\')
			buffer_printf(out, "\\%c", (int)c);
		else if (c == '\n')
			buffer_add_string(out, "\\n");
		else if (c == '\t')
			buffer_add_string(out, "\\t");
		else if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || c == '&' || c == 0x2028 ||
			 c == 0x2029)
			buffer_printf(out, "\\u%04x", (unsigned int)c);
		else
			utf8_add(out, c);
	}
}

void escape_csv(struct buffer *out, const char *text)
{
	const char *const end = text + strlen(text);

	if (!strpbrk(text, "\",\r\n")) {
		escape_terminal(out, text);
		return;
	}
	buffer_add_char(out, '"');
	while (text < end) {
		const uint32_t c = utf8_next(&text, end);

		if (c == '"')
			buffer_add_char(out, '"');
		utf8_add(out, is_control(c) && c != '\n' ? REPLACEMENT : c);
	}
	buffer_add_char(out, '"');
}

size_t utf8_columns(const char *text)
{
	const char *const end = text + strlen(text);
	size_t columns = 0;

	while (text < end)
		columns += columns_of(utf8_next(&text, end));
	return columns;
}

/* The place where the first `columns` columns of the text end. */
static const char *utf8_skip_columns(const char *text, const char *end, size_t columns)
{
	while (text < end) {
		const char *next = text;
		const size_t width = columns_of(utf8_next(&next, end));

		if (width > columns)
			break;
		columns -= width;
		text = next;
	}
	return text;
}

void escape_terminal_fit(struct buffer *out, const char *text, size_t columns)
{
	struct buffer safe = BUFFER_INIT;
	size_t width;

	escape_terminal(&safe, text);
	width = utf8_columns(buffer_string(&safe));
	if (width <= columns) {
		buffer_add(out, buffer_string(&safe), safe.size);
	} else if (columns > 0) {
		const char *const start = safe.data;
		const char *const end = start + safe.size;
		const size_t head = columns / 2;
		const char *const cut = utf8_skip_columns(start, end, head);
		const char *tail = utf8_skip_columns(start, end, width - (columns - 1 - head));

		/* Half of a wide character is skipped whole. */
		if (tail < end && utf8_columns(tail) > columns - 1 - head)
			(void)utf8_next(&tail, end);
		buffer_add(out, start, (size_t)(cut - start));
		buffer_add_string(out, "…");
		buffer_add(out, tail, (size_t)(end - tail));
	}
	if (safe.is_failed)
		out->is_failed = true;
	buffer_release(&safe);
}
