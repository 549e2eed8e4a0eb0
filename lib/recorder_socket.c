#include "lib/recorder_socket.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_TRIES = 50, CONNECT_WAIT_NS = 1000000 };

int recorder_connect(const char *socket_name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t name_size = strlen(socket_name);
	const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name_size);
	const struct timespec pause = { .tv_nsec = CONNECT_WAIT_NS };
	int fd;

	if (name_size >= sizeof(address.sun_path))
		return -1;
	fd = (int)syscall(SYS_socket, (long)AF_UNIX,
			  (long)SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0L);
	if (fd < 0)
		return -1;
	memcpy(address.sun_path + 1, socket_name, name_size);
	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (syscall(SYS_connect, (long)fd, &address, (long)size) == 0)
			return fd;
		/* EAGAIN: more processes than the recorder has accepted so far. */
		if (errno != EAGAIN && errno != EINTR)
			break;
		(void)syscall(SYS_nanosleep, &pause, NULL);
	}
	(void)syscall(SYS_close, (long)fd);
	return -1;
}

bool recorder_send(int socket_fd, int memory_fd, const void *message, size_t size_bytes)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { .iov_base = (void *)(uintptr_t)message, .iov_len = size_bytes };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &memory_fd, sizeof(int));
	if (memory_fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
	}
	return syscall(SYS_sendmsg, (long)socket_fd, &header, (long)MSG_NOSIGNAL) ==
	       (long)size_bytes;
}

bool recorder_memory_resize(int memory_fd, size_t size_bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && size_bytes > limit.rlim_cur)
		return false;
	return ftruncate(memory_fd, (off_t)size_bytes) == 0;
}
