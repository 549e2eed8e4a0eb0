/*
 * A program that has itself recorded.  The recorder is a process of its own; it
 * writes to a socket of ours where it can be found, and from there on all is as if it
 * had launched the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/marks_client.h"
#include "lib/recorder_spawn.h"
#include "tsprof_library.h"

#define PUBLIC __attribute__((visibility("default")))

enum {
	START_WAIT_MS = 10000,
	STOP_WAIT_MS = 60000,
	PAUSE_WAIT_MS = 1000,
	FAILURE_BYTES = 256,
	NS_PER_MS = 1000000,
};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER; /* see lock */
static pid_t started_by; /* under the lock; 0: nothing is recorded */
static int message_fd = -1;
static _Thread_local char failure[FAILURE_BYTES];

static int fail(int code, const char *text)
{
	(void)snprintf(failure, sizeof(failure), "%s", text);
	return code;
}

/* What the recorder said last, of which the first line is it. */
static int fail_as_recorder(int code, const char *text)
{
	char said[FAILURE_BYTES];
	const ssize_t n = message_fd < 0 ? -1 : pread(message_fd, said, sizeof(said) - 1, 0);

	if (n <= 0)
		return fail(code, text);
	said[n] = '\0';
	said[strcspn(said, "\n")] = '\0';
	return fail(code, said);
}

/* 0, or -ETIMEDOUT. */
static int wait_readable(int fd, int limit_ms)
{
	const uint64_t end_ns = marks_monotonic_ns() + (uint64_t)limit_ms * NS_PER_MS;
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	uint64_t now_ns = 0;

	while (now_ns < end_ns) {
		now_ns = marks_monotonic_ns();
		if (poll(&wanted, 1, now_ns < end_ns ? (int)((end_ns - now_ns) / NS_PER_MS) : 0) >
		    0)
			return 0;
	}
	return -ETIMEDOUT;
}

/* Returns 0 when it is done, -ESRCH when nobody is there, -EIO when it will not be done. */
static int ask(uint32_t request, int limit_ms)
{
	int sockets[2];
	char answer;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	r = marks_ask(request, sockets[1]) ? 0 : -ESRCH;
	(void)close(sockets[1]);
	if (r == 0)
		r = wait_readable(sockets[0], limit_ms);
	if (r == 0 && recv(sockets[0], &answer, 1, MSG_DONTWAIT) != 1)
		r = -EIO;
	(void)close(sockets[0]);
	return r;
}

/* Where the recorder is, or why there is none. */
static int read_answer(int fd)
{
	char text[512];
	const size_t prefix = strlen(MARKS_ENVIRONMENT "=");
	const ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	long code;

	text[n > 0 ? n : 0] = '\0';
	if (strncmp(text, MARKS_ENVIRONMENT "=", prefix) == 0)
		return marks_open(text + prefix)
			       ? 0
			       : fail(-EPROTO, "tsprof and its library are of different versions");
	code = strtol(text, NULL, 10);
	return fail_as_recorder(code < 0 && code > -4096 ? (int)code : -EIO,
				"tsprof ended before it recorded");
}

static int start_with_sockets(const char *path, const int sockets[2])
{
	const struct recorder_spawn spawn = { .profile_path = path,
					      .ready_fd = sockets[1],
					      .message_fd = message_fd };
	int r = recorder_spawn(&spawn);

	(void)close(sockets[1]);
	if (r == -ENOENT)
		return fail(r, "tsprof was not found: set TSPROF to its path");
	if (r < 0)
		return fail(r, "tsprof could not be run");
	r = wait_readable(sockets[0], START_WAIT_MS);
	return r < 0 ? fail(r, "tsprof did not begin to record within 10 s")
		     : read_answer(sockets[0]);
}

/* Another thread of the parent's may have had it. */
static void fork_child(void)
{
	start_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void fork_expect(void)
{
	(void)pthread_atfork(NULL, NULL, fork_child);
}

static void lock(void)
{
	(void)pthread_once(&fork_once, fork_expect);
	(void)pthread_mutex_lock(&start_lock);
}

static void forget_messages(void)
{
	if (message_fd >= 0)
		(void)close(message_fd);
	message_fd = -1;
}

static int start(const char *path)
{
	int sockets[2];
	int r;

	forget_messages(); /* of a parent's */
	message_fd = (int)syscall(SYS_memfd_create, "tsprof-messages", (long)MFD_CLOEXEC);
	if (message_fd < 0)
		return fail(-errno, "no memory for tsprof's messages");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(-errno, "no socket for tsprof");
	r = start_with_sockets(path, sockets);
	(void)close(sockets[0]);
	return r;
}

PUBLIC int tsprof_start(const char *path)
{
	int r;

	if (!path || !*path)
		return fail(-EINVAL, "no path for the profile");
	lock();
	if (marks_is_recorder_there()) {
		r = fail(-EALREADY, "this program is being recorded already");
	} else {
		r = start(path);
		started_by = r == 0 ? getpid() : 0;
		if (r < 0)
			forget_messages();
	}
	(void)pthread_mutex_unlock(&start_lock);
	return r;
}

/* What there is to say after a stop. */
static int result_of_stop(int r)
{
	switch (r) {
	case 0:
		return 0;
	case -ESRCH:
		return fail_as_recorder(-EIO, "tsprof is gone, before it was told to end");
	case -ETIMEDOUT:
		return fail(r, "tsprof is still writing the profile");
	default:
		return fail_as_recorder(r, "tsprof could not write the profile");
	}
}

static int stop(void)
{
	const int asked = ask(MARKS_REQUEST_STOP, STOP_WAIT_MS);
	const int r = result_of_stop(asked);

	/* One that still writes may still read. */
	if (asked == -ETIMEDOUT)
		marks_stop();
	else
		marks_stop_for_good();
	started_by = 0;
	forget_messages();
	return r;
}

PUBLIC int tsprof_stop(void)
{
	int r;

	lock();
	r = started_by == getpid() ? stop()
				   : fail(-ESRCH, "this process has not begun to record itself");
	(void)pthread_mutex_unlock(&start_lock);
	return r;
}

static int ask_to(uint32_t request)
{
	const int r = ask(request, PAUSE_WAIT_MS);

	switch (r) {
	case 0:
		return 0;
	case -ETIMEDOUT:
		return fail(r, "tsprof gave no answer within a second");
	default:
		return fail(r == -EIO ? -ESRCH : r, "nobody records this program");
	}
}

PUBLIC int tsprof_pause(void)
{
	return ask_to(MARKS_REQUEST_PAUSE);
}

PUBLIC int tsprof_resume(void)
{
	return ask_to(MARKS_REQUEST_RESUME);
}

PUBLIC const char *tsprof_failure(void)
{
	return failure;
}
