#ifndef TSPROF_SYMBOL_LIBRARY_PATH_H
#define TSPROF_SYMBOL_LIBRARY_PATH_H

#include "base/error.h"
#include "symbol/elf_image.h"

/*
 * The files that a program will be made of, found as its loader will find them
 * and without running it: DT_RPATH and DT_RUNPATH with $ORIGIN, LD_LIBRARY_PATH, the
 * loader's cache and its own directories.
 */

/* Where execvp would find a command; -ENOENT when nowhere.  To be freed. */
int library_path_command(char **ret_path, const char *command, struct error *err);

/* Call `visit` for the names in DT_NEEDED, in order, until it returns other than 0. */
int library_path_needed(const struct elf_image *image,
			int (*visit)(void *context, const char *soname), void *context);

/*
 * A library by its soname ("libc.so.6"), by what comes before ".so" ("libc", if the
 * program needs one of that name), or by its path.  -ENOENT when there is none.  To be freed.
 */
int library_path_find(char **ret_path, const struct elf_image *program, const char *name,
		      struct error *err);

#endif
