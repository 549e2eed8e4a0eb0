#ifndef TSPROF_BASE_JSON_WRITER_H
#define TSPROF_BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * JSON (RFC 8259) written in order, indented by two spaces; commas and
 * escapes are taken care of.  `key` is NULL inside an array and for the root.
 * Failures stay in the buffer's flag.
 */
struct json_writer {
	struct buffer *out; /* borrowed */
	unsigned int depth;
	bool has_items; /* in the innermost open container */
};

void json_open_object(struct json_writer *json, const char *key);
void json_close_object(struct json_writer *json);
void json_open_array(struct json_writer *json, const char *key);
void json_close_array(struct json_writer *json);
void json_string(struct json_writer *json, const char *key, const char *value);
void json_unsigned(struct json_writer *json, const char *key, uint64_t value);
void json_signed(struct json_writer *json, const char *key, int64_t value);
void json_bool(struct json_writer *json, const char *key, bool value);
void json_null(struct json_writer *json, const char *key);

/* Six significant digits after the point; what is not finite is written as null. */
void json_number(struct json_writer *json, const char *key, double value);

/* So many digits as it takes to read the same number again; the same for what is not finite. */
void json_real(struct json_writer *json, const char *key, double value);

#endif
