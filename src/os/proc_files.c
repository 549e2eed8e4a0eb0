/* Text files of the kernel; what does not look as documented is skipped. */
#include "os/proc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { MAPS_LINE_MAX_BYTES = PATH_MAX + 200 };

int proc_files_read_number(int64_t *ret_number, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n_read;
	char *end;
	long long number;

	if (fd < 0)
		return -errno;
	n_read = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n_read <= 0)
		return -EIO;
	text[n_read] = '\0';
	number = strtoll(text, &end, 10);
	if (end == text)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static void cut_newline(char *line)
{
	line[strcspn(line, "\n")] = '\0';
}

/* "START-END PERMS OFFSET MAJOR:MINOR INODE   PATH" */
static int parse_maps_line(struct sampler_mapping *map, char *line)
{
	unsigned int major;
	unsigned int minor;
	char permissions[5];
	uint64_t end;
	int path_at = 0;

	*map = (struct sampler_mapping){ 0 };
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &map->start, &end, permissions, &map->file_offset, &major, &minor, &map->inode,
		   &path_at) < 7)
		return -EINVAL;
	if (end <= map->start || !path_at)
		return -EINVAL;
	map->size_bytes = end - map->start;
	map->device_major = major;
	map->device_minor = minor;
	map->is_executable = strchr(permissions, 'x') != NULL;
	map->path = line[path_at] ? line + path_at : "//anon";
	return 0;
}

int proc_files_visit_maps(uint32_t pid,
			  int (*visit)(void *context, const struct sampler_mapping *map),
			  void *context)
{
	char line[MAPS_LINE_MAX_BYTES];
	char path[64];
	FILE *maps;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), maps)) {
		struct sampler_mapping map;

		cut_newline(line);
		if (parse_maps_line(&map, line) == 0 && map.is_executable)
			r = visit(context, &map);
	}
	(void)fclose(maps);
	return r;
}

int proc_files_read_comm(char ret_comm[16], uint32_t pid)
{
	char path[64];
	ssize_t n_read;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n_read = read(fd, ret_comm, 15);
	(void)close(fd);
	if (n_read < 0)
		return -EIO;
	ret_comm[n_read] = '\0';
	cut_newline(ret_comm);
	return 0;
}

int proc_files_open_mapping(uint32_t pid, const struct sampler_mapping *map, unsigned int n_try)
{
	char path[PATH_MAX + 64];
	int n_written = 0;
	int fd;

	switch (n_try) {
	case 0:
		n_written = snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root%s", pid,
				     map->path);
		break;
	case 1:
		n_written = snprintf(path, sizeof(path),
				     "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
				     map->start, map->start + map->size_bytes);
		break;
	case 2: /* The process may be gone already. */
		n_written = snprintf(path, sizeof(path), "%s", map->path);
		break;
	default:
		return -ENOENT;
	}
	if (n_written < 0 || (size_t)n_written >= sizeof(path))
		return -ENAMETOOLONG;
	/* A path can have become a pipe since: opening must not wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

struct vdso_search {
	uint64_t start;
	uint64_t size_bytes;
};

static int find_vdso(void *context, const struct sampler_mapping *map)
{
	struct vdso_search *search = context;

	if (map->start == search->start)
		search->size_bytes = map->size_bytes;
	return 0;
}

const void *proc_files_vdso(size_t *ret_size_bytes)
{
	struct vdso_search search = { .start = getauxval(AT_SYSINFO_EHDR) };

	if (!search.start || proc_files_visit_maps((uint32_t)getpid(), find_vdso, &search) < 0 ||
	    !search.size_bytes)
		return NULL;
	*ret_size_bytes = search.size_bytes;
	return (const void *)(uintptr_t)search.start;
}
