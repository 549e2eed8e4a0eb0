/* Line number programs made by hand, in every version. */
#include "unit.h"

#include <dwarf.h>
#include <stdio.h>

#include "base/buffer.h"
#include "symbol/dwarf_lines.h"

enum { FIRST_VADDR = 0x1000, OPCODE_BASE = 13, LINE_BASE = -5, LINE_RANGE = 14 };

/* A section under construction, and where its lengths are to be filled in. */
struct section {
	struct buffer out;
	size_t header_at; /* just after header_length */
};

static void put_u32(struct buffer *out, size_t at, size_t value)
{
	const uint32_t narrow = (uint32_t)value;

	memcpy(out->data + at, &narrow, sizeof(narrow));
}

static void begin(struct section *section, uint16_t version)
{
	static const uint8_t n_operands[OPCODE_BASE - 1] = { 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };

	section->out = BUFFER_INIT;
	buffer_add_u32(&section->out, 0);
	buffer_add_u16(&section->out, version);
	if (version == 5)
		buffer_add_u16(&section->out, 8);
	buffer_add_u32(&section->out, 0);
	section->header_at = section->out.size;
	buffer_add_u8(&section->out, 1);
	if (version >= 4)
		buffer_add_u8(&section->out, 1);
	buffer_add_u8(&section->out, 1);
	buffer_add_u8(&section->out, (uint8_t)LINE_BASE);
	buffer_add_u8(&section->out, LINE_RANGE);
	buffer_add_u8(&section->out, OPCODE_BASE);
	buffer_add(&section->out, n_operands, sizeof(n_operands));
}

/* Files 1 "a.c", 2 "inc/b.h", 3 "/abs.h", in a unit whose directory is "/comp". */
static void add_old_files(struct section *section)
{
	static const char lists[] = "inc\0"
				    "\0"
				    "a.c\0\0\0\0"
				    "b.h\0\1\0\0"
				    "/abs.h\0\0\0\0";

	buffer_add(&section->out, lists, sizeof(lists));
	put_u32(&section->out, section->header_at - 4, section->out.size - section->header_at);
}

/* The same; file 0 is file 1. */
static void add_new_files(struct section *section)
{
	static const uint8_t formats[2][5] = {
		{ 1, DW_LNCT_path, DW_FORM_string },
		{ 2, DW_LNCT_path, DW_FORM_string, DW_LNCT_directory_index, DW_FORM_udata },
	};
	static const char directories[] = "\2/comp\0inc";
	static const char files[] = "\4a.c\0\0a.c\0\0b.h\0\1/abs.h\0";

	buffer_add(&section->out, formats[0], 3);
	buffer_add(&section->out, directories, sizeof(directories));
	buffer_add(&section->out, formats[1], 5);
	buffer_add(&section->out, files, sizeof(files));
	put_u32(&section->out, section->header_at - 4, section->out.size - section->header_at);
}

static void add_set_address(struct buffer *out, uint64_t vaddr)
{
	buffer_add(out, "\0\x09\x02", 3);
	buffer_add_u64(out, vaddr);
}

static void add_advance(struct buffer *out, uint64_t n_bytes)
{
	buffer_add_u8(out, DW_LNS_advance_pc);
	buffer_add_uleb(out, n_bytes);
}

static void add_line(struct buffer *out, int64_t n_lines)
{
	buffer_add_u8(out, DW_LNS_advance_line);
	buffer_add_sleb(out, n_lines);
}

static void add_file(struct buffer *out, uint64_t file)
{
	buffer_add_u8(out, DW_LNS_set_file);
	buffer_add_uleb(out, file);
}

static void add_row(struct buffer *out)
{
	buffer_add_u8(out, DW_LNS_copy);
}

static void add_end(struct buffer *out)
{
	buffer_add(out, "\0\x01\x01", 3);
}

/*
 * 0x2000 a.c:10, 0x2010 b.h:3 (after a row for the same address that does not
 * count), 0x2014 /abs.h:0, 0x2018 a.c:15 by a special opcode, until 0x2020.
 */
