/*
 * Lines written to uprobe_events (Documentation/trace/uprobetracer.rst).  What a
 * tsprof that was killed left behind is taken back by the next one: its events
 * are named after a process that is gone, and those in use cannot be removed anyway.
 */
#include "os/trace_events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/units.h"

#define GROUP_PREFIX "tsprof_"

enum {
	/* The events of threads that are just exiting are freed a moment later. */
	REMOVE_TRIES = 50,
	REMOVE_PAUSE_NS = 4 * (int)NS_PER_MS,
	LISTING_MAX_BYTES = 1 << 20,
	/* linux/mount.h, which older C libraries do not go along with */
	FSCONFIG_CREATE = 6,
	CLOEXEC_FLAG = 1,
};

static int open_mounted(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (faccessat(fd, "uprobe_events", W_OK, 0) == 0)
			return fd;
		(void)close(fd);
	}
	return -1;
}

/* A mount that nobody else sees, gone with its descriptor (Linux 5.2). */
static int open_detached(void)
{
	int fs;
	int fd = -1;
	int r;

	fs = (int)syscall(SYS_fsopen, "tracefs", CLOEXEC_FLAG);
	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, CLOEXEC_FLAG, 0);
	r = fd < 0 ? -errno : fd;
	(void)close(fs);
	return r;
}

static int error_not_permitted(int code, struct error *err)
{
	return error_set(err, code,
			 "the kernel lets only root put probes into functions (run tsprof as "
			 "root; for a process that runs already: sudo tsprof record -p PID)");
}

static int open_tracefs(struct error *err)
{
	int fd = open_mounted();

	if (fd >= 0)
		return fd;
	fd = open_detached();
	if (fd >= 0 && faccessat(fd, "uprobe_events", W_OK, 0) == 0)
		return fd;
	if (fd >= 0) {
		(void)close(fd);
		return error_set(err, -ENOSYS,
				 "this kernel has no probes in functions (it was built without "
				 "CONFIG_UPROBE_EVENTS)");
	}
	if (fd == -EPERM || fd == -EACCES)
		return error_not_permitted(fd, err);
	return error_set(err, -ENOSYS,
			 "tracefs, through which probes are made, cannot be had: %s (as root: "
			 "mount -t tracefs nodev /sys/kernel/tracing)",
			 strerror(-fd));
}

static int write_line(int dir_fd, const char *line)
{
	const int fd = openat(dir_fd, "uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, line, strlen(line)) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

/* Does the name say that its process is gone?  What comes behind it is others' to choose. */
static bool is_orphan(const char *name)
{
	unsigned int pid;

	return sscanf(name, ":" GROUP_PREFIX "%u_", &pid) == 1 && pid &&
	       pid != (unsigned int)getpid() && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void remove_orphan(int dir_fd, const char *line)
{
	const char *name = strchr(line, ':');
	char text[160];

	if (!name || !is_orphan(name))
		return;
	(void)snprintf(text, sizeof(text), "-%.*s", (int)strcspn(name, " \n"), name);
	(void)write_line(dir_fd, text);
}

static void remove_orphans(int dir_fd)
{
	const int fd = openat(dir_fd, "uprobe_events", O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(LISTING_MAX_BYTES + 1) : NULL;
	size_t n_read = 0;
	ssize_t more = 1;

	while (text && more > 0 && n_read < LISTING_MAX_BYTES) {
		more = read(fd, text + n_read, LISTING_MAX_BYTES - n_read);
		n_read += more > 0 ? (size_t)more : 0;
	}
	if (fd >= 0)
		(void)close(fd);
	if (text) {
		char *rest = NULL;

		text[n_read] = '\0';
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			remove_orphan(dir_fd, line);
	}
	free(text);
}

static int read_id(const struct trace_events *events, size_t index, uint32_t *ret_id)
{
	char path[120];
	char text[24] = { 0 };
	ssize_t n_read;
	int fd;

	(void)snprintf(path, sizeof(path), "events/%s/p%zu/id", events->group, index);
	fd = openat(events->dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n_read = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n_read <= 0)
		return -EIO;
	*ret_id = (uint32_t)strtoul(text, NULL, 10);
	return 0;
}

/* The kernel splits the line at blanks and the place at its last colon. */
static bool is_plain_path(const char *path)
{
	return path[strcspn(path, " \t\n:\\\"'#;")] == '\0';
}

static int define(struct trace_events *events, size_t index, const struct probe_point *point,
		  struct error *err)
{
	const int fd = open(point->path, O_RDONLY | O_CLOEXEC);
	struct buffer line = BUFFER_INIT;
	int r;

	if (fd < 0)
		return error_set_errno(err, -errno, "%s: cannot open", point->path);
	buffer_printf(&line, "%c:%s/p%zu ", point->is_return ? 'r' : 'p', events->group, index);
	if (is_plain_path(point->path))
		buffer_add_string(&line, point->path);
	else
		buffer_printf(&line, "/proc/self/fd/%d", fd);
	buffer_printf(&line, ":0x%" PRIx64 " %s", point->file_offset, point->fields);
	r = line.is_failed ? -ENOMEM : write_line(events->dir_fd, buffer_string(&line));
	buffer_release(&line);
	(void)close(fd);
	if (r == -EPERM || r == -EACCES)
		return error_not_permitted(r, err);
	if (r == 0)
		events->n_ids++;
	if (r == 0)
		r = read_id(events, index, &events->ids[index]);
	return r < 0 ? error_set_errno(err, r, "%s: the kernel takes no probe at offset 0x%" PRIx64,
				       point->path, point->file_offset)
		     : 0;
}

int trace_events_open(struct trace_events *events, const struct probe_point *points,
		      size_t n_points, struct error *err)
{
	uint32_t nonce = 0;
	int r;

	*events = TRACE_EVENTS_INIT;
	r = open_tracefs(err);
	if (r < 0)
		return r;
	events->dir_fd = r;
	remove_orphans(events->dir_fd);
	(void)!getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK);
	(void)snprintf(events->group, sizeof(events->group), GROUP_PREFIX "%ld_%08" PRIx32,
		       (long)getpid(), nonce);
	events->ids = calloc(n_points ? n_points : 1, sizeof(*events->ids));
	r = events->ids ? 0 : error_set_no_memory(err);
	for (size_t i = 0; r == 0 && i < n_points; i++)
		r = define(events, i, &points[i], err);
	if (r < 0)
		trace_events_close(events);
	return r;
}

void trace_events_close(struct trace_events *events)
{
	const struct timespec pause = { .tv_nsec = REMOVE_PAUSE_NS };
	int n_tries = 0;
	char line[96];

	for (size_t i = 0; i < events->n_ids; i++) {
		(void)snprintf(line, sizeof(line), "-:%s/p%zu", events->group, i);
		while (write_line(events->dir_fd, line) == -EBUSY && n_tries++ < REMOVE_TRIES)
			(void)nanosleep(&pause, NULL);
	}
	if (events->dir_fd >= 0)
		(void)close(events->dir_fd);
	free(events->ids);
	*events = TRACE_EVENTS_INIT;
}

size_t trace_events_find(const struct trace_events *events, uint32_t id)
{
	/* They were numbered one after the other, unless somebody else came between. */
	const size_t guess = events->n_ids ? (size_t)(id - events->ids[0]) : 0;

	if (guess < events->n_ids && events->ids[guess] == id)
		return guess;
	for (size_t i = 0; i < events->n_ids; i++)
		if (events->ids[i] == id)
			return i;
	return SIZE_MAX;
}

int trace_events_check(struct error *err)
{
	const int fd = open_tracefs(err);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}
