/* Who may talk to the recorder, and what it takes of it. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/marks_wire.h"
#include "os/marks_socket.h"

static struct marks_socket listener;
static struct marks_address address;
static struct marks_message last;
static char last_text[2000]; /* name and data */
static int n_taken;

static bool take(void *context, const struct marks_message *message)
{
	(void)context;
	last = *message;
	last_text[0] = '\0';
	if (message->name)
		(void)snprintf(last_text, sizeof(last_text), "%.*s %.*s", (int)message->name_bytes,
			       message->name, (int)message->data_bytes, message->data);
	n_taken++;
	return true;
}

static int set_up(void **state)
{
	(void)state;
	n_taken = 0;
	return marks_socket_open(&listener, MARKS_RING_MIN_BYTES, NULL) == 0 &&
			       marks_address_parse(&address, strchr(listener.environment, '=') + 1)
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	marks_socket_close(&listener);
	return 0;
}

static struct marks_hello hello_of(uint32_t kind)
{
	struct marks_hello hello = {
		.magic = MARKS_WIRE_MAGIC,
		.version = MARKS_WIRE_VERSION,
		.session = 7,
		.kind = kind,
		.n_slots = 1,
		.ring_bytes = address.ring_bytes,
	};

	memcpy(hello.token, address.token, sizeof(hello.token));
	return hello;
}

static int connect_here(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const size_t size = strlen(address.socket_name);
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path + 1, address.socket_name, size);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)),
			 0);
	return fd;
}

/* One message, with that descriptor unless it is negative. */
static void say(const void *bytes, size_t size, int with_fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	const int fd = connect_here();

	if (with_fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
							     .cmsg_level = SOL_SOCKET,
							     .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &with_fd, sizeof(with_fd));
	}
	assert_int_equal(sendmsg(fd, &message, 0), (ssize_t)size);
	(void)close(fd);
	marks_socket_update(&listener, take, NULL);
}

static void marks_socket__takes_memory_and_milestones(void **state)
{
	const int memory = memfd_create("marks", MFD_CLOEXEC);
	struct {
		struct marks_hello hello;
		char text[9];
	} milestone = { .hello = hello_of(MARKS_HELLO_MILESTONE), .text = "stepn=123" };
	struct marks_hello hello = hello_of(MARKS_HELLO_SEGMENT);

	(void)state;
	say(&hello, sizeof(hello), memory);
	assert_int_equal(n_taken, 1);
	assert_int_equal(last.pid, getpid());
	assert_int_equal(last.session, 7);
	milestone.hello.name_bytes = 4;
	milestone.hello.data_bytes = 5;
	say(&milestone, sizeof(milestone.hello) + 9, -1);
	assert_int_equal(n_taken, 2);
	assert_string_equal(last_text, "step n=123");
	assert_int_equal(listener.hello.n_refused, 0);
	(void)close(memory);
}

static void marks_socket__refuses_strangers(void **state)
{
	const int memory = memfd_create("marks", MFD_CLOEXEC);
	struct marks_hello hello = hello_of(MARKS_HELLO_SEGMENT);

	(void)state;
	hello.token[3] ^= 1;
	say(&hello, sizeof(hello), memory);
	hello = hello_of(MARKS_HELLO_SEGMENT);
	hello.magic = 0;
	say(&hello, sizeof(hello), memory);
	hello = hello_of(99);
	say(&hello, sizeof(hello), memory);
	assert_int_equal(n_taken, 0);
	assert_int_equal(listener.hello.n_refused, 3);
	assert_int_equal(listener.n_other_versions, 0);
	hello = hello_of(MARKS_HELLO_SEGMENT);
	hello.version++;
	say(&hello, sizeof(hello), memory);
	assert_int_equal(n_taken, 0);
	assert_int_equal(listener.n_other_versions, 1);
	(void)close(memory);
}

static void marks_socket__refuses_what_is_too_short_or_too_long(void **state)
{
	const int memory = memfd_create("marks", MFD_CLOEXEC);
	struct {
		struct marks_hello hello;
		char text[4096];
	} message = { .hello = hello_of(MARKS_HELLO_SEGMENT) };

	(void)state;
	say(&message, sizeof(message.hello) - 1, memory);
	say(&message, sizeof(message.hello), -1);
	say(&message, sizeof(message), memory);
	message.hello = hello_of(MARKS_HELLO_MILESTONE);
	say(&message, sizeof(message.hello), -1); /* no name */
	message.hello.name_bytes = UINT32_MAX;
	message.hello.data_bytes = 2;
	say(&message, sizeof(message.hello) + 1, -1);
	message.hello.name_bytes = TSPROF_NAME_MAX_BYTES + 1;
	message.hello.data_bytes = 0;
	say(&message, sizeof(message.hello) + TSPROF_NAME_MAX_BYTES + 1, -1);
	assert_int_equal(n_taken, 0);
	assert_int_equal(listener.hello.n_refused, 6);
	(void)close(memory);
}

static void marks_socket__is_not_kept_busy_by_who_says_nothing(void **state)
{
	int fds[2 * HELLO_MAX_PENDING];
	struct marks_hello hello = hello_of(MARKS_HELLO_SEGMENT);
	const int memory = memfd_create("marks", MFD_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < N_ITEMS(fds); i++) {
		fds[i] = connect_here();
		marks_socket_update(&listener, take, NULL);
	}
	say(&hello, sizeof(hello), memory);
	assert_int_equal(n_taken, 1);
	for (size_t i = 0; i < N_ITEMS(fds); i++)
		(void)close(fds[i]);
	marks_socket_update(&listener, take, NULL);
	assert_int_equal(listener.hello.n_pending, 0);
	assert_int_equal(listener.hello.n_refused, 0);
	(void)close(memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(marks_socket__takes_memory_and_milestones),
		TEST(marks_socket__refuses_strangers),
		TEST(marks_socket__refuses_what_is_too_short_or_too_long),
		TEST(marks_socket__is_not_kept_busy_by_who_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