static void add_sequence(struct buffer *out)
{
	add_set_address(out, 0x2000);
	add_line(out, 9);
	add_row(out);
	add_advance(out, 0x10);
	add_line(out, 90);
	add_row(out);
	add_file(out, 2);
	add_line(out, -97);
	buffer_add(out, "\0\x02\x04\x07", 4); /* a discriminator */
	buffer_add(out, "\x05\x80\x01", 3);   /* column 128 */
	add_row(out);
	add_advance(out, 4);
	add_file(out, 3);
	add_line(out, -3);
	add_row(out);
	add_file(out, 1);
	add_line(out, 7);
	buffer_add_u8(out, OPCODE_BASE + 4 * LINE_RANGE + (8 - LINE_BASE));
	add_advance(out, 8);
	add_end(out);
}

static void finish(struct section *section)
{
	put_u32(&section->out, 0, section->out.size - 4);
}

static const uint64_t vaddrs[] = { 0x1fff, 0x2000, 0x200f, 0x2010, 0x2013,
				   0x2014, 0x2018, 0x201f, 0x2020 };

static void init(struct dwarf_lines *lines, const struct buffer *out)
{
	const struct dwarf_line_sections sections = {
		.line = { .bytes = (const uint8_t *)out->data, .size_bytes = out->size },
	};

	dwarf_lines_init(lines, &sections, FIRST_VADDR);
}

/* "/comp/a.c:10", or "" for an address in no row. */
static void assert_place(struct dwarf_lines *lines, size_t at, const char *expected)
{
	const struct dwarf_line_place place = lines->places[at];
	struct interner strings;
	char text[256] = "";
	uint32_t path;

	assert_int_equal(interner_init(&strings), 0);
	for (size_t i = 0; i < lines->header.n_files; i++)
		lines->header.files[i].path = 0;
	assert_int_equal(dwarf_lines_path(lines, &strings, place.file, &path), 0);
	if (place.file != DWARF_NO_LINE)
		(void)snprintf(text, sizeof(text), "%s:%u", interner_get(&strings, path),
			       place.line);
	assert_string_equal(text, expected);
	interner_release(&strings);
}

static void assert_sequence(struct dwarf_lines *lines)
{
	static const char *const expected[] = {
		"",	    "/comp/a.c:10", "/comp/a.c:10", "inc/b.h:3", "inc/b.h:3",
		"/abs.h:0", "/comp/a.c:15", "/comp/a.c:15", "",
	};

	for (size_t i = 0; i < N_ITEMS(vaddrs); i++)
		assert_place(lines, i, expected[i]);
}

static void dwarf_lines_walk__reads_every_version(void **state)
{
	(void)state;
	for (uint16_t version = 2; version <= 5; version++) {
		struct section section;
		struct dwarf_lines lines;

		begin(&section, version);
		if (version < 5)
			add_old_files(&section);
		else
			add_new_files(&section);
		add_sequence(&section.out);
		finish(&section);
		init(&lines, &section.out);
		assert_int_equal(dwarf_lines_walk(&lines, 0, "/comp", vaddrs, N_ITEMS(vaddrs)), 0);
		assert_sequence(&lines);
		dwarf_lines_release(&lines);
		buffer_release(&section.out);
	}
}

/* Functions that the linker threw away begin at 0, and may be as long as to reach real code. */
static void dwarf_lines_walk__passes_over_discarded_code(void **state)
{
	struct section section;
	struct dwarf_lines lines;

	(void)state;
	begin(&section, 4);
	add_old_files(&section);
	add_sequence(&section.out);
	add_set_address(&section.out, 0);
	add_row(&section.out);
	add_advance(&section.out, 0x3000);
	add_end(&section.out);
	finish(&section);
	init(&lines, &section.out);
	assert_int_equal(dwarf_lines_walk(&lines, 0, "/comp", vaddrs, N_ITEMS(vaddrs)), 0);
	assert_sequence(&lines);
	dwarf_lines_release(&lines);
	buffer_release(&section.out);
}

