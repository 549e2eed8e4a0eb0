/* Containers on lines of their own; everything else is one line a value. */
#include "base/json_writer.h"

#include <math.h>

#include "base/escape.h"

static void json_begin(struct json_writer *json, const char *key)
{
	if (json->has_items)
		buffer_add_char(json->out, ',');
	if (json->depth)
		buffer_add_char(json->out, '\n');
	for (unsigned int i = 0; i < json->depth; i++)
		buffer_add_string(json->out, "  ");
	if (key) {
		buffer_add_char(json->out, '"');
		escape_json(json->out, key);
		buffer_add_string(json->out, "\": ");
	}
	json->has_items = true;
}

static void json_open(struct json_writer *json, const char *key, char bracket)
{
	json_begin(json, key);
	buffer_add_char(json->out, bracket);
	json->depth++;
	json->has_items = false;
}

static void json_close(struct json_writer *json, char bracket)
{
	json->depth--;
	if (json->has_items) {
		buffer_add_char(json->out, '\n');
		for (unsigned int i = 0; i < json->depth; i++)
			buffer_add_string(json->out, "  ");
	}
	buffer_add_char(json->out, bracket);
	if (!json->depth)
		buffer_add_char(json->out, '\n');
	json->has_items = true;
}

void json_open_object(struct json_writer *json, const char *key)
{
	json_open(json, key, '{');
}

void json_close_object(struct json_writer *json)
{
	json_close(json, '}');
}

void json_open_array(struct json_writer *json, const char *key)
{
	json_open(json, key, '[');
}

void json_close_array(struct json_writer *json)
{
	json_close(json, ']');
}

void json_string(struct json_writer *json, const char *key, const char *value)
{
	json_begin(json, key);
	buffer_add_char(json->out, '"');
	escape_json(json->out, value);
	buffer_add_char(json->out, '"');
}

void json_unsigned(struct json_writer *json, const char *key, uint64_t value)
{
	json_begin(json, key);
	buffer_add_decimal(json->out, value);
}

void json_signed(struct json_writer *json, const char *key, int64_t value)
{
	json_begin(json, key);
	buffer_printf(json->out, "%lld", (long long)value);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
	json_begin(json, key);
	buffer_add_string(json->out, value ? "true" : "false");
}

void json_null(struct json_writer *json, const char *key)
{
	json_begin(json, key);
	buffer_add_string(json->out, "null");
}

void json_number(struct json_writer *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_begin(json, key);
	buffer_printf(json->out, "%.6f", value);
}

void json_real(struct json_writer *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_begin(json, key);
	buffer_add_real(json->out, value);
}
