#ifndef TSPROF_OS_PROC_FILES_H
#define TSPROF_OS_PROC_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "os/sampler_record.h"

/* What tsprof reads from /proc. */

/* A file that holds one decimal number.  Returns 0 or a negative errno. */
int proc_files_read_number(int64_t *ret_number, const char *path);

/*
 * Call `visit` for each executable mapping of a process, in ascending order, as
 * a MAP record would have described it.  `visit` returns 0 to go on or a negative errno,
 * which is returned.  A process that is gone is -ENOENT.
 */
int proc_files_visit_maps(uint32_t pid,
			  int (*visit)(void *context, const struct sampler_mapping *map),
			  void *context);

/* A process's comm, at most 15 characters.  Returns 0 or a negative errno. */
int proc_files_read_comm(char ret_comm[16], uint32_t pid);

/*
 * Open the file behind a mapping of a process for reading: through its own root
 * directory, so that containers work, or through map_files, where a deleted or
 * replaced file is still to be had.  `n_try` counts from 0; -ENOENT when there
 * are no more places.  Whether it is the right file is for the caller to check.
 */
int proc_files_open_mapping(uint32_t pid, const struct sampler_mapping *map, unsigned int n_try);
enum { PROC_FILES_N_TRIES = 3 };

/* tsprof's own vDSO, which is every 64-bit process's; NULL when there is none. */
const void *proc_files_vdso(size_t *ret_size_bytes);

#endif
