#ifndef TSPROF_SYMBOL_GNU_DEBUGDATA_H
#define TSPROF_SYMBOL_GNU_DEBUGDATA_H

#include "symbol/elf_image.h"

/* What is larger when unpacked is refused; real ones are below 1 MiB. */
#define GNU_DEBUGDATA_MAX_BYTES ((size_t)256 << 20)

/*
 * Open the small ELF file that distributions put, XZ-compressed, into
 * .gnu_debugdata of stripped files: a .symtab without what .dynsym has.
 * -ENOENT when the image has none.
 */
int gnu_debugdata_open(struct elf_image *ret_inner, const struct elf_image *image,
		       struct error *err);

#endif
