/* The mappings of a process as tests need them; ids are in order of appearance, from 1. */
#include "process_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MODULES = 64 };

/* Large enough for any vDSO. */
enum { VDSO_MAX_BYTES = 65536 };

static int open_vdso(struct elf_image *image, pid_t pid, uint64_t start, uint64_t end)
{
	static uint8_t bytes[VDSO_MAX_BYTES];
	char path[64];
	ssize_t n_read;
	int fd;

	if (end - start > sizeof(bytes))
		return -E2BIG;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n_read = pread(fd, bytes, (size_t)(end - start), (off_t)start);
	(void)close(fd);
	if (n_read <= 0)
		return -EIO;
	return elf_image_open_memory(image, bytes, (size_t)n_read, "[vdso]", NULL);
}

static uint32_t find_module(const struct process_fixture *fixture, const char *path)
{
	for (uint32_t id = 1; id < fixture->images.n_images; id++) {
		if (!strcmp(fixture->paths[id], path))
			return id;
	}
	return 0;
}

static uint32_t add_module(struct process_fixture *fixture, pid_t pid, const char *path,
			   uint64_t start, uint64_t end)
{
	const uint32_t id = (uint32_t)fixture->images.n_images;
	struct elf_image *image = calloc(1, sizeof(*image));
	int r;

	if (!image || id == MAX_MODULES) {
		free(image);
		return 0;
	}
	r = !strcmp(path, "[vdso]") ? open_vdso(image, pid, start, end)
				    : elf_image_open(image, path, NULL);
	if (r < 0) {
		free(image);
		image = NULL;
	}
	fixture->opened[id] = image;
	fixture->paths[id] = strdup(path);
	fixture->images.n_images++;
	return id;
}

static int add_mapping(struct process_fixture *fixture, pid_t pid, const char *line)
{
	struct mapping mapping = { 0 };
	char permissions[8];
	char path[512] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %511s", &mapping.start,
		   &mapping.end, permissions, &mapping.file_offset, path) < 4)
		return -EINVAL;
	if (permissions[2] != 'x' || !path[0] || !strcmp(path, "[vsyscall]"))
		return 0;
	mapping.module = find_module(fixture, path);
	if (!mapping.module)
		mapping.module = add_module(fixture, pid, path, mapping.start, mapping.end);
	mapping.bias = mapping.start - mapping.file_offset;
	if (fixture->opened[mapping.module])
		(void)elf_image_load_bias(fixture->opened[mapping.module], mapping.start,
					  mapping.file_offset, &mapping.bias);
	return address_space_map(&fixture->process.space, &mapping);
}

int process_fixture_refresh(struct process_fixture *fixture, pid_t pid)
{
	char path[64];
	char line[1024];
	FILE *maps;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (r >= 0 && fgets(line, sizeof(line), maps))
		r = add_mapping(fixture, pid, line);
	(void)fclose(maps);
	return r;
}

int process_fixture_load(struct process_fixture *fixture, pid_t pid)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->process.pid = (uint32_t)pid;
	fixture->images.images = fixture->opened;
	fixture->images.n_images = 1;
	return process_fixture_refresh(fixture, pid);
}

void process_fixture_release(struct process_fixture *fixture)
{
	if (fixture->process.cache && fixture->process.release_cache)
		fixture->process.release_cache(fixture->process.cache);
	address_space_release(&fixture->process.space);
	for (size_t id = 1; id < fixture->images.n_images; id++) {
		if (fixture->opened[id])
			elf_image_release(fixture->opened[id]);
		free(fixture->opened[id]);
		free(fixture->paths[id]);
	}
}

const struct elf_image *process_fixture_image(const struct process_fixture *fixture,
					      const char *name)
{
	for (size_t id = 1; id < fixture->images.n_images; id++) {
		const size_t length = strlen(fixture->paths[id]);

		if (length >= strlen(name) &&
		    !strcmp(fixture->paths[id] + length - strlen(name), name))
			return fixture->opened[id];
	}
	return NULL;
}
