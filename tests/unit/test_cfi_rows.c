/* Entries and rows from call frame information written by hand. */
#include "unit.h"

#include <elf.h>
#include <errno.h>

#include "cfi_section_fixture.h"
#include "model/registers.h"
#include "unwind/cfi_expression.h"
#include "unwind/cfi_full.h"
#include "unwind/cfi_rows.h"
#include "unwind/cfi_tables.h"

#define PROGRAM(name, text) .name = text, .n_##name = sizeof(text) - 1

/* def_cfa rsp, 8; offset rip, cfa-8 */
#define X86_INITIAL PROGRAM(initial, "\x0c\x07\x08\x90\x01")

/* push rbp; mov rsp,rbp; …; pop rbp; ret, with the state remembered around the ret */
#define X86_FUNCTION                                                                               \
	PROGRAM(program, "\x41\x0e\x10\x86\x02" /* 1: cfa rsp+16, rbp at cfa-16 */                 \
			 "\x43\x0d\x06"		/* 4: cfa rbp+16 */                                \
			 "\x50\x0a\x0c\x07\x08" /* 20: remember; cfa rsp+8 */                      \
			 "\x41\x0b")		/* 21: restore */

static struct cfi_row row_of(const struct cfi_description *description, uint64_t vaddr, int wanted)
{
	struct buffer bytes = BUFFER_INIT;
	const size_t at = cfi_description_write(&bytes, description);
	const struct cfi_section section = cfi_fixture_section(&bytes, description->is_debug_frame);
	struct cfi_fde fde = { 0 };
	struct cfi_row row = { 0 };
	uint64_t next;

	assert_int_equal(cfi_entry_parse(&section, at, &fde, &next), CFI_ENTRY_FDE);
	assert_int_equal(fde.start, description->start);
	assert_int_equal(fde.end, description->start + description->size);
	assert_int_equal(next, bytes.size);
	assert_int_equal(cfi_row_at(&fde, vaddr,
				    description->is_aarch64 ? ARCH_AARCH64 : ARCH_X86_64, &row),
			 wanted);
	buffer_release(&bytes);
	return row;
}

static const struct cfi_description x86_function = {
	X86_INITIAL, X86_FUNCTION, .start = 0x1000, .size = 64, .return_register = X86_64_RIP,
};

static void rows__change_at_their_addresses(void **state)
{
	static const struct {
		uint64_t vaddr;
		uint32_t cfa_register;
		int64_t cfa_offset;
		uint8_t rbp_how;
	} wanted[] = {
		{ 0x1000, X86_64_RSP, 8, CFI_HOW_SAME },
		{ 0x1001, X86_64_RSP, 16, CFI_HOW_OFFSET },
		{ 0x1003, X86_64_RSP, 16, CFI_HOW_OFFSET },
		{ 0x1004, X86_64_RBP, 16, CFI_HOW_OFFSET },
		{ 0x1013, X86_64_RBP, 16, CFI_HOW_OFFSET },
		{ 0x1014, X86_64_RSP, 8, CFI_HOW_OFFSET },
		{ 0x1015, X86_64_RBP, 16, CFI_HOW_OFFSET },
		{ 0x103f, X86_64_RBP, 16, CFI_HOW_OFFSET },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(wanted); i++) {
		const struct cfi_row row = row_of(&x86_function, wanted[i].vaddr, 0);

		assert_int_equal(row.cfa_register, wanted[i].cfa_register);
		assert_int_equal(row.cfa_offset, wanted[i].cfa_offset);
		assert_int_equal(row.columns[X86_64_RBP].how, wanted[i].rbp_how);
		assert_int_equal(row.columns[X86_64_RIP].offset, -8);
	}
}

static void rows__are_the_same_in_every_encoding(void **state)
{
	static const uint8_t encodings[] = { 0x00, 0x04, 0x0c, 0x0b, 0x03, 0x1b, 0x10 };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(encodings); i++) {
		for (int is_long = 0; is_long < 2; is_long++) {
			struct cfi_description d = x86_function;

			d.encoding = encodings[i];
			d.has_long_words = is_long;
			assert_int_equal(row_of(&d, 0x1004, 0).cfa_register, X86_64_RBP);
		}
	}
}

