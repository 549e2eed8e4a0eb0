#ifndef TSPROF_BASE_MAPPED_FILE_H
#define TSPROF_BASE_MAPPED_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A whole file, readable as bytes.  Regular files are mapped (private, so a
 * writer cannot change what was checked; a file that shrinks under us may
 * still raise SIGBUS, as with every mmap); pipes and terminals are read into
 * memory, up to MAPPED_FILE_PIPE_MAX_BYTES.
 */
struct mapped_file {
	const uint8_t *bytes; /* never NULL once open, even for an empty file */
	size_t size_bytes;
	void *to_unmap; /* NULL when `to_free` owns the bytes */
	void *to_free;
};

#define MAPPED_FILE_INIT ((struct mapped_file){ 0 })
#define MAPPED_FILE_PIPE_MAX_BYTES ((size_t)1 << 32)

/* Directories are refused with -EISDIR.  The message names the path and the cause. */
int mapped_file_open(struct mapped_file *file, const char *path, struct error *err);

/* The same for an open descriptor, which stays the caller's; `name` is for messages. */
int mapped_file_open_fd(struct mapped_file *file, int fd, const char *name, struct error *err);

/*
 * Map `size_bytes` at `bytes` now instead of page by page when they are read.  A
 * hint: what is not a mapping, or not in the file, is left alone.
 */
void mapped_file_prefault(const struct mapped_file *file, const uint8_t *bytes, size_t size_bytes);

void mapped_file_release(struct mapped_file *file);

#endif
