/* How a program that marks reaches the recorder, which the test plays. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marks_client.h"
#include "os/mark_sender.h"
#include "os/marks_memory.h"
#include "tsprof.h"

#define TOKEN "000102030405060708090a0b0c0d0eff"

enum { RING_BYTES = 1 << 20, MAX_MEMORIES = 64 };

static int listener = -1;
static char text[200];
static char payload[MARKS_PAYLOAD_MAX_BYTES];
static struct marks_memory memories[MAX_MEMORIES];
static uint64_t sessions[MAX_MEMORIES];
static int memory_fds[MAX_MEMORIES];
static size_t n_memories;

static int set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "tsprof-test-%d",
			       (int)getpid());

	(void)state;
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)snprintf(text, sizeof(text), "%s:%s:%d:/lib.so", address.sun_path + 1, TOKEN,
		       RING_BYTES);
	return listener >= 0 &&
			       bind(listener, (struct sockaddr *)&address,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
						(size_t)n)) == 0 &&
			       listen(listener, 64) == 0 && marks_open(text)
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	marks_stop();
	while (n_memories) {
		marks_memory_unmap(&memories[--n_memories]);
		(void)close(memory_fds[n_memories]);
	}
	return listener >= 0 ? close(listener) : 0;
}

/* Take one connection; false: there is none. */
static bool greet(void)
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
	const int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n_received;
	int fd;

	if (peer < 0)
		return false;
	n_received = recvmsg(peer, &message, 0);
	assert_int_equal(close(peer), 0);
	/* Only a look whether we are there. */
	if (n_received == 0)
		return greet();
	assert_int_equal(n_received, sizeof(hello));
	assert_int_equal(hello.magic, MARKS_WIRE_MAGIC);
	assert_int_equal(hello.version, MARKS_WIRE_VERSION);
	assert_int_equal(hello.kind, MARKS_HELLO_SEGMENT);
	assert_int_equal(hello.token[0], 0);
	assert_int_equal(hello.token[MARKS_TOKEN_BYTES - 1], 0xff);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	assert_true(n_memories < MAX_MEMORIES);
	assert_int_equal(marks_memory_map(&memories[n_memories], fd, hello.n_slots,
					  hello.ring_bytes, NULL),
			 0);
	memory_fds[n_memories] = fd;
	sessions[n_memories++] = hello.session;
	return true;
}

static struct marks_ring ring_of(size_t memory, uint32_t slot)
{
	struct marks_ring ring;

	marks_ring_init(&ring, &memories[memory], slot);
	ring.tail = atomic_load(&ring.slot->tail);
	marks_ring_refresh(&ring);
	return ring;
}

/* Take all there is; how many records of a kind. */
static size_t take_all(size_t memory, uint32_t slot, uint32_t what)
{
	struct marks_ring ring = ring_of(memory, slot);
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

static size_t take_everything(uint32_t what)
{
	size_t n = 0;

	while (greet())
		;
	for (size_t memory = 0; memory < n_memories; memory++)
		for (uint32_t slot = 0; slot < memories[memory].n_slots; slot++)
			n += take_all(memory, slot, what);
	return n;
}

static void mark(void)
{
	TSPROF_MILESTONE("mark");
}

static void program__connects_at_its_first_mark(void **state)
{
	(void)state;
	assert_true(tsprof_link_.is_on);
	assert_false(greet());
	errno = ENOTTY;
	mark();
	assert_int_equal(errno, ENOTTY);
	assert_true(greet());
	assert_int_equal(memories[0].ring_bytes, RING_BYTES);
	mark();
	assert_false(greet());
	assert_int_equal(take_all(0, 0, TSPROF_WHAT_MILESTONE), 2);
}

static void program__gives_up_when_nobody_is_there(void **state)
{
	(void)state;
	assert_int_equal(close(listener), 0);
	listener = -1;
	mark();
	assert_false(tsprof_link_.is_on);
	mark();
}

static void program__stops_when_the_recorder_says_so(void **state)
{
	(void)state;
	mark();
	assert_true(greet());
	marks_memory_stop(&memories[0]);
	for (int i = 0; i < 2000 && tsprof_link_.is_on; i++)
		mark();
	assert_false(tsprof_link_.is_on);
}

static void program__stops_when_the_recorder_was_killed(void **state)
{
	(void)state;
	mark();
	assert_true(greet());
	for (int i = 0; i < 2 * RING_BYTES / 16; i++)
		mark();
	assert_true(tsprof_link_.is_on);
	assert_int_equal(close(listener), 0);
	listener = -1;
	for (int i = 0; i < 200000 && tsprof_link_.is_on; i++)
		mark();
	assert_false(tsprof_link_.is_on);
}

static void *mark_and_wait(void *barrier)
{
	TSPROF_SCOPE("thread");
	(void)pthread_barrier_wait(barrier);
	return NULL;
}

static void threads__beyond_the_first_segment_get_another(void **state)
{
	enum { N_THREADS = 50 };
	pthread_t threads[N_THREADS];
	pthread_barrier_t barrier;
	size_t n = 0;

	(void)state;
	mark();
	assert_int_equal(pthread_barrier_init(&barrier, NULL, N_THREADS + 1), 0);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mark_and_wait, &barrier), 0);
	(void)pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(greet());
	assert_true(greet());
	assert_false(greet());
	assert_int_equal(sessions[0], sessions[1]);
	for (size_t memory = 0; memory < n_memories; memory++) {
		struct marks_site site;
		bool is_known = false;

		for (uint32_t slot = 0; slot < memories[memory].n_slots; slot++)
			n += take_all(memory, slot, TSPROF_WHAT_END);
		for (uint32_t id = 1; marks_memory_site(&memories[memory], id, &site); id++)
			is_known |= strcmp(site.name, "thread") == 0;
		assert_true(is_known);
	}
	assert_int_equal(n, N_THREADS);
	(void)pthread_barrier_destroy(&barrier);
}

