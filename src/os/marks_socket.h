#ifndef TSPROF_OS_MARKS_SOCKET_H
#define TSPROF_OS_MARKS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/hello_socket.h"

/*
 * How programs that mark find the recorder, and what they say when they do (see
 * lib/marks_hello_wire.h).  Hostile: what is not exactly as it should be is refused and
 * counted.
 */
struct marks_socket {
	struct hello_socket hello;
	char *environment;	 /* "TSPROF_MARKS=…" for the command */
	size_t n_other_versions; /* among those refused: of another library version */
};

#define MARKS_SOCKET_INIT ((struct marks_socket){ .hello = HELLO_SOCKET_INIT })

/* What marks into the memory of `fd`, one milestone, or a request that `fd` waits for. */
struct marks_message {
	uint32_t kind; /* enum marks_hello_kind */
	uint32_t pid;  /* as the recorder's pid namespace has it */
	uint64_t time_ns;
	uint64_t session;
	uint64_t ring_bytes;
	uint32_t n_slots;
	uint32_t request; /* enum marks_request, or anything */
	int fd;		  /* borrowed */
	const char *name;
	size_t name_bytes;
	const char *data;
	size_t data_bytes;
};

/*
 * Rings get `ring_bytes`.  Where libtsprof.so cannot be found the environment
 * names none: programs that were linked with it can mark all the same.
 */
int marks_socket_open(struct marks_socket *socket, uint64_t ring_bytes, struct error *err);
void marks_socket_close(struct marks_socket *socket);

/* Readable when there is something to take in. */
static inline int marks_socket_fd(const struct marks_socket *socket)
{
	return socket->hello.epoll_fd;
}

/* Take in what has come; does not wait.  `take` returns false for what it cannot use. */
void marks_socket_update(struct marks_socket *socket,
			 bool (*take)(void *context, const struct marks_message *message),
			 void *context);

/* The descriptor of a request, kept for later; -1: that is not possible. */
int marks_reply_keep(int fd);

/* Tell whoever waits at its other end, without waiting for them, and close it. */
void marks_reply(int fd, bool is_done);

#endif
