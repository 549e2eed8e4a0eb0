/*
 * System V psABI 3.2.3: integers in rdi, rsi, rdx, rcx, r8, r9, then on the
 * stack above the return address.  AAPCS64 6.8.2: x0 to x7, then the stack.
 */
#include "record/probe_fields.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/escape.h"
#include "os/trace_events.h"

enum {
	ENTRY_FIELDS_AT = 16,  /* behind common fields and __probe_ip */
	RETURN_FIELDS_AT = 24, /* … __probe_func and __probe_ret_ip */
	TEXT_MAX_BYTES = 128,  /* of one argument, shown */
	LOCATION_LENGTH_SHIFT = 16,
};

static_assert(TEXT_MAX_BYTES + 2 <= TRACE_EVENTS_TEXT_BYTES, "longer ones are seen to be cut");

#if defined(__x86_64__)
static const char *const registers[] = { "%di", "%si", "%dx", "%cx", "%r8", "%r9" };
#define RETURN_ADDRESS "+0(%sp)"
enum { FIRST_ON_STACK_AT = 8 };
#elif defined(__aarch64__)
static const char *const registers[] = { "%x0", "%x1", "%x2", "%x3", "%x4", "%x5", "%x6", "%x7" };
#define RETURN_ADDRESS "%lr"
enum { FIRST_ON_STACK_AT = 0 };
#endif

enum { N_REGISTERS = sizeof(registers) / sizeof(registers[0]) };

static void add_place(struct buffer *fields, size_t index)
{
	if (index < N_REGISTERS)
		buffer_add_string(fields, registers[index]);
	else
		buffer_printf(fields, "+%zu(%%sp)",
			      FIRST_ON_STACK_AT + (index - N_REGISTERS) * sizeof(uint64_t));
}

/* Numbers as wide as they are: what lies above them in a register is anything. */
static void add_number(struct buffer *fields, const struct probe_type *type)
{
	buffer_printf(fields, ":%c%d", type->kind == PROBE_TYPE_SIGNED ? 's' : 'u',
		      type->size_bytes * 8);
}

void probe_fields_of_entry(struct buffer *fields, const struct probe_spec *spec, bool has_arguments)
{
	buffer_add_string(fields, "sp=%sp:u64");
	if (probe_spec_has_return(spec))
		buffer_add_string(fields, " ra=" RETURN_ADDRESS ":u64");
	for (size_t i = 0; has_arguments && i < spec->n_arguments; i++) {
		const struct probe_type *type = &spec->arguments[i].type;

		buffer_printf(fields, " a%zu=", i);
		add_place(fields, i);
		add_number(fields, type);
		if (type->kind != PROBE_TYPE_TEXT)
			continue;
		buffer_printf(fields, " t%zu=+0(", i);
		add_place(fields, i);
		buffer_add_string(fields, "):string");
	}
}

void probe_fields_of_return(struct buffer *fields, const struct probe_spec *spec)
{
	buffer_add_string(fields, "sp=%sp:u64");
	if (!spec->has_result)
		return;
	buffer_add_string(fields, " rv=$retval");
	add_number(fields, &spec->result);
	if (spec->result.kind == PROBE_TYPE_TEXT)
		buffer_add_string(fields, " rt=+0($retval):string");
}

static uint64_t read_number(struct bytes *at, const struct probe_type *type)
{
	switch (type->size_bytes) {
	case 1:
		return type->kind == PROBE_TYPE_SIGNED ? (uint64_t)(int8_t)bytes_u8(at)
						       : bytes_u8(at);
	case 2:
		return type->kind == PROBE_TYPE_SIGNED ? (uint64_t)(int16_t)bytes_u16(at)
						       : bytes_u16(at);
	case 4:
		return type->kind == PROBE_TYPE_SIGNED ? (uint64_t)(int32_t)bytes_u32(at)
						       : bytes_u32(at);
	default:
		return bytes_u64(at);
	}
}

