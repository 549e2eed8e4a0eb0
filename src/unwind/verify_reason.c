/*
 * The evidence is taken from the file itself, not from the engines that
 * disagree: the search table for whether an FDE covers an ip, the instruction
 * bytes for whether an ip stands in an epilogue.
 */
#include "unwind/verify_reason.h"

#include <string.h>

const char *verify_reason_name(enum verify_reason reason)
{
	switch (reason) {
	case VERIFY_UNEXPLAINED:
		return "unexplained";
	case VERIFY_CODE_WITHOUT_CFI:
		return "code-without-cfi";
	case VERIFY_POPPED_REGISTER:
		return "popped-register";
	case VERIFY_NO_SEARCH_TABLE:
		return "no-search-table";
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

static int32_t table_word(const struct elf_section *hdr, size_t offset)
{
	int32_t word;

	memcpy(&word, hdr->bytes + offset, sizeof(word));
	return word;
}

/*
 * Whether .eh_frame_hdr leads to an FDE that covers the vaddr; the usual 4-byte
 * encodings are assumed, so that "no" is only said of files that linkers write.
 */
static bool has_fde(const struct elf_image *image, uint64_t vaddr)
{
	const struct elf_section *hdr = &image->eh_frame_hdr;
	const size_t n_entries = hdr->size_bytes < 12 ? 0 : (hdr->size_bytes - 12) / 8;
	size_t low = 0;
	size_t high = n_entries;
	const uint8_t *fde;
	uint32_t range;
	uint64_t start;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (hdr->vaddr + (uint64_t)(int64_t)table_word(hdr, 12 + middle * 8) <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	start = hdr->vaddr + (uint64_t)(int64_t)table_word(hdr, 12 + (low - 1) * 8);
	fde = elf_image_at_vaddr(
		image, hdr->vaddr + (uint64_t)(int64_t)table_word(hdr, 12 + (low - 1) * 8 + 4), 16);
	if (!fde)
		return false;
	memcpy(&range, fde + 12, sizeof(range));
	return vaddr - start < range;
}

/* The image of the last frame that both have; NULL also when there is none. */
static const struct elf_image *last_image(const struct verify_difference *difference,
					  const struct unwind_process *process,
					  const struct unwind_images *images, uint64_t *ret_vaddr)
{
	const size_t last = difference->n_equal - 1;

	if (!difference->n_equal)
		return NULL;
	return image_of(process, images, difference->cfi->ips[last] - (last ? 1 : 0), ret_vaddr);
}

/* pop: 58+r, with REX.B 41 58+r; leave is c9. */
static size_t pop_size(const uint8_t *bytes)
{
	if (bytes[0] == 0x41 && bytes[1] >= 0x58 && bytes[1] <= 0x5f)
		return 2;
	return bytes[0] >= 0x58 && bytes[0] <= 0x5f ? 1 : 0;
}

/* Nothing but pops until ret, rep ret, or the jump of a tail call. */
static bool is_epilogue(const struct elf_image *image, uint64_t vaddr)
{
	for (size_t n_pops = 0; n_pops < 8; n_pops++) {
		const uint8_t *bytes = elf_image_at_vaddr(image, vaddr, 2);
		size_t size;

		if (!bytes)
			return false;
		size = pop_size(bytes);
		if (!size)
			return bytes[0] == 0xc3 || bytes[0] == 0xc2 || bytes[0] == 0xe9 ||
			       bytes[0] == 0xeb || bytes[0] == 0xf2 || bytes[0] == 0xf3 ||
			       (bytes[0] == 0xff && (bytes[1] & 0x38) == 0x20);
		vaddr += size;
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

	return sample->registers.arch == ARCH_X86_64 && image && is_epilogue(image, vaddr) &&
	       difference->n_equal == difference->other->n_frames &&
	       difference->cfi->end == STACK_COMPLETE;
}

void verify_find_reason(struct verify_difference *difference, const struct unwind_process *process,
			const struct unwind_images *images, const struct raw_sample *sample)
{
	const struct stack *cfi = difference->cfi;
	const struct stack *other = difference->other;
	uint64_t vaddr;
	const struct elf_image *image = last_image(difference, process, images, &vaddr);

	if (image && !image->eh_frame_hdr.bytes && image->eh_frame.bytes)
		difference->reason = VERIFY_NO_SEARCH_TABLE;
	else if (difference->n_equal && (!image || !has_fde(image, vaddr)))
		difference->reason = VERIFY_CODE_WITHOUT_CFI;
	else if (is_popped_register(difference, process, images, sample))
		difference->reason = VERIFY_POPPED_REGISTER;
	else if (cfi->end != STACK_COMPLETE && other->end != STACK_COMPLETE &&
		 difference->n_equal == other->n_frames)
		difference->reason = VERIFY_CUT_EARLIER;
	else
		difference->reason = VERIFY_UNEXPLAINED;
}
