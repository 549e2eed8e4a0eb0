#include "os/mark_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/marks_hello_wire.h"
#include "lib/marks_wire.h"

enum { CONNECT_TRIES = 100, CONNECT_WAIT_NS = 1000000 };

struct message {
	struct marks_hello hello;
	char text[TSPROF_NAME_MAX_BYTES + TSPROF_TEXT_MAX_BYTES];
};

static int connect_to(const char *socket_name, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t name_size = strlen(socket_name);
	const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_size);
	const struct timespec pause = { .tv_nsec = CONNECT_WAIT_NS };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return error_set_errno(err, -errno, "socket");
	memcpy(address.sun_path + 1, socket_name, name_size);
	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (connect(fd, (const struct sockaddr *)&address, size) == 0)
			return fd;
		/* EAGAIN: more wait than the recorder has accepted so far. */
		if (errno != EAGAIN && errno != EINTR)
			break;
		(void)nanosleep(&pause, NULL);
	}
	r = -errno;
	(void)close(fd);
	if (r == -ECONNREFUSED)
		return error_set(err, r,
				 "the recording that " MARKS_ENVIRONMENT
				 " names is over, or in another network namespace");
	return error_set_errno(err, r, "connection to the recorder");
}

static int address_find(struct marks_address *address, struct error *err)
{
	const char *text = getenv(MARKS_ENVIRONMENT);

	if (!text || !*text)
		return error_set(err, -ENOENT,
				 "not part of a recording: " MARKS_ENVIRONMENT
				 " is not set (call it from what 'tsprof record' runs)");
	if (!marks_address_parse(address, text))
		return error_set(err, -EINVAL,
				 MARKS_ENVIRONMENT " is not what 'tsprof record' sets");
	return 0;
}

int mark_send(const char *name, const char *data, struct error *err)
{
	const size_t name_bytes = strlen(name);
	const size_t data_bytes = strlen(data);
	struct marks_address address;
	struct message message = { .hello = { .magic = MARKS_WIRE_MAGIC,
					      .version = MARKS_WIRE_VERSION,
					      .kind = MARKS_HELLO_MILESTONE } };
	struct timespec now;
	int fd;
	int r;

	if (name_bytes > TSPROF_NAME_MAX_BYTES)
		return error_set(err, -E2BIG, "a name has at most %d bytes, not %zu",
				 TSPROF_NAME_MAX_BYTES, name_bytes);
	if (data_bytes > TSPROF_TEXT_MAX_BYTES)
		return error_set(err, -E2BIG, "there is room for %d bytes of data, not for %zu",
				 TSPROF_TEXT_MAX_BYTES, data_bytes);
	r = address_find(&address, err);
	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	message.hello.time_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	message.hello.name_bytes = (uint32_t)name_bytes;
	message.hello.data_bytes = (uint32_t)data_bytes;
	memcpy(message.hello.token, address.token, sizeof(message.hello.token));
	memcpy(message.text, name, name_bytes);
	memcpy(message.text + name_bytes, data, data_bytes);
	fd = connect_to(address.socket_name, err);
	if (fd < 0)
		return fd;
	if (send(fd, &message, sizeof(message.hello) + name_bytes + data_bytes, MSG_NOSIGNAL) < 0)
		r = error_set_errno(err, -errno, "message to the recorder");
	(void)close(fd);
	return r;
}
