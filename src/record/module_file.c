/* Candidates one after the other, the surest first; see module_file.h. */
#include "record/module_file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "os/proc_files.h"
#include "symbol/debug_files.h"

static bool is_file_of(int fd, const struct sampler_mapping *map, enum proc_files_place place)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	if (map->build_id_size)
		return true;
	if (!map->inode)
		return place == PROC_FILES_IN_ROOT;
	if ((uint64_t)status.st_ino != map->inode)
		return false;
	/*
	 * btrfs and overlayfs report another device than stat does: below the
	 * process's own root the inode has to do.  Below ours it does not: two file
	 * systems may well give one number to two programs of the same path.
	 */
	return place != PROC_FILES_IN_OUR_ROOT || (major(status.st_dev) == map->device_major &&
						   minor(status.st_dev) == map->device_minor);
}

static bool is_image_of(const struct elf_image *image, const struct sampler_mapping *map)
{
	if (!map->build_id_size)
		return true;
	return image->build_id_size == map->build_id_size &&
	       memcmp(image->build_id, map->build_id, map->build_id_size) == 0;
}

/* Opens one candidate; false when it is not there or not the right one. */
static bool open_candidate(struct elf_image *image, uint32_t pid, const struct sampler_mapping *map,
			   const char *name, enum proc_files_place place)
{
	const int fd = proc_files_open_mapping(pid, map, place);
	bool is_right = false;

	if (fd < 0)
		return false;
	if (is_file_of(fd, map, place) && elf_image_open_fd(image, fd, name, NULL) == 0) {
		is_right = is_image_of(image, map);
		if (!is_right)
			elf_image_release(image);
	}
	(void)close(fd);
	return is_right;
}

bool module_file_open(struct elf_image *image, uint32_t pid, const struct sampler_mapping *map)
{
	char name[PATH_MAX + 32];

	if (proc_files_has_our_root(pid))
		(void)snprintf(name, sizeof(name), "%s", map->path);
	else
		(void)snprintf(name, sizeof(name), "/proc/%" PRIu32 "/root%s", pid, map->path);
	for (int place = 0; place < PROC_FILES_N_PLACES; place++)
		if (open_candidate(image, pid, map, name, (enum proc_files_place)place))
			return true;
	return false;
}

bool module_file_open_debug(struct elf_image *debug, const struct elf_image *image)
{
	return debug_files_root_prefix(image->path) &&
	       debug_files_open(debug, image, NULL, NULL) == 0;
}
