/* The socket, what comes through it, and the rings of who has sent them. */
#include "fake_recorder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

#include "lib/marks_client.h"

struct fake_recorder recorder;
static char payload[MARKS_PAYLOAD_MAX_BYTES];

int fake_recorder_start(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tsprof-test-%d",
			       (int)getpid());

	(void)state;
	recorder.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)snprintf(recorder.text, sizeof(recorder.text), "%s:%s:%d:/lib.so",
		       address.sun_path + 1, FAKE_RECORDER_TOKEN, FAKE_RECORDER_RING_BYTES);
	return recorder.listener >= 0 &&
			       bind(recorder.listener, (struct sockaddr *)&address,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
						(size_t)n)) == 0 &&
			       listen(recorder.listener, 64) == 0 && marks_open(recorder.text)
		       ? 0
		       : -1;
}

int fake_recorder_stop(void **state)
{
	(void)state;
	marks_stop();
	while (recorder.n_memories) {
		marks_memory_unmap(&recorder.memories[--recorder.n_memories]);
		(void)close(recorder.memory_fds[recorder.n_memories]);
	}
	return recorder.listener >= 0 ? close(recorder.listener) : 0;
}

/* Take one connection; false: there is none. */
bool fake_recorder_greet(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct marks_hello hello = { 0 };
	struct iovec data = { .iov_base = &hello, .iov_len = sizeof(hello) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	const int peer = accept4(recorder.listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n_received;
	int fd;

	if (peer < 0)
		return false;
	n_received = recvmsg(peer, &message, 0);
	assert_int_equal(close(peer), 0);
	/* Only a look whether we are there. */
	if (n_received == 0)
		return fake_recorder_greet();
	assert_int_equal(n_received, sizeof(hello));
	assert_int_equal(hello.magic, MARKS_WIRE_MAGIC);
	assert_int_equal(hello.version, MARKS_WIRE_VERSION);
	assert_int_equal(hello.kind, MARKS_HELLO_SEGMENT);
	assert_int_equal(hello.token[0], 0);
	assert_int_equal(hello.token[MARKS_TOKEN_BYTES - 1], 0xff);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	assert_true(recorder.n_memories < FAKE_RECORDER_MAX_MEMORIES);
	assert_int_equal(marks_memory_map(&recorder.memories[recorder.n_memories], fd,
					  hello.n_slots, hello.ring_bytes, NULL),
			 0);
	recorder.memory_fds[recorder.n_memories] = fd;
	recorder.sessions[recorder.n_memories++] = hello.session;
	return true;
}

struct marks_ring fake_recorder_ring(size_t memory, uint32_t slot)
{
	struct marks_ring ring;

	marks_ring_init(&ring, &recorder.memories[memory], slot);
	ring.tail = atomic_load(&ring.slot->tail);
	marks_ring_refresh(&ring);
	return ring;
}

/* Take all there is; how many records of a kind. */
size_t fake_recorder_take(size_t memory, uint32_t slot, uint32_t what)
{
	struct marks_ring ring = fake_recorder_ring(memory, slot);
	struct marks_record record;
	enum marks_ring_state state;
	size_t n = 0;

	while ((state = marks_ring_next(&ring, &record, payload)) == MARKS_RING_RECORD)
		n += record.what == what;
	assert_int_equal(state, MARKS_RING_EMPTY);
	marks_ring_publish(&ring);
	(void)marks_ring_recycle(&ring);
	return n;
}

size_t fake_recorder_take_everything(uint32_t what)
{
	size_t n = 0;

	while (fake_recorder_greet())
		;
	for (size_t memory = 0; memory < recorder.n_memories; memory++)
		for (uint32_t slot = 0; slot < recorder.memories[memory].n_slots; slot++)
			n += fake_recorder_take(memory, slot, what);
	return n;
}