struct many {
	pthread_barrier_t barrier;
	atomic_size_t n_done;
	int n_scopes;
};

static void *mark_scopes(void *context)
{
	struct many *many = context;

	for (int i = 0; i < many->n_scopes; i++) {
		TSPROF_SCOPE("one of many");
		if (i == 0)
			(void)pthread_barrier_wait(&many->barrier);
	}
	atomic_fetch_add(&many->n_done, 1);
	return NULL;
}

/* What rings of a thousand threads take, and whether each has its records. */
static void threads__of_which_there_are_many_share_little_memory(void **state)
{
	enum { N_THREADS = 1000, N_SCOPES = 5000 };
	static struct many many;
	pthread_attr_t attributes;
	pthread_t *threads = calloc(N_THREADS, sizeof(*threads));
	uint64_t n_bytes = 0;
	size_t n_started = 0;
	size_t n_ends = 0;
	uint64_t n_lost = 0;

	(void)state;
	many.n_scopes = N_SCOPES;
	assert_non_null(threads);
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, 1 << 16), 0);
	assert_int_equal(pthread_barrier_init(&many.barrier, NULL, N_THREADS + 1), 0);
	while (n_started < N_THREADS &&
	       pthread_create(&threads[n_started], &attributes, mark_scopes, &many) == 0)
		n_started++;
	if (n_started < N_THREADS) {
		print_message("only %zu threads are allowed here\n", n_started);
		skip();
	}
	(void)pthread_barrier_wait(&many.barrier);
	while (atomic_load(&many.n_done) < N_THREADS)
		n_ends += take_everything(TSPROF_WHAT_END);
	n_ends += take_everything(TSPROF_WHAT_END);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < n_memories; i++) {
		struct stat status;

		assert_int_equal(fstat(memory_fds[i], &status), 0);
		n_bytes += (uint64_t)status.st_blocks * 512;
		for (uint32_t slot = 0; slot < memories[i].n_slots; slot++) {
			struct marks_ring ring = ring_of(i, slot);

			n_lost += marks_ring_n_lost(&ring);
		}
		assert_int_equal(marks_memory_status(&memories[i]).n_homeless, 0);
	}
	print_message("%zu segments, %.1f MiB, %.1f %% lost\n", n_memories,
		      (double)n_bytes / 1048576, (double)n_lost / N_THREADS / N_SCOPES / 2 * 100);
	assert_true(n_bytes <= 64 << 20);
	/* How much is lost is a matter of how fast we are; but it is counted, each one. */
	assert_true(n_ends + n_lost >= (uint64_t)N_THREADS * N_SCOPES);
	assert_true(n_ends >= (uint64_t)N_THREADS);
	assert_int_equal(pthread_barrier_destroy(&many.barrier), 0);
	(void)pthread_attr_destroy(&attributes);
	free(threads);
}

