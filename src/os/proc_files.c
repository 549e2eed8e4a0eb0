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
#include <sys/stat.h>
#include <unistd.h>

#include "os/proc_tasks.h"

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

struct maps_visit {
	int (*visit)(void *context, const struct sampler_mapping *map);
	void *context;
	uint32_t pid;
	bool has_memory;
};

static int visit_maps_of(struct maps_visit *visit, const char *path)
{
	char line[MAPS_LINE_MAX_BYTES];
	FILE *maps = fopen(path, "re");
	int r = 0;

	if (!maps)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), maps)) {
		struct sampler_mapping map;

		visit->has_memory = true;
		cut_newline(line);
		if (parse_maps_line(&map, line) == 0 && map.is_executable)
			r = visit->visit(visit->context, &map);
	}
	(void)fclose(maps);
	return r;
}

static int visit_maps_of_thread(void *context, uint32_t tid)
{
	struct maps_visit *visit = context;
	char path[64];

	if (visit->has_memory)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/maps", visit->pid,
		       tid);
	return visit_maps_of(visit, path);
}

int proc_files_visit_maps(uint32_t pid,
			  int (*visit)(void *context, const struct sampler_mapping *map),
			  void *context)
{
	struct maps_visit maps = { .visit = visit, .context = context, .pid = pid };
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	r = visit_maps_of(&maps, path);
	/* A main thread that has ended has no memory any more; the others still do. */
	if (r == 0 && !maps.has_memory)
		r = proc_tasks_visit_threads(pid, visit_maps_of_thread, &maps);
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

struct mapping_search {
	const struct sampler_mapping *wanted;
	uint64_t start;
	uint64_t end; /* 0: not found */
};

static int find_mapping(void *context, const struct sampler_mapping *map)
{
	struct mapping_search *search = context;
	const struct sampler_mapping *wanted = search->wanted;

	if (search->end || wanted->start < map->start ||
	    wanted->start - map->start >= map->size_bytes ||
	    wanted->file_offset - map->file_offset != wanted->start - map->start)
		return 0;
	search->start = map->start;
	search->end = map->start + map->size_bytes;
	return 0;
}

static int print_map_files(char *path, size_t size, uint32_t pid, uint64_t start, uint64_t end)
{
	return snprintf(path, size, "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid, start,
			end);
}

int proc_files_open_mapping(uint32_t pid, const struct sampler_mapping *map,
			    enum proc_files_place place)
{
	struct mapping_search search = { .wanted = map };
	char path[PATH_MAX + 64];
	int n_written = 0;
	int fd;

	switch (place) {
	case PROC_FILES_IN_ROOT:
		n_written = snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root%s", pid,
				     map->path);
		break;
	case PROC_FILES_MAP_FILES:
		n_written = print_map_files(path, sizeof(path), pid, map->start,
					    map->start + map->size_bytes);
		break;
	case PROC_FILES_MAP_FILES_NOW:
		if (proc_files_visit_maps(pid, find_mapping, &search) < 0 || !search.end)
			return -ENOENT;
		n_written = print_map_files(path, sizeof(path), pid, search.start, search.end);
		break;
	case PROC_FILES_EXE:
		n_written = snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
		break;
	case PROC_FILES_IN_OUR_ROOT:
		n_written = snprintf(path, sizeof(path), "%s", map->path);
		break;
	case PROC_FILES_N_PLACES:
		return -ENOENT;
	}
	if (n_written < 0 || (size_t)n_written >= sizeof(path))
		return -ENAMETOOLONG;
	/* A path can have become a pipe since: opening must not wait for its writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static bool is_same_file(const char *path, const char *other)
{
	struct stat a;
	struct stat b;

	return stat(path, &a) < 0 || stat(other, &b) < 0 ||
	       (a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

bool proc_files_has_our_root(uint32_t pid)
{
	char root[64];
	char namespace[64];

	(void)snprintf(root, sizeof(root), "/proc/%" PRIu32 "/root", pid);
	(void)snprintf(namespace, sizeof(namespace), "/proc/%" PRIu32 "/ns/mnt", pid);
	return is_same_file(root, "/proc/self/root") &&
	       is_same_file(namespace, "/proc/self/ns/mnt");
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
