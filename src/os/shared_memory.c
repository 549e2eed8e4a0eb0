#include "os/shared_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool shared_memory_stays(int fd, uint64_t size_bytes)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct statfs system;
	struct stat status;

	return seals >= 0 && seals & F_SEAL_SHRINK && fstat(fd, &status) == 0 &&
	       (uint64_t)status.st_size >= size_bytes && fstatfs(fd, &system) == 0 &&
	       (uint64_t)system.f_type != HUGETLBFS_MAGIC;
}
