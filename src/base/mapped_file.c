/* mmap for files, read for everything that cannot be mapped. */
#include "base/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

static int mapped_file_read(struct mapped_file *file, int fd, const char *name, struct error *err)
{
	struct buffer all = BUFFER_INIT;
	char piece[64 * 1024];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			const int r = -errno;

			buffer_release(&all);
			return error_set_errno(err, r, "%s: cannot read", name);
		}
		buffer_add(&all, piece, (size_t)n);
		if (all.is_failed || all.size > MAPPED_FILE_PIPE_MAX_BYTES) {
			buffer_release(&all);
			return error_set(err, -EFBIG, "%s: larger than %zu bytes", name,
					 MAPPED_FILE_PIPE_MAX_BYTES);
		}
	}
	buffer_add(&all, "", 0);
	if (all.is_failed)
		return error_set_no_memory(err);
	file->to_free = all.data;
	file->bytes = (const uint8_t *)all.data;
	file->size_bytes = all.size;
	return 0;
}

int mapped_file_open_fd(struct mapped_file *file, int fd, const char *name, struct error *err)
{
	struct stat st;

	*file = MAPPED_FILE_INIT;
	if (fstat(fd, &st) < 0)
		return error_set_errno(err, -errno, "%s: cannot stat", name);
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s: is a directory", name);
	/* Files in /proc say that they are empty and still have contents. */
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return mapped_file_read(file, fd, name, err);
	file->to_unmap = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file->to_unmap == MAP_FAILED) {
		const int r = -errno;

		*file = MAPPED_FILE_INIT;
		return error_set_errno(err, r, "%s: cannot map", name);
	}
	file->bytes = file->to_unmap;
	file->size_bytes = (size_t)st.st_size;
	return 0;
}

int mapped_file_open(struct mapped_file *file, const char *path, struct error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	*file = MAPPED_FILE_INIT;
	if (fd < 0)
		return error_set_errno(err, -errno, "%s: cannot open", path);
	r = mapped_file_open_fd(file, fd, path, err);
	(void)close(fd);
	return r;
}

void mapped_file_prefault(const struct mapped_file *file, const uint8_t *bytes, size_t size_bytes)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	const uint8_t *mapped = file->to_unmap;
	size_t offset;

	if (!mapped || !bytes || bytes < mapped || bytes >= mapped + file->size_bytes ||
	    size_bytes > file->size_bytes - (size_t)(bytes - mapped))
		return;
	offset = (size_t)(bytes - mapped) / page_bytes * page_bytes;
#ifdef MADV_POPULATE_READ /* Linux 5.14 */
	(void)madvise((uint8_t *)file->to_unmap + offset,
		      size_bytes + (size_t)(bytes - mapped) - offset, MADV_POPULATE_READ);
#else
	(void)offset;
#endif
}

void mapped_file_release(struct mapped_file *file)
{
	if (file->to_unmap)
		(void)munmap(file->to_unmap, file->size_bytes);
	free(file->to_free);
	*file = MAPPED_FILE_INIT;
}
