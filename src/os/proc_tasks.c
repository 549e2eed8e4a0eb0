/* Directories of /proc whose names are numbers, and what "status" says of one. */
#include "os/proc_tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_MAX_BYTES = 4096 };

/* Returns the size, or a negative errno; the text ends with a zero. */
static ssize_t read_text(char *text, size_t capacity, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n_read;

	if (fd < 0)
		return -errno;
	n_read = read(fd, text, capacity - 1);
	/* A process that ends while it is read is as good as gone. */
	if (n_read < 0)
		n_read = -errno;
	(void)close(fd);
	if (n_read >= 0)
		text[n_read] = '\0';
	return n_read;
}

/* What follows "\nNAME:\t"; NULL when there is no such line. */
static const char *find_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : NULL;
}

int proc_tasks_read(struct proc_task *ret_task, uint32_t tid)
{
	char status[STATUS_MAX_BYTES];
	char path[64];
	const char *state;
	const char *pid, *parent;
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/status", tid);
	size = read_text(status, sizeof(status), path);
	if (size < 0)
		return size == -ESRCH ? -ENOENT : (int)size;
	state = find_field(status, "\nState:\t");
	pid = find_field(status, "\nTgid:\t");
	parent = find_field(status, "\nPPid:\t");
	if (!state || !pid || !parent)
		return -ENOENT;
	*ret_task = (struct proc_task){
		.pid = (uint32_t)strtoul(pid, NULL, 10),
		.parent_pid = (uint32_t)strtoul(parent, NULL, 10),
		.state = *state,
		.is_kernel = *state != 'Z' && *state != 'X' && !find_field(status, "\nVmSize:\t"),
	};
	return 0;
}

static int visit_numbers(const char *path, int (*visit)(void *context, uint32_t number),
			 void *context)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (r == 0 && (entry = readdir(directory)) != NULL) {
		char *end;
		const unsigned long number = strtoul(entry->d_name, &end, 10);

		if (number && number <= UINT32_MAX && *end == '\0')
			r = visit(context, (uint32_t)number);
	}
	(void)closedir(directory);
	return r;
}

int proc_tasks_visit_threads(uint32_t pid, int (*visit)(void *context, uint32_t tid), void *context)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task", pid);
	return visit_numbers(path, visit, context);
}

int proc_tasks_visit_processes(int (*visit)(void *context, uint32_t pid), void *context)
{
	return visit_numbers("/proc", visit, context);
}

int proc_tasks_read_comm(char ret_comm[16], uint32_t pid, uint32_t tid)
{
	char path[64];
	char text[32];
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/comm", pid, tid);
	size = read_text(text, sizeof(text), path);
	if (size < 0)
		return (int)size;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(ret_comm, 16, "%.15s", text);
	return 0;
}

int proc_tasks_read_inner_tid(uint32_t *ret_tid, uint32_t pid, uint32_t tid)
{
	char status[STATUS_MAX_BYTES];
	char path[64];
	const char *numbers;
	char *end;
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/status", pid, tid);
	size = read_text(status, sizeof(status), path);
	if (size < 0)
		return (int)size;
	numbers = find_field(status, "\nNSpid:");
	if (!numbers)
		return -ENOENT;
	while (*numbers == '\t' || *numbers == ' ') {
		*ret_tid = (uint32_t)strtoul(numbers, &end, 10);
		numbers = end;
	}
	return 0;
}

int proc_tasks_read_wait(char ret_function[PROC_TASKS_FUNCTION_BYTES], uint32_t pid, uint32_t tid)
{
	char path[64];
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/wchan", pid, tid);
	size = read_text(ret_function, PROC_TASKS_FUNCTION_BYTES, path);
	if (size < 0)
		return (int)size;
	/* "0" is nothing, and addresses are hidden so. */
	if (strcmp(ret_function, "0") == 0)
		ret_function[0] = '\0';
	return 0;
}
