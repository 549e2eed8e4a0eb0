#ifndef TSPROF_BASE_BYTES_H
#define TSPROF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A bounded cursor over bytes that somebody else wrote.
 *
 * Reading past the end yields zero, moves nothing and sets `is_bad`, which
 * stays set: a parser may read a whole record and ask once at its end.  All
 * integers are little-endian, the only byte order tsprof runs on.  Inlined
 * because CFI rows are decoded with it.
 */
struct bytes {
	const uint8_t *at;
	const uint8_t *end;
	bool is_bad;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
	const uint8_t *start = data;

	return (struct bytes){ .at = start, .end = start ? start + size : start, .is_bad = false };
}

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

/* Borrowed: `size` bytes at the cursor, which moves past them; NULL when fewer are left. */
static inline const uint8_t *bytes_take(struct bytes *b, uint64_t size)
{
	const uint8_t *taken = b->at;

	if (size > bytes_left(b)) {
		b->is_bad = true;
		b->at = b->end;
		return NULL;
	}
	b->at += size;
	return taken;
}

/* A cursor over the next `size` bytes; bad and empty when fewer are left. */
static inline struct bytes bytes_sub(struct bytes *b, uint64_t size)
{
	const uint8_t *taken = bytes_take(b, size);
	struct bytes sub = bytes_of(taken, taken ? (size_t)size : 0);

	sub.is_bad = !taken;
	return sub;
}

#define BYTES_READ(name, type)                                                                     \
	static inline type bytes_##name(struct bytes *b)                                           \
	{                                                                                          \
		const uint8_t *from = bytes_take(b, sizeof(type));                                 \
		type value = 0;                                                                    \
                                                                                                   \
		if (from)                                                                          \
			memcpy(&value, from, sizeof(value));                                       \
		return value;                                                                      \
	}

BYTES_READ(u8, uint8_t)
BYTES_READ(u16, uint16_t)
BYTES_READ(u32, uint32_t)
BYTES_READ(u64, uint64_t)
#undef BYTES_READ

/* For the two below: numbers of any length. */
uint64_t bytes_uleb_long(struct bytes *b);
int64_t bytes_sleb_long(struct bytes *b);

/* Unsigned LEB128 (DWARF 5, 7.6).  Bits past the 64th are an error. */
static inline uint64_t bytes_uleb(struct bytes *b)
{
	if (b->at < b->end && *b->at < 0x80)
		return *b->at++;
	return bytes_uleb_long(b);
}

/* Signed LEB128 (DWARF 5, 7.6). */
static inline int64_t bytes_sleb(struct bytes *b)
{
	if (b->at < b->end && *b->at < 0x40)
		return *b->at++;
	return bytes_sleb_long(b);
}

/* Borrowed: a NUL-terminated string inside the bytes; NULL and bad when there is no NUL. */
const char *bytes_string(struct bytes *b);

#endif
