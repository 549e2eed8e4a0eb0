/* There is no answer: the sender has closed its end already, or could not care less. */
#include "os/hello_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 /* as many as net.core.somaxconn allows by default */, MAX_FDS = 4 };

struct greeting {
	struct hello_socket *socket;
	void *buffer;
	size_t capacity;
	bool (*greet)(void *context, const struct hello_message *message);
	void *context;
};

static int listen_at(struct hello_socket *hello, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t name_size = strlen(hello->name);
	const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_size);

	memcpy(address.sun_path + 1, hello->name, name_size);
	hello->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (hello->listen_fd < 0 ||
	    bind(hello->listen_fd, (const struct sockaddr *)&address, size) < 0 ||
	    listen(hello->listen_fd, BACKLOG) < 0)
		return error_set_errno(err, -errno, "socket for processes of the target");
	return 0;
}

int hello_socket_open(struct hello_socket *hello, struct error *err)
{
	struct epoll_event interest = { .events = EPOLLIN };
	uint64_t name[2];
	int r;

	*hello = HELLO_SOCKET_INIT;
	if (getrandom(hello->token, sizeof(hello->token), 0) < 0 ||
	    getrandom(name, sizeof(name), 0) < 0)
		return error_set_errno(err, -errno, "getrandom");
	(void)snprintf(hello->name, sizeof(hello->name), "tsprof-%016" PRIx64 "%016" PRIx64,
		       name[0], name[1]);
	r = listen_at(hello, err);
	if (r < 0)
		return r;
	hello->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (hello->epoll_fd < 0 ||
	    epoll_ctl(hello->epoll_fd, EPOLL_CTL_ADD, hello->listen_fd, &interest) < 0)
		return error_set_errno(err, -errno, "epoll");
	return 0;
}

void hello_socket_close(struct hello_socket *hello)
{
	for (size_t i = 0; i < hello->n_pending; i++)
		(void)close(hello->pending[i]);
	if (hello->listen_fd >= 0)
		(void)close(hello->listen_fd);
	if (hello->epoll_fd >= 0)
		(void)close(hello->epoll_fd);
	*hello = HELLO_SOCKET_INIT;
}

/* The first descriptor that came with a message; others are closed.  -1 when there is none. */
static int take_fd(struct msghdr *message)
{
	int taken = -1;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		const size_t n_fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n_fds; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (taken < 0)
				taken = fd;
			else
				(void)close(fd);
		}
	}
	return taken;
}

static bool is_known_peer(struct hello_message *message, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
		return false;
	message->pid = (uint32_t)peer.pid;
	return true;
}

/* False when its message has not come so far. */
static bool receive(const struct greeting *greeting, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct iovec data = { .iov_base = greeting->buffer, .iov_len = greeting->capacity };
	struct msghdr head = { .msg_iov = &data,
			       .msg_iovlen = 1,
			       .msg_control = control,
			       .msg_controllen = sizeof(control) };
	const ssize_t n_received = recvmsg(fd, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct hello_message message = { .bytes = greeting->buffer };

	if (n_received < 0)
		return errno != EAGAIN && errno != EINTR;
	message.fd = take_fd(&head);
	message.size_bytes = (size_t)n_received;
	message.is_cut = head.msg_flags & MSG_TRUNC;
	if ((n_received || message.fd >= 0) &&
	    (!is_known_peer(&message, fd) || !greeting->greet(greeting->context, &message)))
		greeting->socket->n_refused++;
	if (message.fd >= 0)
		(void)close(message.fd);
	return true;
}

/* Connecting and sending are two steps, and the target may be held up between them. */
static void receive_pending(const struct greeting *greeting)
{
	struct hello_socket *hello = greeting->socket;
	size_t n_left = 0;

	for (size_t i = 0; i < hello->n_pending; i++) {
		if (receive(greeting, hello->pending[i]))
			(void)close(hello->pending[i]);
		else
			hello->pending[n_left++] = hello->pending[i];
	}
	hello->n_pending = n_left;
}

static void accept_all(const struct greeting *greeting)
{
	struct epoll_event interest = { .events = EPOLLIN };
	struct hello_socket *hello = greeting->socket;

	while (hello->n_pending < HELLO_MAX_PENDING) {
		const int fd = accept4(hello->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		(void)epoll_ctl(hello->epoll_fd, EPOLL_CTL_ADD, fd, &interest);
		hello->pending[hello->n_pending++] = fd;
		if (hello->n_pending == HELLO_MAX_PENDING)
			receive_pending(greeting);
	}
	/* Whoever connects and then says nothing must not keep the others out. */
	(void)close(hello->pending[0]);
	hello->pending[0] = hello->pending[--hello->n_pending];
}

void hello_socket_update(struct hello_socket *hello, void *buffer, size_t capacity,
			 bool (*greet)(void *context, const struct hello_message *message),
			 void *context)
{
	const struct greeting greeting = {
		.socket = hello,
		.buffer = buffer,
		.capacity = capacity,
		.greet = greet,
		.context = context,
	};

	accept_all(&greeting);
	receive_pending(&greeting);
}
