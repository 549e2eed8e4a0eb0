/* Line by line; a runtime appends while we read. */
#include "symbol/perf_map.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* "1a2b" or "0x1a2b" and the blank behind it; NULL when that is not there. */
static const char *parse_hex(uint64_t *ret_value, const char *at, const char *end)
{
	const char *first;
	uint64_t value = 0;

	if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		at += 2;
	first = at;
	while (at < end && hex_digit(*at) >= 0) {
		if (value >> 60)
			return NULL;
		value = value << 4 | (uint64_t)hex_digit(*at++);
	}
	if (at == first || at == end || *at != ' ')
		return NULL;
	*ret_value = value;
	return at + 1;
}

static int take_line(struct jit_symbols *symbols, const char *line, const char *end)
{
	struct jit_function function = { 0 };
	const char *at = parse_hex(&function.start, line, end);

	if (at)
		at = parse_hex(&function.size_bytes, at, end);
	if (!at)
		return 0;
	if (end > at && end[-1] == '\r')
		end--;
	function.name = at;
	function.name_bytes = (size_t)(end - at);
	return jit_symbols_add(symbols, &function);
}

int perf_map_parse(struct jit_symbols *symbols, const char *text, size_t size, bool is_last,
		   size_t *ret_taken)
{
	const char *const end = text + size;
	const char *at = text;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		int r;

		if (!newline && !is_last && end - at < PERF_MAP_LINE_MAX_BYTES)
			break;
		r = take_line(symbols, at, line_end);
		if (r < 0)
			return r;
		at = newline ? newline + 1 : end;
	}
	*ret_taken = (size_t)(at - text);
	return 0;
}
