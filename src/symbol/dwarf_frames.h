#ifndef TSPROF_SYMBOL_DWARF_FRAMES_H
#define TSPROF_SYMBOL_DWARF_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/interner.h"
#include "model/profile.h"
#include "symbol/elf_image.h"

/*
 * What DWARF says about many addresses of one module: for each its chain of
 * inlined calls, innermost first, with demangled names, files and lines.
 */
struct dwarf_chain {
	uint32_t first_frame;
	uint32_t n_frames;     /* 0: DWARF knows nothing; a lone frame may lack its function */
	bool has_linkage_name; /* of the outermost frame: its name is complete */
};

struct dwarf_frames {
	struct interner strings; /* what the frames' ids mean */
	struct frame *frames;
	size_t n_frames;
	size_t capacity;
	struct dwarf_chain *chains; /* one for each address asked */
};

/*
 * `vaddrs` are sorted.  Each compilation unit that holds some of them is walked
 * once.  `image` has the debug information; `debug_root` is where a dwz file is
 * searched.  Damaged or missing DWARF yields empty chains; only lack of memory
 * fails, with -ENOMEM.
 *
 * May run in several threads over one image.  Needs some 8 MiB of stack.
 */
int dwarf_frames_find(struct dwarf_frames *frames, const struct elf_image *image,
		      const char *debug_root, const uint64_t *vaddrs, size_t n_vaddrs);
void dwarf_frames_release(struct dwarf_frames *frames);

#endif
