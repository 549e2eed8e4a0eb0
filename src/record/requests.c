#include "record/requests.h"

#include <string.h>

#include "lib/marks_hello_wire.h"
#include "os/marks_socket.h"

static bool is_possible(const struct requests *requests, uint32_t what)
{
	switch (what) {
	case MARKS_REQUEST_PAUSE:
	case MARKS_REQUEST_RESUME:
		return true;
	case MARKS_REQUEST_STOP:
		return requests->may_stop;
	default: /* of another process's, and anything */
		return false;
	}
}

bool requests_add(struct requests *requests, uint32_t what, int fd)
{
	struct request request = { .what = what };

	if (requests->n_waiting == REQUESTS_MAX || !is_possible(requests, what))
		return false;
	request.reply_fd = marks_reply_keep(fd);
	if (request.reply_fd < 0)
		return false;
	requests->waiting[requests->n_waiting++] = request;
	return true;
}

bool requests_next(struct requests *requests, uint32_t *ret_what, int *ret_reply_fd)
{
	struct request next;

	if (!requests->n_waiting)
		return false;
	next = requests->waiting[0];
	requests->n_waiting--;
	memmove(&requests->waiting[0], &requests->waiting[1], requests->n_waiting * sizeof(next));
	if (next.what == MARKS_REQUEST_STOP) {
		if (requests->n_stops < REQUESTS_MAX)
			requests->stop_fds[requests->n_stops++] = next.reply_fd;
		else
			marks_reply(next.reply_fd, false);
		next.reply_fd = -1;
	}
	*ret_what = next.what;
	*ret_reply_fd = next.reply_fd;
	return true;
}

void requests_finish(struct requests *requests, bool is_written)
{
	for (size_t i = 0; i < requests->n_waiting; i++)
		marks_reply(requests->waiting[i].reply_fd, false);
	for (size_t i = 0; i < requests->n_stops; i++)
		marks_reply(requests->stop_fds[i], is_written);
	requests->n_waiting = requests->n_stops = 0;
}
