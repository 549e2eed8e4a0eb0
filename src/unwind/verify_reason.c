/*
 * The evidence is the file's call frame information, whose reading is tested
 * row by row against libdw's (tests/unit/test_cfi_against_libdw.c).
 */
#include "unwind/verify_reason.h"

#include "unwind/cfi_rows.h"
#include "unwind/cfi_tables.h"

const char *verify_reason_name(enum verify_reason reason)
{
	switch (reason) {
	case VERIFY_UNEXPLAINED:
		return "unexplained";
	case VERIFY_CODE_WITHOUT_CFI:
		return "code-without-cfi";
	case VERIFY_POPPED_REGISTER:
		return "popped-register";
	case VERIFY_UNMENTIONED_RBX:
		return "unmentioned-rbx";
	case VERIFY_NO_SEARCH_TABLE:
		return "no-search-table";
	case VERIFY_RETURN_AT_START:
		return "return-at-start";
	case VERIFY_CUT_EARLIER:
		return "cut-earlier";
	case VERIFY_N_REASONS:
		break;
	}
	return "unknown";
}

bool verify_stacks_equal(struct verify_difference *difference)
{
	const struct stack *cfi = difference->cfi;
	const struct stack *other = difference->other;
	size_t i = 0;

	while (i < cfi->n_frames && i < other->n_frames && cfi->ips[i] == other->ips[i])
		i++;
	difference->n_equal = i;
	return i == cfi->n_frames && i == other->n_frames;
}

static const struct elf_image *image_of(const struct unwind_process *process,
					const struct unwind_images *images, uint64_t ip,
					uint64_t *ret_vaddr)
{
	const struct mapping *mapping = address_space_find(&process->space, ip);

	if (!mapping || mapping->module >= images->n_images)
		return NULL;
	*ret_vaddr = ip - mapping->bias;
	return images->images[mapping->module];
}

/* The image of frame `i`, and where it is in it; signal frames may be off by one there. */
static const struct elf_image *frame_image(const struct verify_difference *difference, size_t i,
					   const struct unwind_process *process,
					   const struct unwind_images *images, uint64_t *ret_vaddr)
{
	return image_of(process, images, difference->cfi->ips[i] - (i ? 1 : 0), ret_vaddr);
}

static bool has_fde(const struct elf_image *image, uint64_t vaddr, struct cfi_row *ret_row)
{
	struct cfi_tables tables;
	struct cfi_fde fde;
	int r;

	cfi_tables_init(&tables, image);
	r = cfi_tables_find(&tables, vaddr, &fde);
	if (r == 0 && ret_row)
		r = cfi_row_at(&fde, vaddr, ARCH_NATIVE, ret_row);
	cfi_tables_release(&tables);
	return r == 0;
}

/* Some register's slot lies below the stack pointer: what was there is popped. */
static bool has_slot_below(const struct cfi_row *row, const struct registers *registers)
{
	uint64_t cfa;

	if (row->cfa_expression || row->cfa_register >= row->n_columns)
		return false;
	cfa = registers->values[row->cfa_register] + (uint64_t)row->cfa_offset;
	for (uint32_t i = 0; i < row->n_columns; i++) {
		if (row->columns[i].how == CFI_HOW_OFFSET &&
		    cfa + (uint64_t)row->columns[i].offset < registers_sp(registers))
			return true;
	}
	return false;
}

static bool is_popped_register(const struct verify_difference *difference,
			       const struct unwind_process *process,
			       const struct unwind_images *images, const struct raw_sample *sample)
{
	uint64_t vaddr;
	const struct elf_image *image = image_of(process, images, registers_pc(&sample->registers),
						 &vaddr);
	struct cfi_row row;

	return image && has_fde(image, vaddr, &row) && has_slot_below(&row, &sample->registers) &&
	       difference->n_equal == difference->other->n_frames &&
	       difference->cfi->end == STACK_COMPLETE;
}

static bool is_unmentioned_rbx(const struct verify_difference *difference,
			       const struct unwind_process *process,
			       const struct unwind_images *images)
{
	const size_t last = difference->n_equal - 1;
	const struct elf_image *image;
	struct cfi_row row;
	uint64_t vaddr;

	if (ARCH_NATIVE != ARCH_X86_64 || difference->n_equal < 2 ||
	    difference->n_equal != difference->other->n_frames)
		return false;
	image = frame_image(difference, last, process, images, &vaddr);
	if (!image || !has_fde(image, vaddr, &row) || row.cfa_expression ||
	    row.cfa_register != X86_64_RBX)
		return false;
	image = frame_image(difference, last - 1, process, images, &vaddr);
	return image && has_fde(image, vaddr, &row) && row.columns[X86_64_RBX].how == CFI_HOW_SAME;
}

static bool is_return_at_start(const struct verify_difference *difference,
			       const struct unwind_process *process,
			       const struct unwind_images *images)
{
	const size_t last = difference->n_equal - 1;
	const struct elf_image *image;
	struct cfi_tables tables;
	struct cfi_fde fde;
	uint64_t vaddr;
	bool is_start;

	if (!difference->n_equal || difference->n_equal != difference->other->n_frames)
		return false;
	image = image_of(process, images, difference->cfi->ips[last], &vaddr);
	if (!image)
		return false;
	cfi_tables_init(&tables, image);
	is_start = cfi_tables_find(&tables, vaddr, &fde) == 0 && fde.start == vaddr;
	cfi_tables_release(&tables);
	return is_start;
}

/*
 * Some frame that both have is in code without an FDE: what the other guessed there
 * may be the right caller with wrong registers, and go wrong a frame later.
 */
static bool is_behind_code_without_cfi(const struct verify_difference *difference,
				       const struct unwind_process *process,
				       const struct unwind_images *images)
{
	for (size_t i = difference->n_equal; i > 0; i--) {
		uint64_t vaddr;
		const struct elf_image *image = frame_image(difference, i - 1, process, images,
							    &vaddr);

		if (!image || !has_fde(image, vaddr, NULL))
			return true;
	}
	return false;
}

void verify_find_reason(struct verify_difference *difference, const struct unwind_process *process,
			const struct unwind_images *images, const struct raw_sample *sample)
{
	const struct stack *cfi = difference->cfi;
	const struct stack *other = difference->other;
	const struct elf_image *image = NULL;
	uint64_t vaddr;

	if (difference->n_equal)
		image = frame_image(difference, difference->n_equal - 1, process, images, &vaddr);
	if (image && !image->eh_frame_hdr.bytes && image->eh_frame.bytes)
		difference->reason = VERIFY_NO_SEARCH_TABLE;
	else if (is_behind_code_without_cfi(difference, process, images))
		difference->reason = VERIFY_CODE_WITHOUT_CFI;
	else if (is_popped_register(difference, process, images, sample))
		difference->reason = VERIFY_POPPED_REGISTER;
	else if (is_unmentioned_rbx(difference, process, images))
		difference->reason = VERIFY_UNMENTIONED_RBX;
	else if (is_return_at_start(difference, process, images))
		difference->reason = VERIFY_RETURN_AT_START;
	else if (cfi->end != STACK_COMPLETE && other->end != STACK_COMPLETE &&
		 difference->n_equal == other->n_frames)
		difference->reason = VERIFY_CUT_EARLIER;
	else
		difference->reason = VERIFY_UNEXPLAINED;
}
