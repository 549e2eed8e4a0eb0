#ifndef TSPROF_SYMBOL_DWARF_FILE_H
#define TSPROF_SYMBOL_DWARF_FILE_H

#include <elfutils/libdw.h>

#include "symbol/elf_image.h"

/*
 * A libdw handle over an image's mapped bytes, with the dwz file that it shares
 * strings and types with, if that can be found.  One thread may use it.
 */
struct dwarf_file {
	Elf *elf;
	Dwarf *dwarf; /* NULL when the image has no debug information */
	Dwarf *alt;
	int alt_fd;
	void *copy; /* of a file with compressed sections */
};

/* Never fails: what cannot be opened is not there. */
void dwarf_file_open(struct dwarf_file *file, const struct elf_image *image,
		     const char *debug_root);

/* A section's bytes as libdw sees them, inflated.  Borrowed until the file is closed. */
struct elf_section dwarf_file_section(const struct dwarf_file *file, const char *name);

void dwarf_file_close(struct dwarf_file *file);

#endif
