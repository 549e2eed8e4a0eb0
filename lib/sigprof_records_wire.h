#ifndef TSPROF_LIB_SIGPROF_RECORDS_WIRE_H
#define TSPROF_LIB_SIGPROF_RECORDS_WIRE_H

#include <assert.h>
#include <stdint.h>

#include "lib/sigprof_wire.h"

/* The records in the rings of lib/sigprof_wire.h. */

enum sigprof_record_kind {
	SIGPROF_RECORD_SKIP = 1,
	SIGPROF_RECORD_START = 2, /* of a thread; flags tell why */
	SIGPROF_RECORD_END = 3,	  /* of a thread */
	SIGPROF_RECORD_SAMPLE = 4,
	SIGPROF_RECORD_MAP = 5,
	SIGPROF_RECORD_COMM = 6,
	SIGPROF_RECORD_MAPS_CHANGED = 7, /* the recorder has to look itself */
	SIGPROF_RECORD_WAIT = 8,	 /* at its end */
};

/* Every record begins with it; sizes are multiples of 16, headers included. */
struct sigprof_header {
	uint32_t size_bytes;
	uint16_t kind;
	uint16_t flags;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};
static_assert(sizeof(struct sigprof_header) == 16, "wire layout");

struct sigprof_thread {
	struct sigprof_header header; /* flags: START's hello kind, 0 for a thread */
	uint64_t cpu_ns;	      /* of the thread so far */
	uint32_t tid;
	uint32_t parent_tid; /* START of a thread */
	uint32_t trigger;    /* START: enum sigprof_trigger */
	uint32_t padding;
	char comm[SIGPROF_COMM_BYTES];
};
static_assert(sizeof(struct sigprof_thread) == 56, "wire layout");

enum { SIGPROF_SAMPLE_OTHER_STACK = 1 }; /* flag: not on the thread's own stack */

/* What was copied of a stack. */
struct sigprof_stack {
	uint32_t size_bytes; /* from the stack pointer on */
	uint32_t asked_bytes;
	uint64_t top; /* where another piece begins: the outermost end of the thread's own stack */
	uint32_t top_bytes; /* 0: there is none */
	uint32_t padding;
};
static_assert(sizeof(struct sigprof_stack) == 24, "wire layout");

/* Followed by n_registers words, DWARF's numbering, and the stack's pieces rounded up to 8. */
struct sigprof_sample {
	struct sigprof_header header;
	uint64_t cpu_ns;    /* of the thread so far */
	uint64_t waited_ns; /* the same, of waiting that was measured */
	uint32_t cpu;
	uint32_t n_registers;
	struct sigprof_stack stack;
};
static_assert(sizeof(struct sigprof_sample) == 64, "wire layout");

/* Followed by registers and stack as a sample: where the thread waited. */
struct sigprof_wait {
	struct sigprof_header header;
	uint64_t waited_ns; /* of the thread so far */
	uint64_t untold_ns; /* this wait and shorter ones before it that were not told */
	uint32_t sequence;  /* of the slot, while it lasted */
	uint32_t reason;    /* enum sigprof_wait_reason, not DESCRIPTOR */
	uint32_t n_registers;
	uint32_t padding;
	struct sigprof_stack stack;
};
static_assert(sizeof(struct sigprof_wait) == 72, "wire layout");

/* Followed by the path, ended by NUL. */
struct sigprof_map {
	struct sigprof_header header;
	uint64_t start;
	uint64_t length_bytes;
	uint64_t file_offset;
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
};
static_assert(sizeof(struct sigprof_map) == 56, "wire layout");

#endif
