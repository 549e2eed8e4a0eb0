/*
 * Who connects is believed when it knows the token; which process it is, the
 * kernel says.  There is no answer: the target has closed its end already.
 */
#include "os/sigprof_sessions.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "os/proc_tasks.h"

enum {
	MAX_MEMORIES = 512,
	MAX_SESSIONS = 100000,
};

#define NO_THREAD UINT32_C(0x80000000)

struct tid_search {
	uint32_t pid;
	uint32_t inner_tid;
	uint32_t tid;
};

/* "NSpid:" lists a thread's numbers, its own pid namespace's last. */
static int compare_tid(void *context, uint32_t tid)
{
	struct tid_search *search = context;
	uint32_t inner_tid;

	if (proc_tasks_read_inner_tid(&inner_tid, search->pid, tid) == 0 &&
	    inner_tid == search->inner_tid)
		search->tid = tid;
	return 0;
}

int sigprof_sessions_open(struct sigprof_sessions *sessions, struct error *err)
{
	*sessions = SIGPROF_SESSIONS_INIT;
	return hello_socket_open(&sessions->socket, err);
}

uint32_t sigprof_session_n_not_sampled(const struct sigprof_session *session)
{
	uint32_t n_threads = 0;

	for (size_t i = 0; i < session->n_memories; i++)
		n_threads += sigprof_memory_n_not_sampled(&session->memories[i].memory);
	return n_threads;
}

static void session_free(struct sigprof_session *session)
{
	for (size_t i = 0; i < session->n_memories; i++) {
		sigprof_memory_unmap(&session->memories[i].memory);
		free(session->memories[i].sources);
	}
	free(session->memories);
	address_space_release(&session->known);
	if (session->pid_fd >= 0)
		(void)close(session->pid_fd);
	free(session);
}

void sigprof_sessions_close(struct sigprof_sessions *sessions)
{
	while (sessions->first)
		sigprof_sessions_remove(sessions, sessions->first);
	hello_socket_close(&sessions->socket);
	*sessions = SIGPROF_SESSIONS_INIT;
}

void sigprof_sessions_remove(struct sigprof_sessions *sessions, struct sigprof_session *session)
{
	struct sigprof_session **at = &sessions->first;

	while (*at && *at != session)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = session->next;
	sessions->n_sessions--;
	sessions->n_threads_gone += sigprof_session_n_not_sampled(session);
	session_free(session);
}

struct sigprof_session *sigprof_sessions_find(const struct sigprof_sessions *sessions, uint64_t id)
{
	for (struct sigprof_session *session = sessions->first; session; session = session->next)
		if (session->id == id)
			return session;
	return NULL;
}

/* A new program in a process ends the one before. */
static void supersede(struct sigprof_sessions *sessions, uint32_t pid)
{
	for (struct sigprof_session *session = sessions->first; session; session = session->next)
		if (session->pid == pid)
			session->is_over = true;
}

static struct sigprof_session *session_new(struct sigprof_sessions *sessions,
					   const struct sigprof_hello *hello, uint32_t pid)
{
	struct epoll_event interest = { .events = EPOLLIN };
	const struct sigprof_session *parent;
	struct sigprof_session *session;

	if (sessions->n_sessions >= MAX_SESSIONS)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->id = hello->session;
	session->pid = pid;
	session->inner_pid = hello->pid;
	session->pid_fd = (int)syscall(SYS_pidfd_open, (long)pid, 0L);
	if (session->pid_fd < 0 ||
	    epoll_ctl(sessions->socket.epoll_fd, EPOLL_CTL_ADD, session->pid_fd, &interest) < 0)
		session->is_over = session->has_ended = true;
	supersede(sessions, pid);
	if (hello->kind == SIGPROF_HELLO_FORK) {
		parent = sigprof_sessions_find(sessions, hello->parent_session);
		session->parent_pid = parent ? parent->pid : 0;
		session->parent_id = hello->parent_session;
	}
	/* At the end of the list, so that parents come before their children. */
	for (struct sigprof_session **at = &sessions->first;; at = &(*at)->next) {
		if (!*at) {
			*at = session;
			break;
		}
	}
	sessions->n_sessions++;
	sessions->n_seen++;
	return session;
}

