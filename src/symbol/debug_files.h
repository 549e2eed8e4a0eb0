#ifndef TSPROF_SYMBOL_DEBUG_FILES_H
#define TSPROF_SYMBOL_DEBUG_FILES_H

#include "base/buffer.h"
#include "symbol/elf_image.h"

/*
 * Where the debug information of a stripped file is.  Nothing is fetched from
 * the network.  For an image below /proc/PID/root the debug root inside that
 * root is tried before our own.
 */
#define DEBUG_FILES_DEFAULT_ROOT "/usr/lib/debug"

/*
 * Open the separate debug file of `image`: ROOT/.build-id/xx/yyy.debug, then the
 * name in .gnu_debuglink beside the file, in .debug/ and below ROOT.  A file
 * whose build-id (or, for a debuglink, whose CRC) differs is passed over.
 * -ENOENT when there is none.
 */
int debug_files_open(struct elf_image *ret_debug, const struct elf_image *image, const char *root,
		     struct error *err);

/* Append ROOT/.build-id/xx/yyy.debug; `size` is at least 2. */
void debug_files_build_id_path(struct buffer *path, const char *root, const uint8_t *build_id,
			       size_t size);

/* The bytes of "/proc/PID/root" in front of a path; 0 when it does not begin so. */
size_t debug_files_root_prefix(const char *path);

#endif
