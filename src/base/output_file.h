#ifndef TSPROF_BASE_OUTPUT_FILE_H
#define TSPROF_BASE_OUTPUT_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A file that appears under its name only when it is whole.
 *
 * Bytes go to "PATH.part" beside it (created anew, `mode` before the umask);
 * `output_file_commit` renames it to PATH, replacing what was there;
 * `output_file_discard` removes it; `output_file_abandon` closes it and leaves
 * "PATH.part" for the user to look at.  A PATH that is not a regular file (a
 * pipe, /dev/stdout) is written directly.
 */
struct output_file {
	int fd;
	char *path;
	char *part_path; /* where the bytes are now */
	unsigned long long size_bytes;
};

#define OUTPUT_FILE_INIT ((struct output_file){ .fd = -1 })

int output_file_open(struct output_file *file, const char *path, mode_t mode, struct error *err);

/* Writes all or fails; the message names the file and, when the disk is full, says so. */
int output_file_write(struct output_file *file, const void *data, size_t size, struct error *err);

/*
 * What was written to `next`, opened for file->part_path, takes the place of
 * what was written to `file`, which goes on from there.  Takes `next`.
 */
int output_file_replace(struct output_file *file, struct output_file *next, struct error *err);

int output_file_commit(struct output_file *file, struct error *err);
void output_file_discard(struct output_file *file);
void output_file_abandon(struct output_file *file);

#endif
