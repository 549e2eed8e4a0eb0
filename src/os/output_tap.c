#include "os/output_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { TERMINAL_NAME_BYTES = 64 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A terminal like that of `to_fd`, but one that leaves every byte as it is. */
static int terminal_open(int ends[2], int to_fd)
{
	char name[TERMINAL_NAME_BYTES];
	struct termios settings;
	struct winsize size;
	int r = 0;

	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ends[1] = -1;
	if (ends[0] < 0 || grantpt(ends[0]) < 0 || unlockpt(ends[0]) < 0 ||
	    ptsname_r(ends[0], name, sizeof(name)) != 0) {
		r = errno ? -errno : -ENODEV;
		goto out;
	}
	ends[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends[1] < 0 || tcgetattr(to_fd, &settings) < 0) {
		r = -errno;
		goto out;
	}
	settings.c_oflag &= ~(tcflag_t)OPOST;
	settings.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(ends[1], TCSANOW, &settings) < 0)
		r = -errno;
	if (ioctl(to_fd, TIOCGWINSZ, &size) == 0)
		(void)ioctl(ends[1], TIOCSWINSZ, &size);
out:
	if (r < 0) {
		close_fd(&ends[0]);
		close_fd(&ends[1]);
	}
	return r;
}

static int ends_open(int ends[2], int to_fd, bool is_terminal)
{
	if (is_terminal)
		return terminal_open(ends, to_fd);
	return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

/* `*ret_child_fd` is what the command is to write to. */
static int channel_open(struct output_channel *channel, int *ret_child_fd, int to_fd,
			const regex_t *pattern)
{
	const bool is_terminal = isatty(to_fd);
	int ends[2] = { -1, -1 };
	int control[2] = { -1, -1 };
	int r = ends_open(ends, to_fd, is_terminal);

	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
		r = -errno;
	if (r == 0) {
		channel->pid = fork();
		if (channel->pid < 0)
			r = -errno;
	}
	if (r == 0 && channel->pid == 0)
		output_relay_run(&(struct output_relay){ .from_fd = ends[0],
							 .to_fd = to_fd,
							 .control_fd = control[1],
							 .is_terminal = is_terminal,
							 .pattern = pattern });
	if (r == 0) {
		channel->fd = control[0];
		*ret_child_fd = ends[1];
		control[0] = ends[1] = -1;
	} else {
		channel->pid = 0;
	}
	for (int i = 0; i < 2; i++) {
		close_fd(&ends[i]);
		close_fd(&control[i]);
	}
	return r;
}

static bool is_same_file(int left_fd, int right_fd)
{
	struct stat left;
	struct stat right;

	return fstat(left_fd, &left) == 0 && fstat(right_fd, &right) == 0 &&
	       left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int watch_channel(struct output_tap *tap, int i)
{
	struct epoll_event interest = { .events = EPOLLIN, .data = { .u32 = (uint32_t)i } };

	if (tap->channels[i].fd < 0)
		return 0;
	return epoll_ctl(tap->epoll_fd, EPOLL_CTL_ADD, tap->channels[i].fd, &interest) < 0 ? -errno
											   : 0;
}

int output_tap_open(struct output_tap *tap, const regex_t *pattern, struct error *err)
{
	/* Before one of ours gets the number. */
	const bool has_output = is_open(STDOUT_FILENO);
	const bool has_error = is_open(STDERR_FILENO);
	int r = 0;

	tap->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (tap->epoll_fd < 0)
		r = -errno;
	if (r == 0 && has_output)
		r = channel_open(&tap->channels[0], &tap->child_fds[0], STDOUT_FILENO, pattern);
	if (r == 0 && has_error) {
		if (tap->child_fds[0] < 0 || !is_same_file(STDOUT_FILENO, STDERR_FILENO)) {
			r = channel_open(&tap->channels[1], &tap->child_fds[1], STDERR_FILENO,
					 pattern);
		} else {
			tap->child_fds[1] = fcntl(tap->child_fds[0], F_DUPFD_CLOEXEC, 3);
			r = tap->child_fds[1] < 0 ? -errno : 0;
		}
	}
	for (int i = 0; r == 0 && i < 2; i++)
		r = watch_channel(tap, i);
	return r < 0 ? error_set_errno(err, r, "relay for what the command prints") : 0;
}

void output_tap_close_child_fds(struct output_tap *tap)
{
	close_fd(&tap->child_fds[0]);
	close_fd(&tap->child_fds[1]);
}

/* A message of the channel, if there is one. */
static bool channel_next(struct output_tap *tap, struct output_channel *channel)
{
	struct output_relay_message *message = &tap->message;
	const size_t fixed = offsetof(struct output_relay_message, text);
	ssize_t n;

	if (channel->fd < 0)
		return false;
	/* Before what it told, once: it ended by itself and has not read that we ask. */
	do
		n = recv(channel->fd, message, sizeof(*message), MSG_DONTWAIT);
	while (n < 0 && errno == ECONNRESET);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < (ssize_t)fixed || message->name_bytes > TSPROF_NAME_MAX_BYTES ||
	    message->data_bytes > TSPROF_TEXT_MAX_BYTES ||
	    (size_t)n != fixed + message->name_bytes + message->data_bytes) {
		close_fd(&channel->fd);
		channel->is_synced = true;
		return false;
	}
	tap->n_dropped += message->n_dropped;
	channel->is_synced |= message->what == OUTPUT_RELAY_SYNCED;
	return true;
}

/* `is_syncing`: of those that have not said so far that this was all. */
static bool next_line(struct output_tap *tap, struct output_line *line, bool is_syncing)
{
	for (int i = 0; i < 2; i++) {
		struct output_channel *channel = &tap->channels[i];

		while (!(is_syncing && channel->is_synced) && channel_next(tap, channel)) {
			const struct output_relay_message *message = &tap->message;

			if (message->what != OUTPUT_RELAY_LINE)
				continue;
			*line = (struct output_line){
				.time_ns = message->time_ns,
				.name = message->text,
				.name_bytes = message->name_bytes,
				.line = message->text + message->name_bytes,
				.line_bytes = message->data_bytes,
			};
			return true;
		}
	}
	return false;
}

bool output_tap_next(struct output_tap *tap, struct output_line *line)
{
	return next_line(tap, line, false);
}

/* Those that are waited for; returns how many. */
static int unsynced(const struct output_tap *tap, struct pollfd fds[2])
{
	int n = 0;

	for (int i = 0; i < 2; i++)
		if (tap->channels[i].fd >= 0 && !tap->channels[i].is_synced)
			fds[n++] = (struct pollfd){ .fd = tap->channels[i].fd, .events = POLLIN };
	return n;
}

int output_tap_sync(struct output_tap *tap, int timeout_ms,
		    int (*take)(void *context, const struct output_line *line), void *context)
{
	struct pollfd fds[2];
	struct output_line line;
	int n_waited_for;
	int n_ready = 1;
	int r = 0;

	for (int i = 0; i < 2; i++) {
		tap->channels[i].is_synced = false;
		if (tap->channels[i].fd >= 0)
			(void)send(tap->channels[i].fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	while (r == 0 && n_ready > 0) {
		while (r == 0 && next_line(tap, &line, true))
			r = take(context, &line);
		n_waited_for = unsynced(tap, fds);
		if (!n_waited_for)
			break;
		do
			n_ready = poll(fds, (nfds_t)n_waited_for, timeout_ms);
		while (n_ready < 0 && errno == EINTR);
	}
	return r;
}

void output_tap_close(struct output_tap *tap)
{
	output_tap_close_child_fds(tap);
	for (int i = 0; i < 2; i++) {
		close_fd(&tap->channels[i].fd);
		if (tap->channels[i].pid)
			(void)waitpid(tap->channels[i].pid, NULL, WNOHANG);
	}
	close_fd(&tap->epoll_fd);
	*tap = OUTPUT_TAP_INIT;
}
