#ifndef TSPROF_OS_PROC_FILES_H
#define TSPROF_OS_PROC_FILES_H

#include <stdbool.h>
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
 * Where the file behind a mapping may be found, in the order to try: by its path
 * below the process's own root, so that containers work; through map_files, where
 * a deleted or replaced file is still to be had, which takes CAP_SYS_ADMIN or
 * CAP_CHECKPOINT_RESTORE, by the mapping as it was and as it is now, cut in parts by
 * mprotect; as the process's program; and by its path in our root, when the
 * process is gone.
 */
enum proc_files_place {
	PROC_FILES_IN_ROOT,
	PROC_FILES_MAP_FILES,
	PROC_FILES_MAP_FILES_NOW,
	PROC_FILES_EXE,
	PROC_FILES_IN_OUR_ROOT,
	PROC_FILES_N_PLACES
};

/*
 * Open the file behind a mapping of a process for reading.  Returns a descriptor
 * or a negative errno.  Whether it is the right file is for the caller to check.
 */
int proc_files_open_mapping(uint32_t pid, const struct sampler_mapping *map,
			    enum proc_files_place place);

/* Does a path mean to the process what it means to us?  True when it is gone. */
bool proc_files_has_our_root(uint32_t pid);

/* tsprof's own vDSO, which is every 64-bit process's; NULL when there is none. */
const void *proc_files_vdso(size_t *ret_size_bytes);

#endif