/* Sequences come in any order. */
static void dwarf_lines_walk__finds_later_sequences(void **state)
{
	struct section section;
	struct dwarf_lines lines;

	(void)state;
	begin(&section, 4);
	add_old_files(&section);
	add_set_address(&section.out, 0x2020);
	add_row(&section.out);
	add_advance(&section.out, 1);
	add_end(&section.out);
	add_sequence(&section.out);
	finish(&section);
	init(&lines, &section.out);
	assert_int_equal(dwarf_lines_walk(&lines, 0, NULL, vaddrs, N_ITEMS(vaddrs)), 0);
	assert_place(&lines, 1, "a.c:10");
	assert_place(&lines, 7, "a.c:15");
	assert_place(&lines, 8, "a.c:1");
	assert_int_equal(dwarf_lines_walk(&lines, DWARF_NO_PROGRAM, NULL, vaddrs, 1), 0);
	assert_place(&lines, 0, "");
	dwarf_lines_release(&lines);
	buffer_release(&section.out);
}

/* Lists of more entries than there are bytes, whose strings are elsewhere. */
static void dwarf_lines_walk__ends_with_the_header(void **state)
{
	static const uint8_t format[] = { 1, DW_LNCT_path, DW_FORM_line_strp };
	static const char strings[] = "one";
	struct section section;
	struct dwarf_lines lines;

	(void)state;
	begin(&section, 5);
	buffer_add(&section.out, format, sizeof(format));
	buffer_add_uleb(&section.out, UINT64_MAX);
	buffer_add_u32(&section.out, 0);
	put_u32(&section.out, section.header_at - 4, section.out.size - section.header_at);
	finish(&section);
	init(&lines, &section.out);
	lines.sections.line_str = (struct elf_section){ .bytes = (const uint8_t *)strings,
							.size_bytes = sizeof(strings) };
	assert_int_equal(dwarf_lines_walk(&lines, 0, NULL, vaddrs, N_ITEMS(vaddrs)), 0);
	assert_int_equal(lines.header.n_files, 0);
	dwarf_lines_release(&lines);
	buffer_release(&section.out);
}

/* Each byte with each value, and cut anywhere: an answer or none, but an end. */
static void dwarf_lines_walk__survives_damage(void **state)
{
	(void)state;
	for (uint16_t version = 4; version <= 5; version++) {
		struct section section;
		struct dwarf_lines lines;

		begin(&section, version);
		if (version < 5)
			add_old_files(&section);
		else
			add_new_files(&section);
		add_sequence(&section.out);
		finish(&section);
		for (size_t at = 0; at < section.out.size; at++) {
			const char whole = section.out.data[at];
			struct buffer cut = BUFFER_INIT;

			for (int value = 0; value <= UINT8_MAX; value++) {
				section.out.data[at] = (char)value;
				init(&lines, &section.out);
				assert_int_equal(dwarf_lines_walk(&lines, 0, "/comp", vaddrs,
								  N_ITEMS(vaddrs)),
						 0);
				dwarf_lines_release(&lines);
			}
			section.out.data[at] = whole;
			buffer_add(&cut, section.out.data, at);
			init(&lines, &cut);
			assert_int_equal(
				dwarf_lines_walk(&lines, 0, "/comp", vaddrs, N_ITEMS(vaddrs)), 0);
			assert_place(&lines, 1, "");
			dwarf_lines_release(&lines);
			buffer_release(&cut);
		}
		buffer_release(&section.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dwarf_lines_walk__reads_every_version),
		cmocka_unit_test(dwarf_lines_walk__passes_over_discarded_code),
		cmocka_unit_test(dwarf_lines_walk__finds_later_sequences),
		cmocka_unit_test(dwarf_lines_walk__ends_with_the_header),
		cmocka_unit_test(dwarf_lines_walk__survives_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
