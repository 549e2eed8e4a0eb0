/* The variable-length reads of the bounded cursor. */
#include "base/bytes.h"

uint64_t bytes_uleb_long(struct bytes *b)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(b);
		if (shift >= 64 || (shift == 63 && (byte & 0x7e))) {
			b->is_bad = true;
			return 0;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

int64_t bytes_sleb_long(struct bytes *b)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(b);
		if (shift >= 64) {
			b->is_bad = true;
			return 0;
		}
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

const char *bytes_string(struct bytes *b)
{
	const char *string = (const char *)b->at;
	const uint8_t *nul = bytes_left(b) ? memchr(b->at, 0, bytes_left(b)) : NULL;

	if (!nul) {
		b->is_bad = true;
		b->at = b->end;
		return NULL;
	}
	b->at = nul + 1;
	return string;
}
