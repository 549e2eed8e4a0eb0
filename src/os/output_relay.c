/*
 * What is read is passed on first and looked at then.  Signals for the whole
 * process group are the command's business; the size of a terminal is ours, too.
 */
#include "os/output_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/output_lines.h"

enum {
	FROM_FD = 0,
	TO_FD = 1,
	CONTROL_FD = 2,
	READ_BYTES = 65536,
	TERMINAL_MOST_BYTES = 1 << 20, /* that one holds */
};

struct relay {
	struct output_lines lines;
	struct output_relay_message message;
	uint64_t read_ns;
	uint32_t n_dropped;
	bool is_told; /* somebody listens */
	bool is_terminal;
	char bytes[READ_BYTES];
};

static volatile sig_atomic_t has_new_size; /* in the relay's process only */

static void note_size(int number)
{
	(void)number;
	has_new_size = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void pass_size_on(void)
{
	struct winsize size;

	has_new_size = 0;
	if (ioctl(TO_FD, TIOCGWINSZ, &size) == 0)
		(void)ioctl(FROM_FD, TIOCSWINSZ, &size);
}

static void tell(struct relay *relay, enum output_relay_what what, int flags)
{
	struct output_relay_message *message = &relay->message;
	const size_t size = offsetof(struct output_relay_message, text) + message->name_bytes +
			    message->data_bytes;

	if (!relay->is_told)
		return;
	message->what = what;
	message->time_ns = relay->read_ns;
	message->n_dropped = relay->n_dropped;
	if (send(CONTROL_FD, message, size, flags | MSG_NOSIGNAL) == (ssize_t)size)
		relay->n_dropped = 0;
	else if (errno == EAGAIN || errno == ENOBUFS)
		relay->n_dropped++;
	else
		relay->is_told = false;
}

static void tell_line(void *context, const char *name, size_t name_bytes, const char *line,
		      size_t line_bytes)
{
	struct relay *relay = context;
	struct output_relay_message *message = &relay->message;

	message->name_bytes =
		(uint32_t)(name_bytes < TSPROF_NAME_MAX_BYTES ? name_bytes : TSPROF_NAME_MAX_BYTES);
	message->data_bytes =
		(uint32_t)(line_bytes < TSPROF_TEXT_MAX_BYTES ? line_bytes : TSPROF_TEXT_MAX_BYTES);
	memcpy(message->text, name, message->name_bytes);
	memcpy(message->text + message->name_bytes, line, message->data_bytes);
	/* Whoever listens slowly loses lines rather than hold up what is printed. */
	tell(relay, OUTPUT_RELAY_LINE, MSG_DONTWAIT);
}

/* False: nobody will read any more. */
static bool write_all(const char *bytes, size_t size)
{
	while (size) {
		const ssize_t n = write(TO_FD, bytes, size);
		struct pollfd to = { .fd = TO_FD, .events = POLLOUT };

		if (n >= 0) {
			bytes += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			(void)poll(&to, 1, -1);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

enum pass { PASS_ON, PASS_NOTHING, PASS_END };

/* `ret_bytes`: how much that was. */
static enum pass pass_on(struct relay *relay, size_t *ret_bytes)
{
	const ssize_t n = read(FROM_FD, relay->bytes, sizeof(relay->bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return PASS_NOTHING;
	/* EIO: a terminal that nobody has open for writing. */
	if (n <= 0)
		return PASS_END;
	relay->read_ns = now_ns();
	if (!write_all(relay->bytes, (size_t)n))
		return PASS_END;
	output_lines_add(&relay->lines, relay->bytes, (size_t)n);
	*ret_bytes = (size_t)n;
	return PASS_ON;
}

/* No more than this was printed and not passed on so far. */
static size_t waiting_most_bytes(void)
{
	const int pipe_bytes = fcntl(FROM_FD, F_GETPIPE_SZ);

	return pipe_bytes > 0 ? (size_t)pipe_bytes : TERMINAL_MOST_BYTES;
}

static enum pass answer(struct relay *relay)
{
	const size_t most_bytes = waiting_most_bytes();
	enum pass pass = PASS_ON;
	size_t n_bytes = 0;
	char byte;

	if (recv(CONTROL_FD, &byte, 1, MSG_DONTWAIT) != 1) {
		relay->is_told = false;
		return PASS_ON;
	}
	/* Whoever the command left behind may print for ever. */
	for (size_t n_passed = 0; pass == PASS_ON && n_passed < most_bytes; n_passed += n_bytes)
		pass = pass_on(relay, &n_bytes);
	/* A last line without its end is told, too, and our own end says that it was. */
	if (pass == PASS_END)
		return pass;
	if (pass == PASS_NOTHING)
		output_lines_finish(&relay->lines);
	relay->message.name_bytes = relay->message.data_bytes = 0;
	tell(relay, OUTPUT_RELAY_SYNCED, 0);
	return pass;
}

static enum pass take_turn(struct relay *relay, const sigset_t *waiting_mask)
{
	struct pollfd fds[] = {
		{ .fd = FROM_FD, .events = POLLIN },
		{ .fd = TO_FD }, /* POLLERR: whoever read is gone */
		{ .fd = relay->is_told ? CONTROL_FD : -1, .events = POLLIN },
	};
	enum pass pass = PASS_ON;
	size_t n_bytes;

	if (ppoll(fds, 3, NULL, waiting_mask) < 0 && errno != EINTR)
		return PASS_END;
	if (relay->is_terminal && has_new_size)
		pass_size_on();
	if (fds[1].revents & (POLLERR | POLLNVAL))
		return PASS_END;
	if (fds[0].revents)
		pass = pass_on(relay, &n_bytes);
	if (pass != PASS_END && fds[2].revents)
		pass = answer(relay);
	return pass;
}

/* 0, 1, 2 and nothing else, so that nobody waits in vain for an end that we hold. */
static bool arrange_files(const struct output_relay *relay)
{
	const int from = fcntl(relay->from_fd, F_DUPFD, CONTROL_FD + 1);
	const int to = fcntl(relay->to_fd, F_DUPFD, CONTROL_FD + 1);
	const int control = fcntl(relay->control_fd, F_DUPFD, CONTROL_FD + 1);

	return from >= 0 && to >= 0 && control >= 0 && dup2(from, FROM_FD) == FROM_FD &&
	       dup2(to, TO_FD) == TO_FD && dup2(control, CONTROL_FD) == CONTROL_FD &&
	       syscall(SYS_close_range, CONTROL_FD + 1L, ~0U, 0L) == 0 &&
	       fcntl(FROM_FD, F_SETFL, O_NONBLOCK) == 0;
}

_Noreturn void output_relay_run(const struct output_relay *options)
{
	static struct relay relay; /* in a process of its own */
	const struct sigaction action = { .sa_handler = note_size };
	sigset_t mask;

	relay.is_told = true;
	relay.is_terminal = options->is_terminal;
	relay.lines.pattern = options->pattern;
	relay.lines.matched = tell_line;
	relay.lines.context = &relay;
	(void)prctl(PR_SET_NAME, "tsprof-output");
	(void)sigfillset(&mask);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGWINCH, &action, NULL);
	(void)sigdelset(&mask, SIGWINCH);
	if (!arrange_files(options))
		_exit(1);
	while (take_turn(&relay, &mask) != PASS_END)
		;
	output_lines_finish(&relay.lines);
	_exit(0);
}
