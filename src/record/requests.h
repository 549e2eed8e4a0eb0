#ifndef TSPROF_RECORD_REQUESTS_H
#define TSPROF_RECORD_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What programs ask of the recorder (lib/marks_hello_wire.h): to pause, to go on, and, who
 * had itself recorded, to end.  Kept until the loop can do it; each is answered once.
 */
enum { REQUESTS_MAX = 32 };

struct requests {
	struct request {
		uint32_t what; /* enum marks_request */
		int reply_fd;
	} waiting[REQUESTS_MAX];
	size_t n_waiting;
	int stop_fds[REQUESTS_MAX]; /* wait for the file */
	size_t n_stops;
	bool may_stop;
};

/* False, and no answer, when it cannot be met.  Borrows `fd`. */
bool requests_add(struct requests *requests, uint32_t what, int fd);

/*
 * Take the oldest one; false: there is none.  `ret_reply_fd` is for marks_reply, or
 * negative when requests_finish answers.
 */
bool requests_next(struct requests *requests, uint32_t *ret_what, int *ret_reply_fd);

/* The recording is over: those that waited for it are told, all others refused. */
void requests_finish(struct requests *requests, bool is_written);

#endif
