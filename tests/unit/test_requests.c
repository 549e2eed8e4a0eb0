#include "unit.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/marks_hello_wire.h"
#include "os/marks_socket.h"
#include "record/requests.h"

/* As a program does it: asks with one end of a pair, and waits at the other. */
static int ask(struct requests *requests, uint32_t what)
{
	int fds[2];
	bool is_taken;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	is_taken = requests_add(requests, what, fds[1]);
	(void)close(fds[1]);
	if (is_taken)
		return fds[0];
	(void)close(fds[0]);
	return -1;
}

enum answer { ANSWER_NONE, ANSWER_DONE, ANSWER_REFUSED };

static enum answer answer_of(int fd)
{
	char byte;
	const ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	return n < 0 ? ANSWER_NONE : n == 1 ? ANSWER_DONE : ANSWER_REFUSED;
}

static void requests__are_met_in_their_order(void **state)
{
	struct requests requests = { 0 };
	const int first = ask(&requests, MARKS_REQUEST_PAUSE);
	const int second = ask(&requests, MARKS_REQUEST_RESUME);
	uint32_t what = 0;
	int reply_fd = -1;

	(void)state;
	assert_true(first >= 0 && second >= 0);
	assert_true(requests_next(&requests, &what, &reply_fd));
	assert_int_equal(what, MARKS_REQUEST_PAUSE);
	assert_int_equal(answer_of(first), ANSWER_NONE);
	marks_reply(reply_fd, true);
	assert_int_equal(answer_of(first), ANSWER_DONE);
	assert_int_equal(answer_of(second), ANSWER_NONE);
	requests_finish(&requests, true);
	assert_int_equal(answer_of(second), ANSWER_REFUSED);
	assert_false(requests_next(&requests, &what, &reply_fd));
	(void)close(first);
	(void)close(second);
}

static void a_stop__is_answered_when_the_file_is_there(void **state)
{
	struct requests requests = { .may_stop = true };
	const int fd = ask(&requests, MARKS_REQUEST_STOP);
	uint32_t what = 0;
	int reply_fd = 0;

	(void)state;
	assert_true(requests_next(&requests, &what, &reply_fd));
	assert_int_equal(what, MARKS_REQUEST_STOP);
	assert_true(reply_fd < 0);
	assert_int_equal(answer_of(fd), ANSWER_NONE);
	requests_finish(&requests, true);
	assert_int_equal(answer_of(fd), ANSWER_DONE);
	(void)close(fd);
}

static void a_stop__is_refused_when_there_is_no_file(void **state)
{
	struct requests requests = { .may_stop = true };
	const int fd = ask(&requests, MARKS_REQUEST_STOP);
	uint32_t what;
	int reply_fd;

	(void)state;
	assert_true(requests_next(&requests, &what, &reply_fd));
	requests_finish(&requests, false);
	assert_int_equal(answer_of(fd), ANSWER_REFUSED);
	(void)close(fd);
}

static void what_cannot_be_met__is_not_taken(void **state)
{
	struct requests requests = { 0 };
	int fds[REQUESTS_MAX];

	(void)state;
	assert_true(ask(&requests, MARKS_REQUEST_STOP) < 0);
	assert_true(ask(&requests, 0) < 0);
	assert_true(ask(&requests, UINT32_MAX) < 0);
	assert_false(requests_add(&requests, MARKS_REQUEST_PAUSE, -1));
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		fds[i] = ask(&requests, MARKS_REQUEST_PAUSE);
	assert_true(ask(&requests, MARKS_REQUEST_PAUSE) < 0);
	requests_finish(&requests, false);
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		assert_int_equal(answer_of(fds[i]), ANSWER_REFUSED);
		(void)close(fds[i]);
	}
}

/* Who waits may be hostile: nothing of it holds the recorder up. */
static void an_answer__waits_for_nobody(void **state)
{
	struct requests requests = { 0 };
	char bytes[4096] = { 0 };
	uint32_t what;
	int reply_fd;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
	assert_true(requests_add(&requests, MARKS_REQUEST_PAUSE, fds[1]));
	assert_true(requests_next(&requests, &what, &reply_fd));
	marks_reply(reply_fd, true); /* the pipe is full: write() would wait */
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_true(requests_add(&requests, MARKS_REQUEST_PAUSE, fds[1]));
	(void)close(fds[0]);
	assert_true(requests_next(&requests, &what, &reply_fd));
	marks_reply(reply_fd, true); /* nobody is left: SIGPIPE would kill */
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests__are_met_in_their_order),
		cmocka_unit_test(a_stop__is_answered_when_the_file_is_there),
		cmocka_unit_test(a_stop__is_refused_when_there_is_no_file),
		cmocka_unit_test(what_cannot_be_met__is_not_taken),
		cmocka_unit_test(an_answer__waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
