/*
 * /proc/self/maps without stdio: read in pieces, each executable line told to
 * the recorder.  Where there is no /proc, the recorder is asked to look itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sigprof_client.h"

enum { MAPS_BUFFER_BYTES = 8192 };

struct maps_line {
	uint64_t start;
	uint64_t end;
	uint64_t file_offset;
	uint64_t device_major;
	uint64_t device_minor;
	uint64_t inode;
	bool is_executable;
	const char *path;
	size_t path_size;
};

static const char *parse_number(uint64_t *ret_value, const char *at, unsigned int base)
{
	uint64_t value = 0;

	for (;; at++) {
		unsigned int digit;

		if (*at >= '0' && *at <= '9')
			digit = (unsigned int)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			digit = (unsigned int)(*at - 'a') + 10;
		else
			break;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	*ret_value = value;
	/* Over the separator, but never over the end. */
	return *at ? at + 1 : at;
}

/* "START-END PERMS OFFSET MAJOR:MINOR INODE   PATH", ended by NUL */
static void parse_line(struct maps_line *line, const char *at)
{
	at = parse_number(&line->start, at, 16);
	at = parse_number(&line->end, at, 16);
	line->is_executable = false;
	for (; *at && *at != ' '; at++)
		line->is_executable |= *at == 'x';
	at = parse_number(&line->file_offset, *at ? at + 1 : at, 16);
	at = parse_number(&line->device_major, at, 16);
	at = parse_number(&line->device_minor, at, 16);
	at = parse_number(&line->inode, at, 10);
	while (*at == ' ')
		at++;
	line->path = *at ? at : "//anon";
	line->path_size = strlen(line->path);
}

static void send_line(const struct maps_line *line)
{
	struct sigprof_map record = {
		.header = { .size_bytes = sizeof(record),
			    .kind = SIGPROF_RECORD_MAP,
			    .time_ns = client_time_ns() },
		.start = line->start,
		.length_bytes = line->end - line->start,
		.file_offset = line->file_offset,
		.inode = line->inode,
		.device_major = (uint32_t)line->device_major,
		.device_minor = (uint32_t)line->device_minor,
	};

	if (line->path_size < SIGPROF_PATH_MAX_BYTES)
		ring_write(&record.header, line->path, (uint32_t)line->path_size + 1);
}

static void take_line(char *text)
{
	struct maps_line line;

	parse_line(&line, text);
	if (line.is_executable)
		send_line(&line);
}

/* The whole lines in the buffer; returns how much is left of the last one. */
static size_t take_lines(char *buffer, size_t n_bytes)
{
	char *at = buffer;
	char *newline;

	while ((newline = memchr(at, '\n', n_bytes - (size_t)(at - buffer)))) {
		*newline = '\0';
		take_line(at);
		at = newline + 1;
	}
	n_bytes -= (size_t)(at - buffer);
	memmove(buffer, at, n_bytes);
	return n_bytes;
}

static int maps_open(void)
{
	static const char path[] = "/proc/self/maps";

	if (client_mode() != CLIENT_RUNS)
		return -1;
	return (int)syscall(SYS_openat, (long)AT_FDCWD, path, (long)O_RDONLY | O_CLOEXEC);
}

void client_maps_send(void)
{
	const int fd = maps_open();
	char buffer[MAPS_BUFFER_BYTES];
	size_t n_left = 0;
	long n_read;

	if (fd < 0) {
		struct sigprof_header changed = { .size_bytes = sizeof(changed),
						  .kind = SIGPROF_RECORD_MAPS_CHANGED,
						  .time_ns = client_time_ns() };

		ring_write(&changed, "", 0);
		return;
	}
	while ((n_read = syscall(SYS_read, (long)fd, buffer + n_left, sizeof(buffer) - n_left)) >
	       0) {
		n_left = take_lines(buffer, n_left + (size_t)n_read);
		if (n_left == sizeof(buffer))
			n_left = 0;
	}
	(void)syscall(SYS_close, (long)fd);
}
