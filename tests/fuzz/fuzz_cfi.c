/*
 * Call frame information of any bytes: the input is an .eh_frame, a .debug_frame and an
 * expression at once.  Every FDE found is run at its first, middle and last address,
 * where the rules that come without a row have to be those of the row.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/cfi_expression.h"
#include "unwind/cfi_full.h"
#include "unwind/cfi_plain.h"
#include "unwind/cfi_rows.h"
#include "unwind/cfi_rule.h"
#include "unwind/cfi_tables.h"

enum { MAX_ENTRIES = 1000, SECTION_VADDR = 0x1000, STACK_START = 0x7000 };

static const struct registers start_registers = {
	.arch = ARCH_X86_64,
	.values = { [X86_64_RBP] = STACK_START + 64, [X86_64_RSP] = STACK_START },
};

static struct stack_dump dump_of(const uint8_t *data, size_t size)
{
	const struct raw_sample sample = { .registers = start_registers,
					   .stack_bytes = data,
					   .stack_size_bytes = size,
					   .stack_asked_bytes = size };

	return stack_dump_of(&sample);
}

static void check_rule(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
		       const struct cfi_rule *rule)
{
	struct cfi_rule wanted;
	struct cfi_row row;

	if (cfi_row_at(fde, vaddr, arch, &row) < 0)
		abort();
	wanted = cfi_rule_pack(&row, arch);
	if (memcmp(rule, &wanted, sizeof(wanted)) != 0)
		abort();
}

/* A rule read straight from the program must be the one of the row, as far as it holds. */
static void check_plain(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch)
{
	struct cfi_fde prepared = *fde;
	struct cfi_row initial;
	struct cfi_span span;

	if (cfi_row_initial(fde, arch, &initial) < 0)
		return;
	prepared.initial = &initial;
	if (!cfi_plain_span(&prepared, vaddr, arch, &span))
		return;
	check_rule(fde, vaddr, arch, &span.rule);
	if (vaddr < fde->start || vaddr >= fde->end)
		return;
	if (vaddr < span.start || vaddr >= span.end)
		abort();
	check_rule(fde, span.start, arch, &span.rule);
	check_rule(fde, span.end - 1, arch, &span.rule);
}

static void run_row(const struct cfi_fde *fde, uint64_t vaddr, const struct stack_dump *dump,
		    enum arch arch)
{
	struct registers registers = start_registers;
	struct cfi_row row;
	uint64_t missing;

	check_plain(fde, vaddr, arch);
	if (cfi_row_at(fde, vaddr, arch, &row) < 0)
		return;
	registers.arch = arch;
	registers.values[AARCH64_SP] = STACK_START;
	(void)cfi_rule_pack(&row, arch);
	(void)cfi_full_step(&row, dump, &registers, &missing);
}

static void run_section(const struct cfi_section *section, const struct stack_dump *dump)
{
	uint64_t offset = 0;

	for (int i = 0; i < MAX_ENTRIES; i++) {
		struct cfi_fde fde;
		uint64_t next = offset;
		const enum cfi_entry_kind kind = cfi_entry_parse(section, offset, &fde, &next);

		if (kind == CFI_ENTRY_END || next <= offset)
			break;
		if (kind == CFI_ENTRY_FDE) {
			run_row(&fde, fde.start, dump, ARCH_X86_64);
			run_row(&fde, fde.start + (fde.end - fde.start) / 2, dump, ARCH_AARCH64);
			run_row(&fde, fde.end - 1, dump, ARCH_X86_64);
		}
		offset = next;
	}
}

static void run_tables(const uint8_t *data, size_t size)
{
	const struct elf_section section = { .bytes = data,
					     .size_bytes = size,
					     .vaddr = SECTION_VADDR };
	const struct elf_image image = { .eh_frame_hdr = section,
					 .eh_frame = section,
					 .debug_frame = section };
	struct cfi_tables tables;
	struct cfi_fde fde;

	cfi_tables_init(&tables, &image);
	for (uint64_t vaddr = 0; vaddr < SECTION_VADDR * 2; vaddr += 127)
		(void)cfi_tables_find(&tables, vaddr, &fde);
	cfi_tables_release(&tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfi_section section = { .bytes = data, .size_bytes = size, .vaddr = SECTION_VADDR };
	const struct stack_dump dump = dump_of(data, size);
	struct cfi_expression_context context = { .registers = &start_registers, .dump = &dump };
	uint64_t value;

	run_section(&section, &dump);
	section.is_debug_frame = true;
	run_section(&section, &dump);
	run_tables(data, size);
	(void)cfi_expression_value(&context, data, size, NULL, &value);
	return 0;
}