/* A text's place is an offset into the record, with its length above. */
static void add_text(struct buffer *text, uint64_t pointer, uint32_t location, const uint8_t *bytes,
		     size_t size_bytes)
{
	const size_t offset = location & 0xffff;
	size_t n_bytes = location >> LOCATION_LENGTH_SHIFT;
	char shown[TEXT_MAX_BYTES + 1];
	bool is_cut;

	if (!pointer) {
		buffer_add_string(text, "NULL");
		return;
	}
	if (!n_bytes || offset > size_bytes || n_bytes > size_bytes - offset) {
		buffer_printf(text, "0x%" PRIx64 " (not readable)", pointer);
		return;
	}
	n_bytes = strnlen((const char *)bytes + offset, n_bytes);
	is_cut = n_bytes > TEXT_MAX_BYTES;
	n_bytes = is_cut ? TEXT_MAX_BYTES : n_bytes;
	memcpy(shown, bytes + offset, n_bytes);
	shown[n_bytes] = '\0';
	buffer_add_char(text, '"');
	escape_terminal(text, shown);
	buffer_add_string(text, is_cut ? "\"…" : "\"");
}

static void add_value(struct buffer *text, const struct probe_type *type, struct bytes *at,
		      const uint8_t *bytes, size_t size_bytes)
{
	const uint64_t value = read_number(at, type);

	switch (type->kind) {
	case PROBE_TYPE_VOID:
		break;
	case PROBE_TYPE_SIGNED:
		buffer_printf(text, "%" PRId64, (int64_t)value);
		break;
	case PROBE_TYPE_UNSIGNED:
		buffer_printf(text, "%" PRIu64, value);
		break;
	case PROBE_TYPE_BOOL:
		buffer_add_string(text, value ? "true" : "false");
		break;
	case PROBE_TYPE_CHAR:
		if (value >= 0x20 && value < 0x7f)
			buffer_printf(text, "'%c'", (char)value);
		else
			buffer_printf(text, "%" PRIu64, value);
		break;
	case PROBE_TYPE_POINTER:
		if (value)
			buffer_printf(text, "0x%" PRIx64, value);
		else
			buffer_add_string(text, "NULL");
		break;
	case PROBE_TYPE_TEXT:
		add_text(text, value, bytes_u32(at), bytes, size_bytes);
		break;
	}
}

bool probe_fields_read_entry(struct probe_entry_fields *ret_fields, struct buffer *text,
			     const struct probe_spec *spec, bool has_arguments,
			     const uint8_t *bytes, size_t size_bytes)
{
	struct bytes at = bytes_of(bytes, size_bytes);

	(void)bytes_take(&at, ENTRY_FIELDS_AT);
	ret_fields->sp = bytes_u64(&at);
	ret_fields->return_ip = probe_spec_has_return(spec) ? bytes_u64(&at) : 0;
	for (size_t i = 0; has_arguments && i < spec->n_arguments; i++) {
		buffer_printf(text, "%s%s=", text->size ? " " : "", spec->arguments[i].name);
		add_value(text, &spec->arguments[i].type, &at, bytes, size_bytes);
	}
	return !at.is_bad;
}

bool probe_fields_read_sp_of_return(uint64_t *ret_sp, const uint8_t *bytes, size_t size_bytes)
{
	struct bytes at = bytes_of(bytes, size_bytes);

	(void)bytes_take(&at, RETURN_FIELDS_AT);
	*ret_sp = bytes_u64(&at);
	return !at.is_bad;
}

bool probe_fields_read_return(struct buffer *text, const struct probe_spec *spec,
			      const uint8_t *bytes, size_t size_bytes)
{
	struct bytes at = bytes_of(bytes, size_bytes);

	(void)bytes_take(&at, RETURN_FIELDS_AT + sizeof(uint64_t));
	if (spec->has_result) {
		buffer_add_string(text, text->size ? " → " : "→ ");
		add_value(text, &spec->result, &at, bytes, size_bytes);
	}
	return !at.is_bad;
}
