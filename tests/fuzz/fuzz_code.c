/*
 * Any bytes as code of both machines: rows are read at their beginning and further on, and
 * what comes out is packed and taken as a step by any stack.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "unwind/cfi_full.h"
#include "unwind/cfi_rule.h"
#include "unwind/code_bytes.h"
#include "unwind/code_row.h"
#include "unwind/x86_instruction.h"

enum { CODE_VADDR = 0x1000, STACK_START = 0x7000, N_STARTS = 8 };

static void take_row(const struct elf_image *image, enum arch arch, const struct code_row *code)
{
	const size_t n_bytes = image->file.size_bytes;
	struct registers registers = { .arch = arch };
	struct raw_sample sample = { .stack_bytes = image->file.bytes,
				     .stack_size_bytes = n_bytes & ~(size_t)7,
				     .stack_asked_bytes = n_bytes & ~(size_t)7 };
	struct stack_dump dump;
	uint64_t missing;

	for (size_t i = 0; i < REGISTERS_MAX; i++)
		registers.values[i] = STACK_START;
	sample.registers = registers;
	dump = stack_dump_of(&sample);
	if (code->n_bytes > sizeof(code->expressions))
		abort();
	(void)cfi_rule_pack(&code->row, arch);
	(void)cfi_full_step(&code->row, &dump, &registers, &missing);
}

/* From there on, and by the way to there. */
static void run_row(const struct elf_image *image, enum arch arch, uint64_t vaddr, bool is_exact)
{
	const struct function_range function = { CODE_VADDR, image->file.size_bytes };
	struct code_row code;
	uint64_t target;

	if (code_row_at(image, arch, vaddr, is_exact, &code))
		take_row(image, arch, &code);
	if (code_row_from(image, arch, function, vaddr, &code))
		take_row(image, arch, &code);
	(void)code_call_target(image, arch, vaddr, &target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_segment segment = { .vaddr = CODE_VADDR, .file_size = size };
	const struct elf_image image = { .file = { .bytes = data, .size_bytes = size },
					 .segments = &segment,
					 .n_segments = 1 };
	struct x86_instruction instruction;

	for (size_t i = 0; i < size; i++)
		if (x86_instruction_read(&instruction, data + i, size - i) &&
		    (!instruction.size_bytes || instruction.size_bytes > size - i))
			abort();
	for (uint64_t i = 0; i < N_STARTS && i < size; i++) {
		run_row(&image, ARCH_X86_64, CODE_VADDR + i, i & 1);
		run_row(&image, ARCH_AARCH64, CODE_VADDR + i * 4, i & 1);
	}
	return 0;
}
