/* Growing bytes with a sticky failure flag. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { LEB128_MAX_BYTES = 10 };

/* Room for `size` more bytes and a NUL; NULL once anything failed. */
static char *buffer_room(struct buffer *buffer, size_t size)
{
	char *grown;

	if (buffer->is_failed)
		return NULL;
	if (buffer->data && size < buffer->capacity - buffer->size)
		return buffer->data + buffer->size;
	grown = array_grown(buffer->data, &buffer->capacity, buffer->size + size + 1, 1);
	if (!grown) {
		buffer->is_failed = true;
		return NULL;
	}
	buffer->data = grown;
	return grown + buffer->size;
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = BUFFER_INIT;
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->is_failed = false;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void buffer_add(struct buffer *buffer, const void *data, size_t size)
{
	char *room = buffer_room(buffer, size);

	if (!room)
		return;
	if (size)
		memcpy(room, data, size);
	room[size] = '\0';
	buffer->size += size;
}

void buffer_add_string(struct buffer *buffer, const char *string)
{
	buffer_add(buffer, string, strlen(string));
}

void buffer_add_char(struct buffer *buffer, char c)
{
	buffer_add(buffer, &c, 1);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *room;
	int size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	room = size < 0 ? NULL : buffer_room(buffer, (size_t)size);
	if (!room)
		return;
	va_start(args, format);
	(void)vsnprintf(room, (size_t)size + 1, format, args);
	va_end(args);
	buffer->size += (size_t)size;
}

void buffer_add_decimal(struct buffer *buffer, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buffer_add(buffer, digits + at, sizeof(digits) - at);
}

void buffer_add_real(struct buffer *buffer, double value)
{
	char text[32];

	for (int n_digits = 6; n_digits <= 17; n_digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", n_digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buffer_add_string(buffer, text);
}

void buffer_add_u8(struct buffer *buffer, uint8_t value)
{
	buffer_add(buffer, &value, sizeof(value));
}

void buffer_add_u16(struct buffer *buffer, uint16_t value)
{
	buffer_add(buffer, &value, sizeof(value));
}

void buffer_add_u32(struct buffer *buffer, uint32_t value)
{
	buffer_add(buffer, &value, sizeof(value));
}

void buffer_add_u64(struct buffer *buffer, uint64_t value)
{
	buffer_add(buffer, &value, sizeof(value));
}

void buffer_add_uleb(struct buffer *buffer, uint64_t value)
{
	char *room = buffer_room(buffer, LEB128_MAX_BYTES);
	size_t n = 0;

	if (!room)
		return;
	do {
		room[n++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	room[n] = '\0';
	buffer->size += n;
}

void buffer_add_sleb(struct buffer *buffer, int64_t value)
{
	char *room = buffer_room(buffer, LEB128_MAX_BYTES);
	bool is_last = false;
	size_t n = 0;

	while (room && !is_last) {
		const unsigned int byte = (unsigned int)(value & 0x7f);

		value >>= 7;
		is_last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
		room[n++] = (char)(byte | (is_last ? 0 : 0x80));
	}
	if (!room)
		return;
	room[n] = '\0';
	buffer->size += n;
}

const char *buffer_string(const struct buffer *buffer)
{
	return buffer->data ? buffer->data : "";
}
