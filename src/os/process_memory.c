/* Files of /proc/PID; what does not look as documented counts as not there. */
#include "os/process_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/proc_tasks.h"

enum {
	SMALL_FILE_MAX_BYTES = 4096,
	/* [heap] follows the program itself, and few mappings are below it. */
	MAPS_START_MAX_BYTES = 64 * 1024,
	THREADS_MAX = 1024,
};

static int open_proc(uint32_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Returns the number of bytes, 0 for none, with a NUL behind them.  One read gives all
 * of a file that is made in one piece, as most of them are; `in_pieces` are the others.
 */
static size_t read_proc(char *text, size_t capacity, uint32_t pid, const char *name, bool in_pieces)
{
	const int fd = open_proc(pid, name);
	size_t size = 0;

	while (fd >= 0 && size < capacity - 1) {
		const ssize_t n = read(fd, text + size, capacity - 1 - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
		if (!in_pieces)
			break;
	}
	if (fd >= 0)
		(void)close(fd);
	text[size] = '\0';
	return size;
}

/* The same of a file that is made in one piece and stays open; it fails when the process ends. */
static size_t read_again(char *text, size_t capacity, int *fd, uint32_t pid, const char *name)
{
	ssize_t n;

	if (*fd < 0)
		*fd = open_proc(pid, name);
	n = *fd < 0 ? -1 : pread(*fd, text, capacity - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The number at `*text`, which moves behind it; false when there is none. */
static bool take_number(const char **text, uint64_t *ret_number)
{
	char *end;

	*text += strspn(*text, " \t");
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0;
}

/* "size resident shared …", in pages */
static int read_statm(struct process_memory *memory, struct process_memory_files *files)
{
	const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[256];
	const char *at = text;
	uint64_t size, resident, shared;

	if (!read_again(text, sizeof(text), &files->statm_fd, files->pid, "statm") ||
	    !take_number(&at, &size) || !take_number(&at, &resident) ||
	    !take_number(&at, &shared) || size == 0 || resident > INT64_MAX / page_bytes)
		return -ESRCH;
	memory->rss_bytes = resident * page_bytes;
	memory->anonymous_bytes = shared < resident ? (resident - shared) * page_bytes : 0;
	return 0;
}

/* "pid (comm) state ppid pgrp session tty tpgid flags minflt cminflt majflt … num_threads …" */
static int read_stat(struct process_memory *memory, struct process_memory_files *files)
{
	enum { FIELDS_BETWEEN = 7, FIELDS_TO_THREADS = 7 };
	char text[SMALL_FILE_MAX_BYTES];
	const char *at;
	uint64_t of_children;

	if (!read_again(text, sizeof(text), &files->stat_fd, files->pid, "stat"))
		return -ESRCH;
	/* A comm may hold any byte, ')' too. */
	at = strrchr(text, ')');
	for (int i = 0; at && i <= FIELDS_BETWEEN; i++)
		at = strchr(at + 1, ' ');
	if (!at || !take_number(&at, &memory->n_minor_faults) || !take_number(&at, &of_children) ||
	    !take_number(&at, &memory->n_major_faults))
		return -ESRCH;
	for (int i = 0; at && i < FIELDS_TO_THREADS; i++)
		at = strchr(at + 1, ' ');
	return at && take_number(&at, &memory->n_threads) ? 0 : -ESRCH;
}

struct process_memory_files process_memory_files(uint32_t pid)
{
	return (struct process_memory_files){ .pid = pid, .statm_fd = -1, .stat_fd = -1 };
}

void process_memory_close(struct process_memory_files *files)
{
	if (files->statm_fd >= 0)
		(void)close(files->statm_fd);
	if (files->stat_fd >= 0)
		(void)close(files->stat_fd);
	files->statm_fd = files->stat_fd = -1;
}

int process_memory_read(struct process_memory *ret_memory, struct process_memory_files *files)
{
	struct process_memory memory = { 0 };
	int r = read_statm(&memory, files);

	if (r == 0)
		r = read_stat(&memory, files);
	if (r == 0)
		*ret_memory = memory;
	return r;
}

/* The number behind "KEY:" at the start of a line; 0 when there is none. */
static uint64_t number_of_key(const char *text, const char *key)
{
	const size_t size = strlen(key);
	uint64_t number;

	while (text) {
		if (strncmp(text, key, size) == 0 && text[size] == ':') {
			text += size + 1;
			return take_number(&text, &number) ? number : 0;
		}
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return 0;
}

static uint64_t read_pss_bytes(uint32_t pid)
{
	char text[SMALL_FILE_MAX_BYTES];
	uint64_t pss_kib;

	if (!read_proc(text, sizeof(text), pid, "smaps_rollup", false))
		return 0;
	pss_kib = number_of_key(text, "Pss");
	return pss_kib > INT64_MAX / 1024 ? 0 : pss_kib * 1024;
}

/* "START-END PERMS OFFSET DEVICE INODE   [heap]" */
static uint64_t read_heap_bytes(uint32_t pid)
{
	char text[MAPS_START_MAX_BYTES];
	const char *line;
	uint64_t start, end;

	if (!read_proc(text, sizeof(text), pid, "maps", true))
		return 0;
	line = strstr(text, " [heap]\n");
	if (!line)
		return 0;
	while (line > text && line[-1] != '\n')
		line--;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || end <= start ||
	    end - start > INT64_MAX)
		return 0;
	return end - start;
}

struct switches {
	struct process_memory_details *details;
	uint32_t pid;
	unsigned int n_threads;
};

static int add_switches(void *context, uint32_t tid)
{
	struct switches *switches = context;
	char text[SMALL_FILE_MAX_BYTES];
	char name[64];

	if (switches->n_threads++ == THREADS_MAX)
		return -E2BIG;
	(void)snprintf(name, sizeof(name), "task/%" PRIu32 "/status", tid);
	if (!read_proc(text, sizeof(text), switches->pid, name, false))
		return 0;
	switches->details->n_voluntary_switches += number_of_key(text, "voluntary_ctxt_switches");
	switches->details->n_involuntary_switches += number_of_key(text,
								   "nonvoluntary_ctxt_switches");
	return 0;
}

int process_memory_read_details(struct process_memory_details *ret_details, uint32_t pid)
{
	struct process_memory_details details = { 0 };
	struct switches switches = { .details = &details, .pid = pid };

	if (proc_tasks_visit_threads(pid, add_switches, &switches) < 0 && !switches.n_threads)
		return -ESRCH;
	details.pss_bytes = read_pss_bytes(pid);
	details.heap_bytes = read_heap_bytes(pid);
	*ret_details = details;
	return 0;
}
