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

	buffer_printf(name, "[truncated: %s",
		      stack_end_name(end < STACK_N_ENDS ? (enum stack_end)end : STACK_N_ENDS));
	if (module != MODULE_PSEUDO && module < profile->n_modules)
		buffer_printf(name, " in %s", profile_module_name(profile, module));
	buffer_add_char(name, ']');
}

/* "[vdso]" and "[kernel]" bring brackets of their own. */
static void frame_names_address(struct buffer *name, const struct profile *profile,
				const struct location *location)
{
	const char *module = profile_module_name(profile, location->module);
	size_t size = strlen(module);

	if (size > 2 && module[0] == '[' && module[size - 1] == ']') {
		module++;
		size -= 2;
	}
	buffer_add_char(name, '[');
	if (size)
		buffer_add(name, module, size);
	else
		buffer_add_string(name, "unknown");
	buffer_printf(name, "+0x%" PRIx64 "]", location->vaddr);
}

int frame_names_set_unresolved(struct profile *profile, uint32_t location)
{
	const struct location *place = &profile->locations.locations[location];
	const uint8_t kind = profile->modules[place->module].kind;
	struct buffer name = BUFFER_INIT;
	struct frame frame = { .flags = FRAME_UNRESOLVED };
	int r = -ENOMEM;

	if (kind == MODULE_KIND_PSEUDO) {
		frame.flags = FRAME_PSEUDO;
		frame_names_truncation(&name, profile, place->vaddr);
	} else {
		if (kind == MODULE_KIND_KERNEL)
			frame.flags |= FRAME_KERNEL;
		frame_names_address(&name, profile, place);
	}
	if (!name.is_failed)
		r = interner_add_sized(&profile->strings, &frame.function, name.data, name.size);
	buffer_release(&name);
	return r < 0 ? r : profile_set_frames(profile, location, &frame, 1);
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
