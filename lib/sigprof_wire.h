#ifndef TSPROF_LIB_SIGPROF_WIRE_H
#define TSPROF_LIB_SIGPROF_WIRE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * What the preloaded library and the recorder say to each other.
 *
 * Each process connects to an abstract socket, sends a `struct sigprof_hello`
 * with a sealed memfd, closes both and never waits for an answer.  The memfd is
 * a *segment*: one page with `struct sigprof_segment`, n_slots of `struct
 * sigprof_slot`, each for one thread at a time, and as many rings, page-aligned.
 *
 * A ring holds records of one thread, written by that thread alone, and read by
 * the recorder alone.  `head` and `tail` count bytes for ever; the offset is
 * their remainder by ring_bytes, a power of two.  A record does not wrap: SKIP
 * fills up to the end.  An empty ring is begun anew with one, so that only as
 * much memory is touched as there is backlog.
 * The recorder takes everything in here to be hostile.
 */
enum {
	SIGPROF_WIRE_MAGIC = 0x46505354, /* "TSPF" */
	SIGPROF_WIRE_VERSION = 3,
	SIGPROF_PAGE_BYTES = 4096,
	SIGPROF_TOKEN_BYTES = 16,
	SIGPROF_COMM_BYTES = 16,
	SIGPROF_MAX_SLOTS = 256,
	SIGPROF_RING_MIN_BYTES = 256 << 10,
	SIGPROF_RING_MAX_BYTES = 64 << 20,
	SIGPROF_STACK_MAX_BYTES = 65528,
	/* Where so much was asked for: of a stack whose end is known, and of the end of others. */
	SIGPROF_STACK_MOST_BYTES = 512 << 10,
	SIGPROF_STACK_TOP_BYTES = 60 << 10,
	SIGPROF_PATH_MAX_BYTES = 4096,
};

/*
 * NAME of the socket:TOKEN in hexadecimal:PERIOD_NS:STACK_BYTES:RING_BYTES:
 * 1 to tell of waiting, else 0:TRIGGERS to try
 */
#define SIGPROF_ENVIRONMENT "TSPROF_SIGPROF"

enum sigprof_trigger {
	SIGPROF_TRIGGER_TRAP = 's',	 /* task-clock, kernel included, on the way back from it */
	SIGPROF_TRIGGER_PERF = 'p',	 /* the same by a signal, which interrupts system calls */
	SIGPROF_TRIGGER_PERF_USER = 'u', /* task-clock, ticks in the kernel are dropped */
	SIGPROF_TRIGGER_TIMER = 't',	 /* a timer on the thread's CPU clock */
	SIGPROF_TRIGGER_NONE = '-',
};

enum sigprof_hello_kind {
	SIGPROF_HELLO_EXEC = 1, /* a new program */
	SIGPROF_HELLO_FORK = 2, /* a child of the program of parent_session */
	SIGPROF_HELLO_MORE = 3, /* slots for the same program */
};

struct sigprof_hello {
	uint32_t magic;
	uint32_t version;
	uint8_t token[SIGPROF_TOKEN_BYTES];
	uint64_t session;	 /* of this process image, chosen at random */
	uint64_t parent_session; /* FORK: of the process that forked */
	uint64_t time_ns;
	uint64_t ring_bytes;
	uint32_t kind;
	uint32_t n_slots;
	uint32_t pid; /* as the target sees it */
	uint32_t padding;
};
static_assert(sizeof(struct sigprof_hello) == 72, "wire layout");

struct sigprof_segment {
	uint32_t magic;
	uint32_t n_slots;
	uint64_t ring_bytes;
	_Atomic uint32_t is_stopped; /* by the recorder: sample no more; relaxed */
	_Atomic uint32_t n_threads_without_slot;
	_Atomic uint32_t n_threads_without_trigger;
	uint32_t padding;
};
static_assert(sizeof(struct sigprof_segment) == 32, "wire layout");

enum sigprof_slot_state {
	SIGPROF_SLOT_FREE = 0,	/* released by the recorder, pairs with the claim's acquire */
	SIGPROF_SLOT_USED = 1,	/* target */
	SIGPROF_SLOT_ENDED = 2, /* target → recorder: no more will come */
};

/* Registers of a sample, in DWARF's numbering. */
#if defined(__x86_64__)
enum { SIGPROF_N_REGISTERS = 17 };
#else
enum { SIGPROF_N_REGISTERS = 33 };
#endif

enum sigprof_wait_reason {
	SIGPROF_WAIT_OTHER = 0,
	SIGPROF_WAIT_SLEEP = 1,
	SIGPROF_WAIT_LOCK = 2,
	SIGPROF_WAIT_POLL = 3,
	SIGPROF_WAIT_CHILD = 4,
	SIGPROF_WAIT_SIGNAL = 5,
	SIGPROF_WAIT_DISK = 6,
	SIGPROF_WAIT_PIPE = 7,
	SIGPROF_WAIT_SOCKET = 8,
	SIGPROF_WAIT_TERMINAL = 9,
	SIGPROF_WAIT_DESCRIPTOR = 10, /* what `fd` is says which of those */
};

/* What a thread waits for now, and where: while `sequence` is odd and stays the same. */
struct sigprof_slot_wait {
	_Atomic uint32_t sequence; /* released when odd, pairs with the recorder's acquire */
	uint32_t reason;	   /* enum sigprof_wait_reason */
	int32_t fd;
	uint32_t padding;
	uint64_t start_ns;
	uint64_t registers[33]; /* SIGPROF_N_REGISTERS of them */
};

struct sigprof_slot {
	_Atomic uint64_t head; /* written with release by the target, pairs with the reader */
	_Atomic uint32_t state;
	_Atomic uint32_t n_lost;	/* samples that found the ring full; relaxed */
	_Atomic uint32_t n_lost_events; /* other records that did; relaxed */
	uint32_t padding[11];
	_Atomic uint64_t tail; /* written with release by the recorder, pairs with the writer */
	uint64_t padding_of_reader[7];
	struct sigprof_slot_wait wait;
	uint64_t padding_of_wait[12];
};
static_assert(sizeof(struct sigprof_slot) == 512, "wire layout");

#endif