static void rows__come_from_debug_frame_too(void **state)
{
	static const uint8_t versions[] = { 1, 3, 4 };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(versions); i++) {
		for (int is_long = 0; is_long < 2; is_long++) {
			struct cfi_description d = x86_function;

			d.augmentation = "";
			d.version = versions[i];
			d.is_debug_frame = true;
			d.has_long_words = is_long;
			assert_int_equal(row_of(&d, 0x1004, 0).cfa_register, X86_64_RBP);
		}
	}
}

static void rows__know_signal_frames(void **state)
{
	struct cfi_description d = x86_function;

	(void)state;
	d.augmentation = "zRS";
	assert_true(row_of(&d, 0x1004, 0).is_signal);
	assert_false(row_of(&x86_function, 0x1004, 0).is_signal);
}

static void rows__refuse_programs_without_sense(void **state)
{
	static const struct {
		const char *program;
		size_t size;
	} bad[] = {
		{ "\x0b", 1 },				       /* restore without remember */
		{ "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 9 }, /* too deep */
		{ "\x3f", 1 },				       /* no such instruction */
		{ "\x0f\x7f", 2 },			       /* expression past the end */
		{ "\x0f\x00", 2 },			       /* CFA from nothing */
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++) {
		struct cfi_description d = x86_function;

		d.program = bad[i].program;
		d.n_program = bad[i].size;
		(void)row_of(&d, 0x1004, -EINVAL);
	}
}

static void rows__restore_what_the_cie_says(void **state)
{
	struct cfi_description d = x86_function;
	struct cfi_row row;

	(void)state;
	d.program = "\x86\x02\x83\x03\x06\x06\xc3\x2e\x10\x90\x05\xd0";
	d.n_program = 12;
	row = row_of(&d, 0x1000, 0);
	assert_int_equal(row.columns[X86_64_RBP].how, CFI_HOW_SAME);
	assert_int_equal(row.columns[X86_64_RBX].how, CFI_HOW_SAME);
	assert_int_equal(row.columns[X86_64_RIP].offset, -8);
}

static void rows__follow_aarch64_signed_returns(void **state)
{
	/* paciasp; stp x29,x30,[sp,-32]!; at 12 the function goes on */
	const struct cfi_description d = {
		PROGRAM(initial, "\x0c\x1f\x00"),
		PROGRAM(program, "\x41\x2d\x41\x0e\x20\x9d\x04\x9e\x03"),
		.start = 0x1000,
		.size = 64,
		.return_register = AARCH64_LR,
		.is_aarch64 = true,
	};
	struct cfi_row row = row_of(&d, 0x1000, 0);

	(void)state;
	assert_false(row.is_return_signed);
	assert_int_equal(row.columns[AARCH64_LR].how, CFI_HOW_SAME);
	row = row_of(&d, 0x1008, 0);
	assert_true(row.is_return_signed);
	assert_int_equal(row.cfa_offset, 32);
	assert_int_equal(row.columns[AARCH64_FP].offset, -32);
	assert_int_equal(row.columns[AARCH64_LR].offset, -24);
}

static void tables__index_sections_without_header(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct elf_image image = { 0 };
	struct cfi_tables tables;
	struct cfi_fde fde;

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		struct cfi_description d = x86_function;

		d.start = 0x1000 + (i * 7 % 50) * 128;
		(void)cfi_description_write(&bytes, &d);
		if (i == 20)
			buffer_add_u32(&bytes, 0); /* a terminator in the middle */
	}
	image.eh_frame = (struct elf_section){ .bytes = (const uint8_t *)bytes.data,
					       .size_bytes = bytes.size,
					       .vaddr = CFI_FIXTURE_VADDR };
	cfi_tables_init(&tables, &image);
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(cfi_tables_find(&tables, 0x1000 + i * 128 + 63, &fde), 0);
		assert_int_equal(fde.start, 0x1000 + i * 128);
		assert_int_equal(cfi_tables_find(&tables, 0x1000 + i * 128 + 64, &fde), -ENOENT);
	}
	assert_int_equal(cfi_tables_find(&tables, 0xfff, &fde), -ENOENT);
	cfi_tables_release(&tables);
	buffer_release(&bytes);
}

