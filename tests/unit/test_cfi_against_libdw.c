/*
 * Our reading of call frame information against libdw's, row by row: for every
 * FDE of the C library, the dynamic loader and this program, at its first and
 * last address and at some between them.  Given files on the command line, for
 * those instead.
 */
#include "unit.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "process_fixture.h"
#include "unwind/cfi_rows.h"
#include "unwind/cfi_tables.h"

enum { N_BETWEEN = 6, MAX_SHOWN = 20 };

struct totals {
	uint64_t n_fdes;
	uint64_t n_rows;
	uint64_t n_different;
};

#if defined(__x86_64__)
static const uint32_t compared[] = { 3, 6, 12, 13, 14, 15, 16 };
#else
static const uint32_t compared[] = { 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 };
#endif

static bool is_cfa_equal(const struct cfi_row *row, Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t n_ops;

	if (dwarf_frame_cfa(frame, &ops, &n_ops) < 0)
		return false;
	if (row->cfa_expression)
		return n_ops > 1 || ops[0].atom != DW_OP_bregx;
	return n_ops == 1 && ops[0].atom == DW_OP_bregx && ops[0].number == row->cfa_register &&
	       (int64_t)ops[0].number2 == row->cfa_offset;
}

/* libdw's location "CFA + offset", which it writes as one or two operations. */
static bool is_cfa_offset(const Dwarf_Op *ops, size_t n_ops, int64_t offset)
{
	if (!n_ops || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (n_ops == 1)
		return offset == 0;
	return ops[1].atom == DW_OP_plus_uconst && (int64_t)ops[1].number == offset;
}

static bool is_column_equal(const struct cfi_column *column, uint32_t number, Dwarf_Frame *frame)
{
	Dwarf_Op place[3];
	Dwarf_Op *ops;
	size_t n_ops;

	if (dwarf_frame_register(frame, (int)number, place, &ops, &n_ops) < 0)
		return false;
	switch ((enum cfi_how)column->how) {
	case CFI_HOW_SAME:
	case CFI_HOW_UNDEFINED:
		/* What the ABI says of registers that nothing is said of, libdw adds itself. */
		return n_ops == 0;
	case CFI_HOW_OFFSET:
		return n_ops <= 2 && is_cfa_offset(ops, n_ops, column->offset);
	case CFI_HOW_VALUE_OFFSET:
		return n_ops >= 2 && ops[n_ops - 1].atom == DW_OP_stack_value &&
		       is_cfa_offset(ops, n_ops - 1, column->offset);
	case CFI_HOW_REGISTER:
		return n_ops == 1 && ops[0].atom == DW_OP_regx &&
		       (int64_t)ops[0].number == column->offset;
	case CFI_HOW_EXPRESSION:
	case CFI_HOW_VALUE_EXPRESSION:
		return n_ops > 0 && ops != place;
	}
	return false;
}

static void compare_row(struct totals *totals, const struct elf_image *image,
			const struct cfi_fde *fde, Dwarf_CFI *cfi, uint64_t vaddr)
{
	Dwarf_Frame *frame = NULL;
	struct cfi_row row;
	bool is_equal;

	is_equal = dwarf_cfi_addrframe(cfi, vaddr, &frame) == 0 &&
		   cfi_row_at(fde, vaddr, ARCH_NATIVE, &row) == 0 && is_cfa_equal(&row, frame);
	for (size_t i = 0; is_equal && i < N_ITEMS(compared); i++)
		is_equal = is_column_equal(&row.columns[compared[i]], compared[i], frame);
	free(frame);
	totals->n_rows++;
	if (is_equal || totals->n_different++ >= MAX_SHOWN)
		return;
	print_message("%s: the rows at 0x%llx differ\n", image->path, (unsigned long long)vaddr);
}

/* The first and the last address, and some that depend on the address but not on the run. */
static void compare_fde(struct totals *totals, const struct elf_image *image,
			const struct cfi_fde *fde, Dwarf_CFI *cfi)
{
	const uint64_t size = fde->end - fde->start;
	uint64_t seed = fde->start;

	totals->n_fdes++;
	if (!size)
		return;
	compare_row(totals, image, fde, cfi, fde->start);
	compare_row(totals, image, fde, cfi, fde->end - 1);
	for (int i = 0; i < N_BETWEEN; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		compare_row(totals, image, fde, cfi, fde->start + (seed >> 33) % size);
	}
}

static uint64_t libdw_n_fdes(Elf *elf, const struct elf_image *image)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(elf, NULL);
	Elf_Data data = {
		.d_buf = (void *)(uintptr_t)image->eh_frame.bytes,
		.d_size = image->eh_frame.size_bytes,
		.d_type = ELF_T_BYTE,
		.d_version = EV_CURRENT,
	};
	Dwarf_Off offset = 0;
	uint64_t n_fdes = 0;
	Dwarf_CFI_Entry entry;
	int r;

	while ((r = dwarf_next_cfi(ident, &data, true, offset, &offset, &entry)) == 0)
		n_fdes += !dwarf_cfi_cie_p(&entry);
	return n_fdes;
}

