#ifndef TSPROF_OS_TARGET_ROOT_H
#define TSPROF_OS_TARGET_ROOT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A process as its own namespaces see it: its root directory, held open so that
 * files below it can still be had when the process is gone, its number inside
 * its PID namespace, and whose it is.
 */
struct target_root {
	int fd;			 /* -1: none */
	uint32_t inner_pid;	 /* the innermost of its pids */
	uint32_t uids[4];	 /* real, effective, saved and of the file system */
	uint64_t start_epoch_ns; /* CLOCK_REALTIME; 0 when not known */
	bool is_own;		 /* tsprof's root instead: the process's could not be had */
};

#define TARGET_ROOT_INIT ((struct target_root){ .fd = -1 })

/*
 * For a process that is gone, or not ours to look into, tsprof's own root and
 * user stand in.  Returns 0 or a negative errno.
 */
int target_root_open(struct target_root *root, uint32_t pid);
void target_root_release(struct target_root *root);

/*
 * Open a regular file below the root for reading; links in its path cannot lead
 * out of it.  It has to belong to one of the process's users, or to root, and to
 * have been written to since `since_epoch_ns`: files in /tmp are anybody's, and
 * pids are used again.  Returns a descriptor or a negative errno.
 */
int target_root_open_file(const struct target_root *root, const char *path,
			  uint64_t since_epoch_ns);

#endif
