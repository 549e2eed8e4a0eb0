/* Names for what has none: the module and the address, or the reason why a stack was cut. */
#include "model/frame_names.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"

static void frame_names_truncation(struct buffer *name, const struct profile *profile,
				   uint64_t vaddr)
{
	const uint32_t end = (uint32_t)vaddr;
	const uint32_t module = (uint32_t)(vaddr >> 32);

	if (end == STACK_NOT_SAMPLED) {
		buffer_add_string(name, FRAME_NAME_NOT_SAMPLED);
		return;
	}
	if (end == STACK_NOT_TAKEN) {
		buffer_add_string(name, FRAME_NAME_NOT_TAKEN);
		return;
	}
	buffer_printf(name, "[truncated: %s",
		      stack_end_name(end < STACK_N_ENDS ? (enum stack_end)end : STACK_N_ENDS));
	if (module != MODULE_PSEUDO && module < profile->n_modules)
		buffer_printf(name, " in %s", profile_module_name(profile, module));
	buffer_add_char(name, ']');
}

/* Address 0 of the kernel is anywhere in it. */
static uint8_t flags_of(const struct profile *profile, uint32_t module, uint64_t vaddr)
{
	switch ((enum module_kind)profile->modules[module].kind) {
	case MODULE_KIND_PSEUDO:
		return FRAME_PSEUDO;
	case MODULE_KIND_KERNEL:
		return vaddr ? FRAME_UNRESOLVED | FRAME_KERNEL : FRAME_KERNEL;
	default:
		return FRAME_UNRESOLVED;
	}
}

int frame_names_set_unresolved(struct profile *profile, uint32_t location)
{
	return frame_names_set_nameless(profile, location,
					profile->locations.locations[location].vaddr);
}

int frame_names_set_nameless(struct profile *profile, uint32_t location, uint64_t function_vaddr)
{
	const struct location *place = &profile->locations.locations[location];
	struct frame frame = { .flags = flags_of(profile, place->module, function_vaddr) };
	struct buffer name = BUFFER_INIT;
	int r = -ENOMEM;

	if (frame.flags & FRAME_PSEUDO)
		frame_names_truncation(&name, profile, place->vaddr);
	else if (frame.flags & FRAME_UNRESOLVED)
		frame_names_add_address(&name, profile, place->module, function_vaddr);
	else
		buffer_add_string(&name, profile_module_name(profile, place->module));
	if (!name.is_failed)
		r = interner_add_sized(&profile->strings, &frame.function, name.data, name.size);
	buffer_release(&name);
	return r < 0 ? r : profile_set_frames(profile, location, &frame, 1);
}

bool frame_names_is_unresolved(const struct profile *profile, uint32_t location)
{
	const struct location *place = &profile->locations.locations[location];
	const uint8_t flags = place->n_frames ? profile->frames[place->first_frame].flags
					      : flags_of(profile, place->module, place->vaddr);

	return flags & FRAME_UNRESOLVED;
}

int frame_names_complete(struct profile *profile)
{
	for (size_t i = 0; i < profile->locations.n_locations; i++) {
		int r;

		if (profile->locations.locations[i].n_frames)
			continue;
		r = frame_names_set_unresolved(profile, (uint32_t)i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "[vdso]" and "[kernel]" bring brackets of their own. */
void frame_names_add_address(struct buffer *out, const struct profile *profile, uint32_t module,
			     uint64_t vaddr)
{
	const char *name = profile_module_name(profile, module);
	size_t size = strlen(name);

	if (size > 2 && name[0] == '[' && name[size - 1] == ']') {
		name++;
		size -= 2;
	}
	buffer_add_char(out, '[');
	if (size)
		buffer_add(out, name, size);
	else
		buffer_add_string(out, "unknown");
	buffer_printf(out, "+0x%" PRIx64 "]", vaddr);
}
