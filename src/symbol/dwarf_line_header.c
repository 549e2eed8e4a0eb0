/* Versions 2 to 4 list names; version 5 says of what its lists consist. */
#include "symbol/dwarf_line_header.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* One header's bytes, and what is needed to make sense of them. */
struct header_reader {
	struct dwarf_line_header *header;
	const struct dwarf_line_sections *sections;
	struct bytes b;
	bool is_64; /* offsets have eight bytes */
	uint16_t version;
};

/* What one entry of a list says, as far as anybody asks. */
struct list_entry {
	const char *path;
	uint64_t directory;
};

struct list_format {
	uint8_t n_fields;
	struct list_field {
		uint64_t content;
		uint64_t form;
	} fields[UINT8_MAX];
};

static const char *string_at(const struct elf_section *section, uint64_t offset)
{
	return offset < section->size_bytes ? (const char *)section->bytes + offset : NULL;
}

static uint64_t read_offset(struct header_reader *reader)
{
	return reader->is_64 ? bytes_u64(&reader->b) : bytes_u32(&reader->b);
}

static int add_directory(struct dwarf_line_header *header, const char *directory)
{
	const char **grown = array_grown(header->directories, &header->directories_capacity,
					 header->n_directories + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	header->directories = grown;
	grown[header->n_directories++] = directory;
	return 0;
}

static int add_file(struct dwarf_line_header *header, const char *name, uint64_t directory)
{
	struct dwarf_line_file *grown = array_grown(header->files, &header->files_capacity,
						    header->n_files + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	header->files = grown;
	if (!name || directory >= header->n_directories)
		return -EINVAL;
	grown[header->n_files++] = (struct dwarf_line_file){
		.directory = header->directories[directory],
		.name = name,
	};
	return 0;
}

/* Up to version 4: lists of strings, ended by an empty one. */
static int read_names(struct header_reader *reader, const char *comp_dir)
{
	struct bytes *const b = &reader->b;
	int r = add_directory(reader->header, comp_dir);

	while (r == 0 && bytes_left(b) && *b->at)
		r = add_directory(reader->header, bytes_string(b));
	(void)bytes_u8(b);
	/* Files are counted from 1. */
	if (r == 0)
		r = add_file(reader->header, "???", 0);
	if (r == 0)
		reader->header->files[0].directory = NULL;
	while (r == 0 && bytes_left(b) && *b->at) {
		const char *name = bytes_string(b);
		const uint64_t directory = bytes_uleb(b);

		(void)bytes_uleb(b); /* time of its last change */
		(void)bytes_uleb(b); /* size */
		r = add_file(reader->header, name, directory);
	}
	(void)bytes_u8(b);
	return r;
}

static void read_format(struct header_reader *reader, struct list_format *format)
{
	format->n_fields = bytes_u8(&reader->b);
	for (uint8_t i = 0; i < format->n_fields; i++) {
		format->fields[i].content = bytes_uleb(&reader->b);
		format->fields[i].form = bytes_uleb(&reader->b);
	}
}

/* A field's value, if it is a number or a string of the forms that are in use. */
static void read_form(struct header_reader *reader, uint64_t form, const char **string,
		      uint64_t *number)
{
	struct bytes *const b = &reader->b;

	switch (form) {
	case DW_FORM_string:
		*string = bytes_string(b);
		break;
	case DW_FORM_line_strp:
		*string = string_at(&reader->sections->line_str, read_offset(reader));
		break;
	case DW_FORM_strp:
		*string = string_at(&reader->sections->str, read_offset(reader));
		break;
	case DW_FORM_udata:
		*number = bytes_uleb(b);
		break;
	case DW_FORM_data1:
		*number = bytes_u8(b);
		break;
	case DW_FORM_data2:
		*number = bytes_u16(b);
		break;
	case DW_FORM_data4:
		*number = bytes_u32(b);
		break;
	case DW_FORM_data8:
		*number = bytes_u64(b);
		break;
	case DW_FORM_data16:
		(void)bytes_take(b, 16);
		break;
	case DW_FORM_block:
		(void)bytes_take(b, bytes_uleb(b));
		break;
	default:
		b->is_bad = true;
	}
}

static struct list_entry read_entry(struct header_reader *reader, const struct list_format *format)
{
	struct list_entry entry = { 0 };

	for (uint8_t i = 0; i < format->n_fields; i++) {
		const char *string = NULL;
		uint64_t number = 0;

		read_form(reader, format->fields[i].form, &string, &number);
		if (format->fields[i].content == DW_LNCT_path)
			entry.path = string;
		else if (format->fields[i].content == DW_LNCT_directory_index)
			entry.directory = number;
	}
	return entry;
}

/* Version 5: two lists, each preceded by its format. */
static int read_lists(struct header_reader *reader)
{
	struct list_format format;
	uint64_t n;
	int r = 0;

	read_format(reader, &format);
	for (n = bytes_uleb(&reader->b); n > 0 && r == 0 && !reader->b.is_bad; n--) {
		const struct list_entry entry = read_entry(reader, &format);

		r = entry.path ? add_directory(reader->header, entry.path) : -EINVAL;
	}
	if (r < 0)
		return r;
	read_format(reader, &format);
	for (n = bytes_uleb(&reader->b); n > 0 && r == 0 && !reader->b.is_bad; n--) {
		const struct list_entry entry = read_entry(reader, &format);

		r = add_file(reader->header, entry.path, entry.directory);
	}
	return r;
}

/* Up to the lists.  -EINVAL for what would need a reader of another kind. */
static int read_fixed(struct header_reader *reader)
{
	struct dwarf_line_header *const header = reader->header;
	struct bytes *const b = &reader->b;
	uint64_t unit_bytes = bytes_u32(b);
	uint64_t header_bytes;

	reader->is_64 = unit_bytes == UINT32_MAX;
	if (reader->is_64)
		unit_bytes = bytes_u64(b);
	*b = bytes_sub(b, unit_bytes);
	reader->version = bytes_u16(b);
	if (reader->version < 2 || reader->version > 5)
		return -EINVAL;
	if (reader->version == 5)
		(void)bytes_u16(b); /* sizes of addresses and segment selectors */
	header_bytes = read_offset(reader);
	header->program = *b;
	(void)bytes_take(&header->program, header_bytes);
	if (header->program.is_bad)
		return -EINVAL;
	b->end = header->program.at;
	header->min_instruction_bytes = bytes_u8(b);
	/* More than one operation in an instruction is for machines of other kinds. */
	if (reader->version >= 4 && bytes_u8(b) != 1)
		return -EINVAL;
	(void)bytes_u8(b); /* whether rows are statements at first */
	header->line_base = (int8_t)bytes_u8(b);
	header->line_range = bytes_u8(b);
	header->opcode_base = bytes_u8(b);
	if (!header->line_range || !header->opcode_base)
		return -EINVAL;
	header->n_operands = bytes_take(b, header->opcode_base - 1u);
	return b->is_bad ? -EINVAL : 0;
}

/* Whether the standard's instructions have the operands that the standard gives them. */
static bool has_standard_operands(const struct dwarf_line_header *header)
{
	static const uint8_t standard[] = { 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };

	for (size_t i = 0; i + 1 < header->opcode_base && i < sizeof(standard); i++)
		if (header->n_operands[i] != standard[i])
			return false;
	return true;
}

int dwarf_line_header_read(struct dwarf_line_header *header,
			   const struct dwarf_line_sections *sections, uint64_t offset,
			   const char *comp_dir)
{
	struct header_reader reader = {
		.header = header,
		.sections = sections,
		.b = bytes_of(sections->line.bytes, sections->line.size_bytes),
	};
	int r;

	header->n_directories = 0;
	header->n_files = 0;
	(void)bytes_take(&reader.b, offset);
	r = read_fixed(&reader);
	if (r == 0 && !has_standard_operands(header))
		r = -EINVAL;
	if (r == 0)
		r = reader.version < 5 ? read_names(&reader, comp_dir) : read_lists(&reader);
	if (r == 0 && reader.b.is_bad)
		r = -EINVAL;
	return r;
}

void dwarf_line_header_release(struct dwarf_line_header *header)
{
	free(header->directories);
	free(header->files);
	*header = (struct dwarf_line_header){ 0 };
}
