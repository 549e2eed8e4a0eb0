#include "os/output_lines.h"

#include <stdint.h>
#include <string.h>

/* The name is the first group, or what matched where there is none. */
static void look_at(struct output_lines *lines)
{
	regmatch_t found[2] = { { .rm_so = 0, .rm_eo = 0 }, { .rm_so = -1 } };
	size_t size = lines->n_bytes;
	size_t i;

	if (size && lines->bytes[size - 1] == '\r')
		size--;
	lines->bytes[size] = '\0';
	found[0].rm_eo = (regoff_t)size;
	/* REG_STARTEND: a line may hold bytes of 0. */
	if (regexec(lines->pattern, lines->bytes, 2, found, REG_STARTEND) != 0)
		return;
	i = lines->pattern->re_nsub && found[1].rm_so >= 0 ? 1 : 0;
	if (found[i].rm_eo > found[i].rm_so)
		lines->matched(lines->context, lines->bytes + found[i].rm_so,
			       (size_t)(found[i].rm_eo - found[i].rm_so), lines->bytes, size);
}

/* ECMA-48: ESC [, parameters, and a final byte; else ESC and one more. */
static bool is_of_sequence(struct output_lines *lines, unsigned char byte)
{
	switch (lines->state) {
	case OUTPUT_TEXT:
		if (byte != '\033')
			return false;
		lines->state = OUTPUT_ESCAPE;
		return true;
	case OUTPUT_ESCAPE:
		lines->state = byte == '[' ? OUTPUT_CONTROL : OUTPUT_TEXT;
		return true;
	case OUTPUT_CONTROL:
		if (byte >= 0x40)
			lines->state = OUTPUT_TEXT;
		return true;
	}
	return false;
}

/* A stretch without a newline. */
static void add_part(struct output_lines *lines, const char *bytes, size_t size)
{
	const size_t room = OUTPUT_LINE_MAX_BYTES - lines->n_bytes;

	if (lines->state == OUTPUT_TEXT && !memchr(bytes, '\033', size)) {
		memcpy(lines->bytes + lines->n_bytes, bytes, size < room ? size : room);
		lines->n_bytes += size < room ? size : room;
		return;
	}
	for (size_t i = 0; i < size && lines->n_bytes < OUTPUT_LINE_MAX_BYTES; i++)
		if (!is_of_sequence(lines, (unsigned char)bytes[i]))
			lines->bytes[lines->n_bytes++] = bytes[i];
}

void output_lines_add(struct output_lines *lines, const char *bytes, size_t size)
{
	while (size) {
		const char *end = memchr(bytes, '\n', size);
		const size_t part = end ? (size_t)(end - bytes) : size;

		add_part(lines, bytes, part);
		if (!end)
			return;
		look_at(lines);
		lines->n_bytes = 0;
		lines->state = OUTPUT_TEXT;
		bytes += part + 1;
		size -= part + 1;
	}
}

void output_lines_finish(struct output_lines *lines)
{
	if (lines->n_bytes)
		look_at(lines);
	lines->n_bytes = 0;
}
