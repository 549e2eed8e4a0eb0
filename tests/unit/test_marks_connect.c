/* How a program that marks reaches the recorder, which the test plays. */
#include "unit.h"

#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include "fake_recorder.h"
#include "lib/marks_client.h"
#include "os/mark_sender.h"
#include "os/marks_memory.h"
#include "tsprof.h"

static char payload[MARKS_PAYLOAD_MAX_BYTES];

static void mark(void)
{
	TSPROF_MILESTONE("mark");
}

static void program__connects_at_its_first_mark(void **state)
{
	(void)state;
	assert_true(tsprof_link_.is_on);
	assert_false(fake_recorder_greet());
	errno = ENOTTY;
	mark();
	assert_int_equal(errno, ENOTTY);
	assert_true(fake_recorder_greet());
	assert_int_equal(recorder.memories[0].ring_bytes, FAKE_RECORDER_RING_BYTES);
	mark();
	assert_false(fake_recorder_greet());
	assert_int_equal(fake_recorder_take(0, 0, TSPROF_WHAT_MILESTONE), 2);
}

static void program__gives_up_when_nobody_is_there(void **state)
{
	(void)state;
	assert_int_equal(close(recorder.listener), 0);
	recorder.listener = -1;
	mark();
	assert_false(tsprof_link_.is_on);
	mark();
}

static void program__stops_when_the_recorder_says_so(void **state)
{
	(void)state;
	mark();
	assert_true(fake_recorder_greet());
	marks_memory_stop(&recorder.memories[0]);
	for (int i = 0; i < 2000 && tsprof_link_.is_on; i++)
		mark();
	assert_false(tsprof_link_.is_on);
}

static void program__stops_when_the_recorder_was_killed(void **state)
{
	(void)state;
	mark();
	assert_true(fake_recorder_greet());
	for (int i = 0; i < 2 * FAKE_RECORDER_RING_BYTES / 16; i++)
		mark();
	assert_true(tsprof_link_.is_on);
	assert_int_equal(close(recorder.listener), 0);
	recorder.listener = -1;
	for (int i = 0; i < 200000 && tsprof_link_.is_on; i++)
		mark();
	assert_false(tsprof_link_.is_on);
}

static uint64_t memory_bytes(size_t memory)
{
	struct stat status;

	assert_int_equal(fstat(recorder.memory_fds[memory], &status), 0);
	return (uint64_t)status.st_blocks * 512;
}

/* As in a program that begins to record itself after its recorder was killed. */
static void program__begins_anew_with_another_recorder(void **state)
{
	(void)state;
	for (int i = 0; i < FAKE_RECORDER_RING_BYTES / 16; i++)
		mark();
	assert_true(fake_recorder_greet());
	assert_true(memory_bytes(0) > FAKE_RECORDER_RING_BYTES / 2);
	assert_true(marks_open(recorder.text));
	mark();
	assert_true(fake_recorder_greet());
	assert_int_equal(fake_recorder_take(1, 0, TSPROF_WHAT_MILESTONE), 1);
	assert_true(memory_bytes(0) < FAKE_RECORDER_RING_BYTES / 2);
}

static void program__gives_memory_back_when_it_was_read(void **state)
{
	(void)state;
	for (int i = 0; i < FAKE_RECORDER_RING_BYTES / 16; i++)
		mark();
	assert_true(fake_recorder_greet());
	/* The recorder may still read what there was when it said that it wants no more. */
	marks_stop();
	assert_true(memory_bytes(0) > FAKE_RECORDER_RING_BYTES / 2);
	marks_stop_for_good();
	assert_true(memory_bytes(0) < FAKE_RECORDER_RING_BYTES / 2);
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
	assert_true(fake_recorder_greet());
	assert_true(fake_recorder_greet());
	assert_int_not_equal(recorder.sessions[0], recorder.sessions[1]);
	mark();
	assert_int_equal(fake_recorder_take(0, 0, TSPROF_WHAT_MILESTONE), 2);
	assert_int_equal(fake_recorder_take(1, 0, TSPROF_WHAT_MILESTONE), 2);
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

/* Else they would be open for good, and all that follows inside them. */
static void ring__that_errors_have_filled_keeps_room_for_ends(void **state)
{
	TSPROF_SITE(deep, "deep");
	enum { N_DEEP = 200 };

	(void)state;
	for (int i = 0; i < N_DEEP; i++)
		tsprof_begin(&deep);
	for (int i = 0; i < FAKE_RECORDER_RING_BYTES / 16; i++)
		mark();
	for (int i = 0; i < 5000; i++)
		tsprof_scope_error("error %d", i);
	for (int i = 0; i < N_DEEP; i++)
		tsprof_end(&deep);
	assert_true(fake_recorder_greet());
	assert_int_equal(fake_recorder_take(0, 0, TSPROF_WHAT_END), N_DEEP);
}

static void *guarded;
static volatile sig_atomic_t child_of_handler;

static void clone_in_handler(int unused)
{
	(void)unused;
	(void)mprotect(guarded, MARKS_PAGE_BYTES, PROT_READ);
	child_of_handler = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child_of_handler == 0) {
		mark();
		_exit(0);
	}
}

