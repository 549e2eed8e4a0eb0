#ifndef TSPROF_OS_SIGPROF_SESSIONS_H
#define TSPROF_OS_SIGPROF_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address_space.h"
#include "os/hello_socket.h"
#include "os/sigprof_ring.h"

/*
 * The programs that are being sampled from inside: who connected, the memory
 * they sent, and the rings in it.  A program that execs is another session of
 * the same process.
 */
struct sigprof_session;

/* One slot of a session's memory and the thread that has it now. */
struct sigprof_source {
	struct sigprof_ring ring;
	struct sigprof_session *session;
	struct sigprof_header next; /* of the ring's first record */
	uint64_t last_cpu_ns;	    /* of the thread, what was told before */
	uint32_t tid;		    /* 0 before its START */
	uint32_t inner_tid;	    /* as its own pid namespace has it */
	uint32_t n_lost;	    /* the slot's counters as of the last look */
	uint32_t n_lost_events;
	bool is_alive;
	enum sigprof_trigger trigger;
	uint64_t waited_ns;	/* of the thread, measured, as of its last sample */
	uint64_t accounted_ns;	/* until when it is known what it did */
	uint32_t wait_sequence; /* of a wait that was told of while it lasts; 0: none */
};

struct sigprof_session {
	struct sigprof_session *next;
	uint64_t id;
	uint64_t parent_id; /* 0: none */
	uint32_t pid;
	uint32_t inner_pid;
	uint32_t parent_pid; /* of the parent session; 0: not known */
	int pid_fd;	     /* readable when it has ended; -1: it has */
	bool is_over;	     /* it has ended or became another program */
	bool has_ended;
	struct address_space known; /* what is mapped, as far as it was told */
	uint64_t maps_read_ns;	    /* from /proc, last */
	uint64_t maps_wait_ns;	    /* until that is worth it again for a stack that was cut */
	struct sigprof_session_memory {
		struct sigprof_memory memory;
		struct sigprof_source *sources; /* n_slots */
	} * memories;
	size_t n_memories, capacity;
};

struct sigprof_sessions {
	struct hello_socket socket; /* its epoll_fd is readable when somebody connects or ends */
	struct sigprof_session *first;
	size_t n_sessions;
	size_t n_seen;		 /* programs that ever connected */
	uint32_t n_threads_gone; /* not sampled, of sessions that are gone */
	bool is_stopped;
};

#define SIGPROF_SESSIONS_INIT ((struct sigprof_sessions){ .socket = HELLO_SOCKET_INIT })

int sigprof_sessions_open(struct sigprof_sessions *sessions, struct error *err);
void sigprof_sessions_close(struct sigprof_sessions *sessions);

/* Take in who has connected and see who has ended; does not wait. */
void sigprof_sessions_update(struct sigprof_sessions *sessions);

/* Have all of them, and those to come, sample no more. */
void sigprof_sessions_stop(struct sigprof_sessions *sessions);

/* NULL when there is none, or it is over. */
struct sigprof_session *sigprof_sessions_find(const struct sigprof_sessions *sessions, uint64_t id);

/* Let go of one that is over. */
void sigprof_sessions_remove(struct sigprof_sessions *sessions, struct sigprof_session *session);

/* Threads without a slot or without a trigger, as the program says. */
uint32_t sigprof_session_n_not_sampled(const struct sigprof_session *session);

/*
 * The thread's number as the recorder's pid namespace has it.  One that cannot
 * be found any more gets a number that no thread has.
 */
uint32_t sigprof_session_tid(const struct sigprof_session *session, uint32_t inner_tid);

#endif
