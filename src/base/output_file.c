/* Write beside, rename at the end. */
#include "base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void output_file_close(struct output_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	free(file->path);
	free(file->part_path);
	*file = OUTPUT_FILE_INIT;
}

int output_file_open(struct output_file *file, const char *path, mode_t mode, struct error *err)
{
	struct stat st;
	const bool is_direct = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	int flags = O_WRONLY | O_CLOEXEC;

	*file = OUTPUT_FILE_INIT;
	file->path = strdup(path);
	if (is_direct) {
		file->part_path = strdup(path);
	} else {
		flags |= O_CREAT | O_TRUNC | O_NOFOLLOW;
		if (asprintf(&file->part_path, "%s.part", path) < 0)
			file->part_path = NULL;
	}
	if (!file->path || !file->part_path) {
		output_file_close(file);
		return error_set_no_memory(err);
	}
	file->fd = open(file->part_path, flags, mode);
	if (file->fd < 0) {
		const int r = -errno;

		(void)error_set_errno(err, r, "%s: cannot create", file->part_path);
		output_file_close(file);
		return r;
	}
	return 0;
}

int output_file_write(struct output_file *file, const void *data, size_t size, struct error *err)
{
	const char *at = data;

	while (size) {
		const ssize_t n = write(file->fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, -errno, "%s: cannot write", file->part_path);
		at += n;
		size -= (size_t)n;
		file->size_bytes += (unsigned long long)n;
	}
	return 0;
}

int output_file_replace(struct output_file *file, struct output_file *next, struct error *err)
{
	int r;

	if (rename(next->part_path, file->part_path) < 0) {
		r = error_set_errno(err, -errno, "%s: cannot rename to %s", next->part_path,
				    file->part_path);
		output_file_discard(next);
		return r;
	}
	(void)close(file->fd);
	file->fd = next->fd;
	file->size_bytes = next->size_bytes;
	next->fd = -1;
	output_file_close(next);
	return 0;
}

int output_file_commit(struct output_file *file, struct error *err)
{
	int r = 0;

	if (close(file->fd) < 0)
		r = error_set_errno(err, -errno, "%s: cannot write", file->part_path);
	file->fd = -1;
	if (r == 0 && strcmp(file->part_path, file->path) != 0 &&
	    rename(file->part_path, file->path) < 0)
		r = error_set_errno(err, -errno, "%s: cannot rename to %s", file->part_path,
				    file->path);
	output_file_close(file);
	return r;
}

void output_file_discard(struct output_file *file)
{
	if (file->part_path && strcmp(file->part_path, file->path) != 0)
		(void)unlink(file->part_path);
	output_file_close(file);
}

void output_file_abandon(struct output_file *file)
{
	output_file_close(file);
}
