/* /proc/PID/{root,status,stat}; what cannot be read there is guessed from our own. */
#include "os/target_root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

/* Read the start of /proc/PID/NAME, NUL-terminated; false when there is nothing. */
static bool read_proc_file(char *text, size_t size, uint32_t pid, const char *name)
{
	char path[64];
	ssize_t n_read;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n_read = read(fd, text, size - 1);
	(void)close(fd);
	if (n_read <= 0)
		return false;
	text[n_read] = '\0';
	return true;
}

/* "Uid:\t0\t0\t0\t0" and "NSpid:\t1234\t1", the innermost last. */
static bool read_status(struct target_root *root, uint32_t pid)
{
	char text[8192];
	const char *line;
	char *end;

	if (!read_proc_file(text, sizeof(text), pid, "status"))
		return false;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line + 5, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32,
			    &root->uids[0], &root->uids[1], &root->uids[2], &root->uids[3]) != 4)
		return false;
	line = strstr(text, "\nNSpid:");
	for (line = line ? line + 7 : NULL; line && (*line == '\t' || *line == ' '); line = end) {
		const unsigned long number = strtoul(line, &end, 10);

		if (end == line)
			break;
		root->inner_pid = (uint32_t)number;
	}
	return true;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The 22nd field of stat is the start since boot; the 2nd is in brackets and may hold any. */
static uint64_t read_start(uint32_t pid)
{
	enum { FIELDS_BETWEEN = 20 };
	const long ticks_per_s = sysconf(_SC_CLK_TCK);
	char text[1024];
	char *at;
	uint64_t start_ns;
	uint64_t since_boot_ns;

	if (ticks_per_s <= 0 || !read_proc_file(text, sizeof(text), pid, "stat"))
		return 0;
	at = strrchr(text, ')');
	for (int i = 0; at && i < FIELDS_BETWEEN; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return 0;
	start_ns = strtoull(at, NULL, 10) * (NS_PER_S / (uint64_t)ticks_per_s);
	since_boot_ns = clock_ns(CLOCK_BOOTTIME);
	return since_boot_ns < start_ns ? 0 : clock_ns(CLOCK_REALTIME) - (since_boot_ns - start_ns);
}

int target_root_open(struct target_root *root, uint32_t pid)
{
	struct target_root opened = TARGET_ROOT_INIT;
	char path[64];

	opened.inner_pid = pid;
	if (!read_status(&opened, pid))
		for (int i = 0; i < 4; i++)
			opened.uids[i] = (uint32_t)geteuid();
	opened.start_epoch_ns = read_start(pid);
	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/root", pid);
	opened.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (opened.fd < 0) {
		opened.is_own = true;
		opened.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (opened.fd < 0)
		return -errno;
	*root = opened;
	return 0;
}

void target_root_release(struct target_root *root)
{
	if (root->fd >= 0)
		(void)close(root->fd);
	*root = TARGET_ROOT_INIT;
}

static bool is_acceptable(const struct target_root *root, int fd, uint64_t since_epoch_ns)
{
	struct stat status;
	uint64_t written_ns;
	bool is_owned;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	is_owned = status.st_uid == 0;
	for (int i = 0; i < 4; i++)
		is_owned |= status.st_uid == root->uids[i];
	written_ns = (uint64_t)status.st_mtim.tv_sec * NS_PER_S + (uint64_t)status.st_mtim.tv_nsec;
	return is_owned && written_ns >= since_epoch_ns;
}

int target_root_open_file(const struct target_root *root, const char *path, uint64_t since_epoch_ns)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	const struct open_how how = {
		.flags = (unsigned int)flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	while (*path == '/')
		path++;
	fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	/* Before 5.6, and where a filter does not know it: without following a link at the end. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(root->fd, path, flags | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (is_acceptable(root, fd, since_epoch_ns))
		return fd;
	(void)close(fd);
	return -EACCES;
}
