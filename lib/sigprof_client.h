#ifndef TSPROF_LIB_SIGPROF_CLIENT_H
#define TSPROF_LIB_SIGPROF_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sigprof_records_wire.h"

/*
 * The sampled process's side of the engine.  Everything here runs inside
 * somebody else's program: nothing allocates, prints, takes a lock of the
 * program's or leaves a descriptor open, and errno is kept.  "In the handler"
 * marks what a signal handler may call.
 */

/*
 * The signal of a tick.  A classic one, because those coalesce instead of
 * running into RLIMIT_SIGPENDING (perf then sends SIGIO, which kills).  Not
 * SIGPROF, which belongs to the program: this one has no other use.
 */
enum { CLIENT_SIGNAL = SIGSTKFLT };

/* In siginfo of the kernel's own SIGTRAP for a perf event; not in the C library before 2.37. */
enum { CLIENT_TRAP_PERF = 6 };

/* What may still be done in this process. */
enum client_mode {
	CLIENT_RUNS,
	CLIENT_MAKES_NO_CALLS, /* a seccomp filter may kill for a system call */
	CLIENT_IS_OFF,	       /* our memory is gone */
};

/* From the environment; does not change. */
struct client_options {
	char socket_name[64];
	uint8_t token[SIGPROF_TOKEN_BYTES];
	uint64_t period_ns;
	uint64_t stack_bytes;
	uint64_t ring_bytes;
	bool with_waits;
	char triggers[8];
};

struct thread_trigger {
	enum sigprof_trigger kind;
	void *event_page;      /* keeps the event alive without a descriptor; NULL: see event_fd */
	int event_fd;	       /* where no page could be mapped, else -1 */
	uint64_t start_cpu_ns; /* of the thread */
	uint64_t event_id;
	int timer_id;
};

/* The calling thread; all zero while it is not sampled. */
struct client_thread {
	struct sigprof_segment *segment;
	struct sigprof_slot *slot;
	uint8_t *ring;
	uint64_t ring_bytes;
	uint64_t head;	      /* the slot's, which the recorder could have changed */
	uint64_t large_bytes; /* of a record; the largest of late, or a little less */
	uint64_t stack_low;
	uint64_t stack_high;
	uint32_t tid;
	uint32_t pid;
	uint64_t cpu_ns;	       /* as of the last sample */
	volatile sig_atomic_t is_busy; /* the ring is being written outside the handler */
	uint64_t wait_sp;	       /* of the call that it waits in; 0: none */
	uint64_t wait_start_ns;
	uint64_t waited_ns;
	uint64_t untold_wait_ns;
	struct thread_trigger trigger;
};

extern _Thread_local struct client_thread client_thread
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* NULL when this process is not to be sampled. */
const struct client_options *client_options(void);

/* Connect unless done; the calling thread becomes the first one that is sampled. */
void client_start(void);

/* Begin and end sampling the calling thread. */
void client_thread_start(uint32_t parent_tid);
void client_thread_end(void);

/* Modes only get worse.  Asking can be done in the handler. */
enum client_mode client_mode(void);
void client_set_mode(enum client_mode mode);

/*
 * Is the thread's slot still there?  A program that unmaps what it does not know
 * must not crash for it.  Makes a system call; munmap tells the handler.
 */
bool client_memory_is_there(const struct client_thread *thread);

/* Is the caller the thread that its TLS says, not a child of vfork or a bare clone? */
bool client_thread_is_own(void);

/* Tell what is mapped executable now; a thread's new name. */
void client_maps_send(void);
void client_comm_send(uint32_t tid, const char *comm);

/*
 * A free slot, out of a new segment when there is none; false when there is no
 * recorder.  client_slots_forget lets go of a parent's after fork.
 */
bool client_slot_claim(struct client_thread *thread, enum sigprof_hello_kind kind);
void client_slots_forget(void);

/* Is some of our memory in this range? */
bool client_slots_are_in(const void *start, size_t size_bytes);

/* Start and stop the ticks of the calling thread.  Stopping can be done in the handler. */
void thread_trigger_start(struct thread_trigger *trigger, const struct client_options *options);
void thread_trigger_stop(struct thread_trigger *trigger);

/* In the handler: the CPU time as of this tick; false when the trigger does not know it. */
bool thread_trigger_cpu_ns(const struct thread_trigger *trigger, uint64_t *ret_cpu_ns);

/* SIGTRAP comes from now on; it is shared with the program. */
void client_trap_install(void);

/* What fork left of the parent's. */
void thread_trigger_forget(struct thread_trigger *trigger);

/* In the handler: room for a record that will become visible with commit; NULL when full. */
void *ring_reserve(struct client_thread *thread, uint32_t size_bytes);
/* Whether half of it is free with that much more: whatever is taken then, ticks to come fit. */
bool ring_is_half_free(const struct client_thread *thread, uint64_t size_bytes);
void ring_commit(struct client_thread *thread, uint32_t size_bytes);

/* Write a whole record outside the handler. */
void ring_write(struct sigprof_header *header, const void *tail, uint32_t tail_bytes);

/* In the handler. */
uint64_t client_time_ns(void);
uint64_t client_cpu_ns(void);
void copy_words(void *to, const void *from, size_t size_bytes);
void client_handle_tick(void *context);

#endif
