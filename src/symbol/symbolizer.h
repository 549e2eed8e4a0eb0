#ifndef TSPROF_SYMBOL_SYMBOLIZER_H
#define TSPROF_SYMBOL_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/profile.h"
#include "symbol/elf_image.h"
#include "symbol/jit_symbols.h"

/*
 * Names for addresses, once per run: after it, every location of the profile
 * has at least one frame.  Locations are grouped by module and sorted by vaddr;
 * inlined calls, files and lines are read compilation unit by compilation unit.
 *
 * Sources, in this order: DWARF (of the file, its .gnu_debuglink or build-id
 * debug file, dwz alternate, split DWARF), .symtab, .dynsym, .gnu_debugdata, the
 * PLT's relocations; /proc/kallsyms for the kernel; what runtimes told about code
 * of their own (FRAME_JIT).  A nameless function becomes "[module+0x1234]" with
 * FRAME_UNRESOLVED, and where there is not even that a location stays without frames
 * (model/frame_names.h).  Names are demangled (C++, Rust, D).
 */
struct symbolizer_jit {
	const struct jit_symbols *symbols; /* NULL: nothing is known */
	uint64_t until_ns;		   /* the last moment that the module stands for */
	/* Where nothing is known: what the program was forked from had there; may be NULL. */
	const struct symbolizer_jit *inherited;
};

struct symbolizer_remarks {
	bool has_hidden_kernel; /* there are kernel frames, and the kernel hides its addresses */
};

struct symbolizer_options {
	bool without_lines;	   /* symbol tables only: no inlined frames, files and lines */
	const char *debug_root;	   /* borrowed; NULL means /usr/lib/debug */
	const char *kallsyms_path; /* borrowed; NULL means /proc/kallsyms */
	/* By module id, borrowed; NULL, or NULL within: to be looked for. */
	struct elf_image *const *debug_images;
	const struct symbolizer_jit *jit;   /* by module id, borrowed; NULL: none */
	struct symbolizer_remarks *remarks; /* filled; may be NULL */
};

/*
 * `images[id]` is the file of module id, NULL where it could not be opened; the
 * array has profile->n_modules entries.  Damaged debug information costs names,
 * never the run: only lack of memory is an error.
 */
int symbolizer_run(struct profile *profile, struct elf_image *const *images,
		   const struct symbolizer_options *options, struct error *err);

#endif
