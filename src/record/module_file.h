#ifndef TSPROF_RECORD_MODULE_FILE_H
#define TSPROF_RECORD_MODULE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/sampler_record.h"
#include "symbol/elf_image.h"

/*
 * The file behind a mapping of a process that may live in other namespaces, may
 * have been deleted or replaced since, and may be gone.  A path alone does not say
 * which file was mapped: every candidate must have the build-id that the kernel
 * reported, or the inode where it reported that.
 */

/*
 * Open the file; false when it cannot be had.  When the process has another root
 * or mount namespace than we, the image's path begins with /proc/PID/root.
 */
bool module_file_open(struct elf_image *image, uint32_t pid, const struct sampler_mapping *map);

/*
 * The separate debug file of an image from another root, to be opened while its
 * process lives.  False when there is none, or when the image is from our own
 * root, where it can be looked for later.
 */
bool module_file_open_debug(struct elf_image *debug, const struct elf_image *image);

#endif
