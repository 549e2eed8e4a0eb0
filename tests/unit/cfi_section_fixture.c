/* CIEs and FDEs by hand: the entry is written first, its length patched in at the end. */
#include "cfi_section_fixture.h"

#include <string.h>

static size_t open_entry(struct buffer *out, bool has_long_words)
{
	const size_t start = out->size;

	buffer_add_u32(out, has_long_words ? UINT32_MAX : 0);
	if (has_long_words)
		buffer_add_u64(out, 0);
	return start;
}

static void close_entry(struct buffer *out, size_t start, bool has_long_words)
{
	uint64_t length;

	while (out->size % 8)
		buffer_add_u8(out, 0);
	length = out->size - start - (has_long_words ? 12 : 4);
	memcpy(out->data + start + (has_long_words ? 4 : 0), &length, has_long_words ? 8 : 4);
}

static void add_offset(struct buffer *out, uint64_t value, bool has_long_words)
{
	if (has_long_words)
		buffer_add_u64(out, value);
	else
		buffer_add_u32(out, (uint32_t)value);
}

static void write_cie(struct buffer *out, const struct cfi_description *d, const char *letters)
{
	const bool is_long_id = d->has_long_words && d->is_debug_frame;
	const size_t start = open_entry(out, d->has_long_words);

	add_offset(out, d->is_debug_frame ? UINT64_MAX : 0, is_long_id);
	buffer_add_u8(out, d->version ? d->version : 1);
	buffer_add(out, letters, strlen(letters) + 1);
	if (d->version == 4) {
		buffer_add_u8(out, 8);
		buffer_add_u8(out, 0);
	}
	buffer_add_uleb(out, d->is_aarch64 ? 4 : 1);
	buffer_add_sleb(out, -8);
	buffer_add_u8(out, d->return_register);
	if (letters[0] == 'z') {
		buffer_add_uleb(out, 1);
		buffer_add_u8(out, d->encoding);
	}
	buffer_add(out, d->initial, d->n_initial);
	close_entry(out, start, d->has_long_words);
}

size_t cfi_description_write(struct buffer *out, const struct cfi_description *d)
{
	const bool is_long_id = d->has_long_words && d->is_debug_frame;
	const char *letters = d->augmentation ? d->augmentation : "zR";
	const size_t cie = out->size;
	size_t start;
	uint64_t pointer;

	write_cie(out, d, letters);
	start = open_entry(out, d->has_long_words);
	add_offset(out, d->is_debug_frame ? cie : out->size - cie, is_long_id);
	pointer = d->start;
	if ((d->encoding & 0x70) == 0x10)
		pointer -= CFI_FIXTURE_VADDR + out->size;
	if (cfi_pointer_size(d->encoding) == 4) {
		buffer_add_u32(out, (uint32_t)pointer);
		buffer_add_u32(out, (uint32_t)d->size);
	} else {
		buffer_add_u64(out, pointer);
		buffer_add_u64(out, d->size);
	}
	if (letters[0] == 'z')
		buffer_add_uleb(out, 0);
	buffer_add(out, d->program, d->n_program);
	close_entry(out, start, d->has_long_words);
	return start;
}

struct cfi_section cfi_fixture_section(const struct buffer *bytes, bool is_debug_frame)
{
	return (struct cfi_section){
		.bytes = (const uint8_t *)bytes->data,
		.size_bytes = bytes->size,
		.vaddr = CFI_FIXTURE_VADDR,
		.is_debug_frame = is_debug_frame,
	};
}