static void compare_image(const struct elf_image *image)
{
	const int fd = open(image->path, O_RDONLY | O_CLOEXEC);
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Dwarf_CFI *cfi = dwarf_getcfi_elf(elf);
	enum cfi_entry_kind kind;
	struct totals totals = { 0 };
	struct cfi_tables tables;
	struct cfi_fde fde;
	uint64_t offset = 0;

	assert_non_null(cfi);
	cfi_tables_init(&tables, image);
	while ((kind = cfi_entry_parse(&tables.eh_frame, offset, &fde, &offset)) != CFI_ENTRY_END) {
		struct cfi_fde found;

		assert_int_not_equal(kind, CFI_ENTRY_BAD);
		if (kind != CFI_ENTRY_FDE)
			continue;
		compare_fde(&totals, image, &fde, cfi);
		if (fde.start == fde.end)
			continue;
		assert_int_equal(cfi_tables_find(&tables, fde.end - 1, &found), 0);
		assert_int_equal(found.start, fde.start);
	}
	print_message("%s: %llu FDEs, %llu rows, %llu different\n", image->path,
		      (unsigned long long)totals.n_fdes, (unsigned long long)totals.n_rows,
		      (unsigned long long)totals.n_different);
	assert_int_equal(totals.n_fdes, libdw_n_fdes(elf, image));
	assert_int_equal(totals.n_different, 0);
	cfi_tables_release(&tables);
	dwarf_cfi_end(cfi);
	elf_end(elf);
	close(fd);
}

static void cfi_rows__agree_with_libdw(void **state)
{
	struct process_fixture fixture;

	(void)state;
	(void)elf_version(EV_CURRENT);
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	for (size_t id = 1; id < fixture.images.n_images; id++) {
		const struct elf_image *image = fixture.opened[id];

		if (image && strcmp(fixture.paths[id], "[vdso]") != 0 && image->eh_frame.bytes)
			compare_image(image);
	}
	process_fixture_release(&fixture);
}

static void cfi_rows__agree_with_libdw_for_a_file(void **state)
{
	const char *const *path = (const char *const *)state;
	struct elf_image image;

	assert_int_equal(elf_image_open(&image, *path, NULL), 0);
	if (image.eh_frame.bytes)
		compare_image(&image);
	elf_image_release(&image);
}

static int compare_files(int n_paths, char **paths)
{
	int n_failed = 0;

	(void)elf_version(EV_CURRENT);
	for (int i = 0; i < n_paths; i++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(cfi_rows__agree_with_libdw_for_a_file, paths[i]),
		};

		n_failed += cmocka_run_group_tests(tests, NULL, NULL);
	}
	return n_failed;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cfi_rows__agree_with_libdw),
	};

	if (argc > 1)
		return compare_files(argc - 1, argv + 1);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
