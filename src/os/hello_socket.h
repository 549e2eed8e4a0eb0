#ifndef TSPROF_OS_HELLO_SOCKET_H
#define TSPROF_OS_HELLO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Where processes of the target report: an abstract socket whose name cannot be
 * guessed.  Each connects, sends one message, closes and never waits for an
 * answer.  Who it is the kernel says; whether it may be believed the caller
 * decides by the token in the message, which is secret too.
 *
 * A descriptor of the target's own could be closed by it or lost in an exec; a name in
 * the environment is found by every program that inherits that.
 */
enum { HELLO_TOKEN_BYTES = 16, HELLO_MAX_PENDING = 256 };

struct hello_socket {
	int listen_fd;
	int epoll_fd; /* readable when somebody connects or says something */
	uint8_t token[HELLO_TOKEN_BYTES];
	char name[48];			/* without the leading zero */
	size_t n_refused;		/* messages that were not what they should be */
	int pending[HELLO_MAX_PENDING]; /* connected, and said nothing so far */
	size_t n_pending;
};

#define HELLO_SOCKET_INIT ((struct hello_socket){ .listen_fd = -1, .epoll_fd = -1 })

/* What has come. */
struct hello_message {
	const void *bytes;
	size_t size_bytes;
	bool is_cut;  /* there was more than fits */
	uint32_t pid; /* the sender's, as the recorder's pid namespace has it */
	int fd;	      /* that came with it; -1: none */
};

int hello_socket_open(struct hello_socket *socket, struct error *err);
void hello_socket_close(struct hello_socket *socket);

/*
 * Take in who has connected and what was said; does not wait.  `buffer` has room
 * for the longest message.  `greet` returns false for what is not welcome; it borrows
 * the message, descriptor included.  A connection that says nothing is no message.
 */
void hello_socket_update(struct hello_socket *socket, void *buffer, size_t capacity,
			 bool (*greet)(void *context, const struct hello_message *message),
			 void *context);

#endif
