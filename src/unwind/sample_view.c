/*
 * Reads are bounds-checked by subtraction, so that addresses near the end of
 * the address space cannot wrap.  Only executable mappings are known, but a
 * module's other segments share its bias: an address outside all mappings
 * belongs to the nearest module whose image has bytes for it.
 */
#include "unwind/sample_view.h"

#include <string.h>

bool sample_view_init(struct sample_view *view, const struct unwind_process *process,
		      const struct unwind_images *images, const struct raw_sample *sample,
		      struct location_table *locations, struct stack *stack)
{
	*view = (struct sample_view){
		.space = &process->space,
		.unmapped_module = process->unmapped_module,
		.images = images,
		.sample = sample,
		.dump = stack_dump_of(sample),
		.locations = locations,
		.stack = stack,
	};
	stack_clear(stack, STACK_COMPLETE);
	if (!sample->has_registers || sample->registers.arch != ARCH_NATIVE) {
		stack->end = STACK_NO_REGISTERS;
		return false;
	}
	return true;
}

static const struct elf_image *mapping_image(const struct sample_view *view,
					     const struct mapping *mapping)
{
	if (mapping->module >= view->images->n_images)
		return NULL;
	return view->images->images[mapping->module];
}

const struct elf_image *sample_view_image(const struct sample_view *view, uint64_t ip,
					  const struct mapping **ret_mapping)
{
	const struct mapping *mapping = address_space_find(view->space, ip);

	if (ret_mapping)
		*ret_mapping = mapping;
	return mapping ? mapping_image(view, mapping) : NULL;
}

static uint64_t word_of(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* An aligned word at the end of a segment may have fewer than eight bytes in the file. */
static bool image_read(const struct elf_image *image, uint64_t vaddr, uint64_t *ret_value)
{
	const uint8_t *whole = elf_image_at_vaddr(image, vaddr, sizeof(*ret_value));
	uint8_t padded[sizeof(*ret_value)] = { 0 };

	if (whole) {
		*ret_value = word_of(whole);
		return true;
	}
	for (size_t i = 0; i < sizeof(padded); i++) {
		const uint8_t *byte = elf_image_at_vaddr(image, vaddr + i, 1);

		if (!byte && !i)
			return false;
		padded[i] = byte ? *byte : 0;
	}
	*ret_value = word_of(padded);
	return true;
}

/* The last mapping that starts at or below the address, else the first. */
static size_t nearest_mapping(const struct address_space *space, uint64_t address)
{
	size_t low = 0;
	size_t high = space->n_mappings;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (space->mappings[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

static bool module_read(const struct sample_view *view, uint64_t address, uint64_t *ret_value)
{
	const struct address_space *space = view->space;
	const size_t nearest = nearest_mapping(space, address);

	for (size_t i = nearest; i < space->n_mappings && i <= nearest + 1; i++) {
		const struct mapping *mapping = &space->mappings[i];
		const struct elf_image *image = mapping_image(view, mapping);

		if (image && image_read(image, address - mapping->bias, ret_value))
			return true;
	}
	return false;
}

bool sample_view_read(struct sample_view *view, uint64_t address, uint64_t *ret_value)
{
	if (stack_dump_read(&view->dump, address, ret_value)) {
		const uint64_t needed = address + sizeof(*ret_value) - view->dump.start;

		if (needed > view->stack->needed_stack_bytes)
			view->stack->needed_stack_bytes = needed;
		return true;
	}
	if (module_read(view, address, ret_value))
		return true;
	view->has_failed_read = true;
	if (stack_dump_end(&view->dump, address) == STACK_TRUNCATED_DUMP)
		view->is_beyond_dump = true;
	return false;
}

bool sample_view_add_frame(struct sample_view *view, uint64_t ip, bool is_return_address)
{
	struct stack *stack = view->stack;
	const uint64_t inside = is_return_address ? ip - 1 : ip;
	const struct mapping *mapping = address_space_find(view->space, inside);
	const uint32_t module = mapping ? mapping->module : view->unmapped_module;

	if (!mapping && is_return_address) {
		stack->end = STACK_BAD_MEMORY;
		return false;
	}
	if (stack->n_frames == STACK_MAX_FRAMES) {
		stack->end = STACK_LIMIT;
		return false;
	}
	if (!module)
		return true;
	if (location_table_add(view->locations, &stack->locations[stack->n_frames], module,
			       mapping ? inside - mapping->bias : inside) < 0) {
		view->is_out_of_memory = true;
		return false;
	}
	stack->ips[stack->n_frames++] = ip;
	return true;
}

void sample_view_begin_step(struct sample_view *view)
{
	view->has_failed_read = false;
	view->is_beyond_dump = false;
}

void sample_view_set_cut(struct sample_view *view, bool has_unwind_info)
{
	struct stack *stack = view->stack;

	if (stack->end != STACK_COMPLETE)
		return;
	if (view->is_beyond_dump) {
		stack->end = STACK_TRUNCATED_DUMP;
	} else if (!has_unwind_info && stack->n_frames) {
		const struct location *last =
			&view->locations->locations[stack->locations[stack->n_frames - 1]];

		stack->end = STACK_NO_CFI;
		stack->end_module = last->module;
	} else {
		stack->end = STACK_BAD_MEMORY;
	}
}