enum { HEADER_VADDR = 0x900000, N_FUNCTIONS = 201, FUNCTION_STRIDE = 96 };

/* A linker's table over functions with a hole of 32 bytes behind each. */
static void write_header(struct buffer *header, struct buffer *bytes)
{
	buffer_add_u8(header, 1);
	buffer_add_u8(header, CFI_POINTER_OMITTED);
	buffer_add_u8(header, 0x03); /* udata4 */
	buffer_add_u8(header, CFI_POINTER_DATA_RELATIVE_S4);
	buffer_add_u32(header, N_FUNCTIONS);
	for (uint64_t i = 0; i < N_FUNCTIONS; i++) {
		struct cfi_description d = x86_function;
		uint64_t offset;

		d.start = 0x1000 + i * FUNCTION_STRIDE;
		d.size = FUNCTION_STRIDE - 32;
		/* The CIEs differ, and are more than are kept. */
		d.return_register = i % 7 ? X86_64_RIP : X86_64_RBX;
		offset = cfi_description_write(bytes, &d);
		buffer_add_u32(header, (uint32_t)(d.start - HEADER_VADDR));
		buffer_add_u32(header, (uint32_t)(CFI_FIXTURE_VADDR + offset - HEADER_VADDR));
	}
}

static void tables__find_the_same_before_and_after_marking(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct buffer header = BUFFER_INIT;
	struct elf_image image = { .machine = EM_X86_64 };
	struct cfi_tables tables;
	struct cfi_fde fde;

	(void)state;
	write_header(&header, &bytes);
	image.eh_frame = (struct elf_section){ .bytes = (const uint8_t *)bytes.data,
					       .size_bytes = bytes.size,
					       .vaddr = CFI_FIXTURE_VADDR };
	image.eh_frame_hdr = (struct elf_section){ .bytes = (const uint8_t *)header.data,
						   .size_bytes = header.size,
						   .vaddr = HEADER_VADDR };
	cfi_tables_init(&tables, &image);
	assert_int_equal(tables.n_header_items, N_FUNCTIONS);
	for (uint64_t i = 0; i < 3 * (uint64_t)N_FUNCTIONS; i++) {
		const uint64_t n = i * 89 % N_FUNCTIONS;
		const uint64_t start = 0x1000 + n * FUNCTION_STRIDE;

		assert_int_equal(cfi_tables_find(&tables, start, &fde), 0);
		assert_int_equal(fde.start, start);
		assert_int_equal(cfi_tables_find(&tables, start + FUNCTION_STRIDE - 33, &fde), 0);
		assert_int_equal(fde.start, start);
		assert_int_equal(fde.return_register, n % 7 ? X86_64_RIP : X86_64_RBX);
		assert_int_equal(cfi_tables_find(&tables, start + FUNCTION_STRIDE - 32, &fde),
				 -ENOENT);
	}
	assert_non_null(tables.marks.starts);
	assert_int_equal(cfi_tables_find(&tables, 0xfff, &fde), -ENOENT);
	cfi_tables_release(&tables);
	buffer_release(&bytes);
	buffer_release(&header);
}

static void tables__survive_every_cut(void **state)
{
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	(void)cfi_description_write(&bytes, &x86_function);
	for (size_t size = 0; size < bytes.size; size++) {
		uint8_t *cut = malloc(size ? size : 1);
		struct elf_image image = { 0 };
		struct cfi_tables tables;
		struct cfi_fde fde;

		memcpy(cut, bytes.data, size);
		image.eh_frame = (struct elf_section){ .bytes = cut, .size_bytes = size };
		image.debug_frame = image.eh_frame;
		cfi_tables_init(&tables, &image);
		assert_int_equal(cfi_tables_find(&tables, 0x1004, &fde), -ENOENT);
		cfi_tables_release(&tables);
		free(cut);
	}
	buffer_release(&bytes);
}