static void in_child(long fork_number)
{
	int status = -1;
	const pid_t pid = (pid_t)syscall(fork_number, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		mark();
		mark();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void assert_child_has_its_own(void)
{
	assert_true(greet());
	assert_true(greet());
	assert_int_not_equal(sessions[0], sessions[1]);
	mark();
	assert_int_equal(take_all(0, 0, TSPROF_WHAT_MILESTONE), 2);
	assert_int_equal(take_all(1, 0, TSPROF_WHAT_MILESTONE), 2);
}

static void child__is_another_program(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	mark();
	pid = fork();
	if (pid == 0) {
		mark();
		mark();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_child_has_its_own();
}

/* The C library calls no handlers for it. */
static void child__of_a_bare_system_call_is_another_program(void **state)
{
	(void)state;
	mark();
	in_child(SYS_clone);
	assert_child_has_its_own();
}

static volatile sig_atomic_t n_handled;

static void mark_in_handler(int unused)
{
	(void)unused;
	TSPROF_SCOPE("handler");
	n_handled++;
}

/* Where a handler comes in between does not matter: every record is whole, or counted as lost. */
static void handlers__spoil_no_marks(void **state)
{
	const struct itimerval fast = { { 0, 20 }, { 0, 20 } };
	const struct itimerval off = { { 0, 0 }, { 0, 0 } };
	const struct sigaction action = { .sa_handler = mark_in_handler };
	struct sigaction before;
	struct marks_record record;
	struct marks_ring ring;
	uint64_t n_marks = 0;
	uint64_t n_taken = 0;
	uint64_t last = 0;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	mark();
	assert_true(greet());
	assert_int_equal(setitimer(ITIMER_REAL, &fast, NULL), 0);
	for (; n_handled < 2000; n_marks += 1000) {
		for (int i = 0; i < 500; i++) {
			mark();
			TSPROF_COUNTER("counter", i);
		}
		ring = ring_of(0, 0);
		while (marks_ring_next(&ring, &record, payload) == MARKS_RING_RECORD) {
			assert_true(record.time > last);
			last = record.time;
			assert_in_range(record.site, 1, MARKS_MAX_SITES);
			assert_in_range(record.what, TSPROF_WHAT_MILESTONE, TSPROF_WHAT_COUNTER);
			n_taken++;
		}
		assert_int_equal(ring.tail, ring.head);
		marks_ring_publish(&ring);
	}
	assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	ring = ring_of(0, 0);
	while (marks_ring_next(&ring, &record, payload) == MARKS_RING_RECORD)
		n_taken++;
	assert_int_equal(n_taken + marks_ring_n_lost(&ring), 1 + n_marks + 2 * (uint64_t)n_handled);
}

static void command__sends_a_milestone(void **state)
{
	struct {
		struct marks_hello hello;
		char text[TSPROF_NAME_MAX_BYTES + TSPROF_TEXT_MAX_BYTES];
	} message;
	char name[TSPROF_NAME_MAX_BYTES + 2];
	int peer;

	(void)state;
	assert_int_equal(setenv(MARKS_ENVIRONMENT, text, 1), 0);
	assert_int_equal(mark_send("built", "rows=3", NULL), 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(peer >= 0);
	assert_int_equal(recv(peer, &message, sizeof(message), 0),
			 sizeof(message.hello) + strlen("builtrows=3"));
	assert_int_equal(close(peer), 0);
	assert_int_equal(message.hello.magic, MARKS_WIRE_MAGIC);
	assert_int_equal(message.hello.version, MARKS_WIRE_VERSION);
	assert_int_equal(message.hello.kind, MARKS_HELLO_MILESTONE);
	assert_int_equal(message.hello.token[MARKS_TOKEN_BYTES - 1], 0xff);
	assert_in_range(marks_monotonic_ns() - message.hello.time_ns, 0, 60000000000);
	assert_int_equal(message.hello.name_bytes, 5);
	assert_int_equal(message.hello.data_bytes, 6);
	assert_memory_equal(message.text, "builtrows=3", 11);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(mark_send(name, "", NULL), -E2BIG);
	assert_int_equal(mark_send(name + 1, "", NULL), 0);
	assert_int_equal(close(listener), 0);
	listener = -1;
	assert_int_equal(mark_send("built", "", NULL), -ECONNREFUSED);
	assert_int_equal(unsetenv(MARKS_ENVIRONMENT), 0);
	assert_int_equal(mark_send("built", "", NULL), -ENOENT);
}

static void address__is_taken_apart_with_care(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"::",
		"name",
		"name:",
		"name:" TOKEN,
		"name:" TOKEN ":",
		"name:" TOKEN ":1048576",
		"name:" TOKEN ":x:/p",
		"name:" TOKEN ":-1048576:/p",
		"name:" TOKEN ":1048577:/p",
		"name:" TOKEN ":1024:/p",
		"name:" TOKEN ":99999999999999999999999:/p",
		"name:0" TOKEN ":1048576:/p",
		"name:" TOKEN "0:1048576:/p",
		"name:00010203040506070809:1048576:/p",
		"name:000102030405060708090a0b0c0d0eFF:1048576:/p",
		":" TOKEN ":1048576:/p",
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn:" TOKEN ":1048576:/p",
	};

	(void)state;
	marks_stop();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(marks_open(bad[i]));
	assert_false(tsprof_link_.is_on);
	assert_true(marks_open("name:" TOKEN ":1048576:/p"));
	assert_true(tsprof_link_.is_on);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(program__connects_at_its_first_mark),
		CASE(program__gives_up_when_nobody_is_there),
		CASE(program__stops_when_the_recorder_says_so),
		CASE(program__stops_when_the_recorder_was_killed),
		CASE(threads__beyond_the_first_segment_get_another),
		CASE(threads__of_which_there_are_many_share_little_memory),
		CASE(child__is_another_program),
		CASE(child__of_a_bare_system_call_is_another_program),
		CASE(handlers__spoil_no_marks),
		CASE(command__sends_a_milestone),
		CASE(address__is_taken_apart_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
