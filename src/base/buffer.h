#ifndef TSPROF_BASE_BUFFER_H
#define TSPROF_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A growing run of bytes, text or binary, built piece by piece.
 *
 * A failed allocation sets `is_failed`, which stays set and makes every later
 * call do nothing: build everything, then ask once.  `data` is NUL-terminated
 * whenever it is not NULL; the NUL is not counted in `size`.
 */
struct buffer {
	char *data;
	size_t size;
	size_t capacity;
	bool is_failed;
};

#define BUFFER_INIT ((struct buffer){ 0 })

void buffer_release(struct buffer *buffer);

/* Forget the contents and keep the memory. */
void buffer_clear(struct buffer *buffer);

void buffer_add(struct buffer *buffer, const void *data, size_t size);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char c);
__attribute__((format(printf, 2, 3))) void buffer_printf(struct buffer *buffer, const char *format,
							 ...);

/* Decimal, without the cost of printf. */
void buffer_add_decimal(struct buffer *buffer, uint64_t value);

/* As many digits as it takes to read the same number again. */
void buffer_add_real(struct buffer *buffer, double value);

/* Little-endian integers and LEB128, the mirror of base/bytes.h. */
void buffer_add_u8(struct buffer *buffer, uint8_t value);
void buffer_add_u16(struct buffer *buffer, uint16_t value);
void buffer_add_u32(struct buffer *buffer, uint32_t value);
void buffer_add_u64(struct buffer *buffer, uint64_t value);
void buffer_add_uleb(struct buffer *buffer, uint64_t value);
void buffer_add_sleb(struct buffer *buffer, int64_t value);

/* Borrowed: the text so far, "" when nothing was added. */
const char *buffer_string(const struct buffer *buffer);

#endif