static bool evaluate(const char *expression, size_t size, uint64_t *ret_value)
{
	const struct registers registers = { .arch = ARCH_X86_64, .values = { [7] = 0x7000 } };
	const uint64_t words[] = { 11, 0x1122334455667788 };
	const struct raw_sample sample = { .registers = registers,
					   .stack_bytes = (const uint8_t *)words,
					   .stack_size_bytes = sizeof(words),
					   .stack_asked_bytes = sizeof(words) };
	const struct stack_dump dump = stack_dump_of(&sample);
	struct cfi_expression_context context = { .registers = &registers, .dump = &dump };

	return cfi_expression_value(&context, (const uint8_t *)expression, size, NULL, ret_value);
}

static void expressions__are_evaluated(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		uint64_t value;
	} cases[] = {
		{ "\x77\x08\x06", 3, 0x1122334455667788 },	  /* deref */
		{ "\x77\x08\x94\x02", 4, 0x7788 },		  /* deref_size 2 */
		{ "\x39\x33\x1c", 3, 6 },			  /* 9 - 3 */
		{ "\x33\x39\x1c", 3, UINT64_MAX - 5 },		  /* 3 - 9 */
		{ "\x09\xf8\x32\x1b", 4, UINT64_MAX - 3 },	  /* -8 / 2 */
		{ "\x31\x32\x33\x17\x12\x1c\x22\x1c", 8, 2 },	  /* rot, dup */
		{ "\x31\x08\x40\x24", 4, 0 },			  /* 1 << 64 */
		{ "\x09\xff\x08\x7f\x26", 5, UINT64_MAX },	  /* -1 >> 127, signed */
		{ "\x35\x30\x28\x01\x00\x96\x23\x02", 8, 7 },	  /* bra not taken */
		{ "\x35\x31\x28\x02\x00\x23\x01\x23\x02", 9, 7 }, /* bra taken */
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		uint64_t value = 0;

		assert_true(evaluate(cases[i].text, cases[i].size, &value));
		assert_int_equal(value, cases[i].value);
	}
}

static void expressions__are_bounded(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} bad[] = {
		{ "", 0 },
		{ "\x12", 1 },
		{ "\x22", 1 },
		{ "\x2f\xfd\xff", 3 },
		{ "\x31\x2f\xfc\xff", 4 },
		{ "\x31\x30\x1b", 3 },
		{ "\x30\x06", 2 },
		{ "\xff", 1 },
		{ "\x0c\x01", 2 },
		{ "\x2f\x00\x70", 3 },
		{ "\x92\x21\x00", 3 },
		{ "\x31\x94\x09", 3 },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(bad); i++) {
		uint64_t value;

		assert_false(evaluate(bad[i].text, bad[i].size, &value));
	}
}

static void full_step__returns_through_another_register(void **state)
{
	/* glibc's vfork keeps its return address in rdi while the child runs. */
	const struct cfi_description d = {
		X86_INITIAL,
		PROGRAM(program, "\x0e\x00\x09\x10\x05"),
		.start = 0x1000,
		.size = 64,
		.return_register = X86_64_RIP,
	};
	const struct cfi_row row = row_of(&d, 0x1000, 0);
	struct registers registers = { .arch = ARCH_X86_64,
				       .values = { [5] = 0x1234, [X86_64_RSP] = 0x7000 } };
	const struct stack_dump dump = { .start = 0x7000 };
	uint64_t missing;

	(void)state;
	assert_int_equal(cfi_full_step(&row, &dump, &registers, &missing), CFI_FULL_OK);
	assert_int_equal(registers_pc(&registers), 0x1234);
	assert_int_equal(registers_sp(&registers), 0x7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows__change_at_their_addresses),
		cmocka_unit_test(rows__are_the_same_in_every_encoding),
		cmocka_unit_test(rows__come_from_debug_frame_too),
		cmocka_unit_test(rows__know_signal_frames),
		cmocka_unit_test(rows__refuse_programs_without_sense),
		cmocka_unit_test(rows__restore_what_the_cie_says),
		cmocka_unit_test(rows__follow_aarch64_signed_returns),
		cmocka_unit_test(tables__index_sections_without_header),
		cmocka_unit_test(tables__find_the_same_before_and_after_marking),
		cmocka_unit_test(tables__survive_every_cut),
		cmocka_unit_test(expressions__are_evaluated),
		cmocka_unit_test(expressions__are_bounded),
		cmocka_unit_test(full_step__returns_through_another_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