/* A snapshot of memory that cannot be read so far is interrupted in its middle. */
static void child__of_a_handler_that_interrupts_a_mark_may_mark(void **state)
{
	const struct sigaction action = { .sa_handler = clone_in_handler };
	struct sigaction before;
	int status = -1;

	(void)state;
	mark();
	guarded = mmap(NULL, MARKS_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(guarded != MAP_FAILED);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	TSPROF_SNAPSHOT("guarded", guarded, 100);
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	assert_int_equal(waitpid(child_of_handler, &status, 0), child_of_handler);
	assert_int_equal(status, 0);
	assert_true(fake_recorder_greet());
	assert_int_equal(fake_recorder_take(0, 0, TSPROF_WHAT_SNAPSHOT), 1);
	assert_int_equal(munmap(guarded, MARKS_PAGE_BYTES), 0);
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
	assert_true(fake_recorder_greet());
	assert_int_equal(setitimer(ITIMER_REAL, &fast, NULL), 0);
	for (; n_handled < 2000; n_marks += 1000) {
		for (int i = 0; i < 500; i++) {
			mark();
			TSPROF_COUNTER("counter", i);
		}
		ring = fake_recorder_ring(0, 0);
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
	ring = fake_recorder_ring(0, 0);
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
	assert_int_equal(setenv(MARKS_ENVIRONMENT, recorder.text, 1), 0);
	assert_int_equal(mark_send("built", "rows=3", NULL), 0);
	peer = accept4(recorder.listener, NULL, NULL, SOCK_CLOEXEC);
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
	assert_int_equal(close(recorder.listener), 0);
	recorder.listener = -1;
	assert_int_equal(mark_send("built", "", NULL), -ECONNREFUSED);
	assert_int_equal(unsetenv(MARKS_ENVIRONMENT), 0);
	assert_int_equal(mark_send("built", "", NULL), -ENOENT);
}

/* The library is newer than the program, or older; what is linked first says which it is. */
static void versions__may_differ(void **state)
{
	struct tsprof_link_ newer = { .abi_version = TSPROF_ABI_VERSION + 1 };
	struct tsprof_link_ none = { .abi_version = 0 };
	int n_bytes = 0;

	(void)state;
	assert_int_equal(tsprof_link_1(&newer), 0);
	assert_true(newer.is_on);
	assert_int_equal(newer.api->abi_version, TSPROF_ABI_VERSION);
	/* A program uses what is newer only when this says that it is there. */
	n_bytes = (int)newer.api->size_bytes;
	assert_true(n_bytes >= (int)offsetof(struct tsprof_api_, unlink));
	newer.api->unlink(&newer);
	newer.api->unlink(&newer);
	assert_false(newer.is_on);
	assert_int_equal(tsprof_link_1(&none), -1);
	assert_null(none.api);
	assert_int_equal(tsprof_link_1(NULL), -1);
}

static void address__is_taken_apart_with_care(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"::",
		"name",
		"name:",
		"name:" FAKE_RECORDER_TOKEN,
		"name:" FAKE_RECORDER_TOKEN ":",
		"name:" FAKE_RECORDER_TOKEN ":1048576",
		"name:" FAKE_RECORDER_TOKEN ":x:/p",
		"name:" FAKE_RECORDER_TOKEN ":-1048576:/p",
		"name:" FAKE_RECORDER_TOKEN ":1048577:/p",
		"name:" FAKE_RECORDER_TOKEN ":1024:/p",
		"name:" FAKE_RECORDER_TOKEN ":99999999999999999999999:/p",
		"name:0" FAKE_RECORDER_TOKEN ":1048576:/p",
		"name:" FAKE_RECORDER_TOKEN "0:1048576:/p",
		"name:00010203040506070809:1048576:/p",
		"name:000102030405060708090a0b0c0d0eFF:1048576:/p",
		":" FAKE_RECORDER_TOKEN ":1048576:/p",
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn:" FAKE_RECORDER_TOKEN ":1048576:/p",
	};

	(void)state;
	marks_stop();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(marks_open(bad[i]));
	assert_false(tsprof_link_.is_on);
	assert_true(marks_open("name:" FAKE_RECORDER_TOKEN ":1048576:/p"));
	assert_true(tsprof_link_.is_on);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_recorder_start, fake_recorder_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(program__connects_at_its_first_mark),
		CASE(program__gives_up_when_nobody_is_there),
		CASE(program__stops_when_the_recorder_says_so),
		CASE(program__stops_when_the_recorder_was_killed),
		CASE(program__begins_anew_with_another_recorder),
		CASE(program__gives_memory_back_when_it_was_read),
		CASE(child__is_another_program),
		CASE(child__of_a_bare_system_call_is_another_program),
		CASE(ring__that_errors_have_filled_keeps_room_for_ends),
		CASE(child__of_a_handler_that_interrupts_a_mark_may_mark),
		CASE(handlers__spoil_no_marks),
		CASE(command__sends_a_milestone),
		CASE(versions__may_differ),
		CASE(address__is_taken_apart_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