static int add_memory(struct sigprof_session *session, const struct sigprof_hello *hello, int fd)
{
	struct sigprof_session_memory *grown;
	struct sigprof_session_memory *added;
	int r;

	if (session->n_memories >= MAX_MEMORIES)
		return -ENOSPC;
	grown = array_grown(session->memories, &session->capacity, session->n_memories + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	session->memories = grown;
	added = &grown[session->n_memories];
	*added = (struct sigprof_session_memory){ 0 };
	r = sigprof_memory_map(&added->memory, fd, hello, NULL);
	if (r < 0)
		return r;
	added->sources = calloc(hello->n_slots, sizeof(*added->sources));
	if (!added->sources) {
		sigprof_memory_unmap(&added->memory);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < hello->n_slots; i++) {
		sigprof_ring_init(&added->sources[i].ring, &added->memory, i);
		added->sources[i].session = session;
	}
	session->n_memories++;
	return 0;
}

static bool is_welcome(const struct sigprof_sessions *sessions, const struct sigprof_hello *hello)
{
	return hello->magic == SIGPROF_WIRE_MAGIC && hello->version == SIGPROF_WIRE_VERSION &&
	       memcmp(hello->token, sessions->socket.token, sizeof(hello->token)) == 0 &&
	       hello->kind >= SIGPROF_HELLO_EXEC && hello->kind <= SIGPROF_HELLO_MORE;
}

/* Of hello_socket_update: the hello of a process, or of memory for more of its threads. */
static bool greet(void *context, const struct hello_message *message)
{
	struct sigprof_sessions *sessions = context;
	struct sigprof_session *session;
	struct sigprof_hello hello;

	if (message->is_cut || message->size_bytes != sizeof(hello) || message->fd < 0)
		return false;
	memcpy(&hello, message->bytes, sizeof(hello));
	if (!is_welcome(sessions, &hello))
		return false;
	session = sigprof_sessions_find(sessions, hello.session);
	if (session && session->pid != message->pid)
		session = NULL;
	else if (!session)
		session = session_new(sessions, &hello, message->pid);
	if (!session || add_memory(session, &hello, message->fd) < 0)
		return false;
	if (sessions->is_stopped)
		sigprof_memory_stop(&session->memories[session->n_memories - 1].memory);
	return true;
}

static void see_who_ended(struct sigprof_sessions *sessions)
{
	for (struct sigprof_session *session = sessions->first; session; session = session->next) {
		struct pollfd ended = { .fd = session->pid_fd, .events = POLLIN };

		if (session->pid_fd < 0 || poll(&ended, 1, 0) <= 0)
			continue;
		session->is_over = session->has_ended = true;
		(void)close(session->pid_fd);
		session->pid_fd = -1;
	}
}

void sigprof_sessions_update(struct sigprof_sessions *sessions)
{
	struct sigprof_hello hello;

	hello_socket_update(&sessions->socket, &hello, sizeof(hello), greet, sessions);
	see_who_ended(sessions);
}

void sigprof_sessions_stop(struct sigprof_sessions *sessions)
{
	sessions->is_stopped = true;
	for (struct sigprof_session *session = sessions->first; session; session = session->next)
		for (size_t i = 0; i < session->n_memories; i++)
			sigprof_memory_stop(&session->memories[i].memory);
}

uint32_t sigprof_session_tid(const struct sigprof_session *session, uint32_t inner_tid)
{
	struct tid_search search = { .pid = session->pid, .inner_tid = inner_tid };

	if (session->pid == session->inner_pid)
		return inner_tid;
	if (inner_tid == session->inner_pid)
		return session->pid;
	(void)proc_tasks_visit_threads(session->pid, compare_tid, &search);
	return search.tid ? search.tid : NO_THREAD | (session->pid << 12 ^ inner_tid);
}
