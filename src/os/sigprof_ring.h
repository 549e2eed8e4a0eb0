#ifndef TSPROF_OS_SIGPROF_RING_H
#define TSPROF_OS_SIGPROF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lib/sigprof_records_wire.h"

/*
 * The recorder's end of the memory that a sampled process shares with it (see
 * lib/sigprof_wire.h).  The process can write anything there at any moment, so
 * records are copied out before they are looked at, sizes are checked against
 * what can be, and what a ring promises only decides what is lost.
 */
struct sigprof_memory {
	uint8_t *bytes; /* NULL when not mapped */
	size_t size_bytes;
	uint32_t n_slots;
	uint64_t ring_bytes;
};

/* Room for the largest record. */
enum { SIGPROF_RECORD_MAX_BYTES = 514 << 10 };

/*
 * Map the memfd of `hello`, whose sizes are checked here.  It must be sealed
 * against shrinking.  `fd` stays the caller's.
 */
int sigprof_memory_map(struct sigprof_memory *memory, int fd, const struct sigprof_hello *hello,
		       struct error *err);
void sigprof_memory_unmap(struct sigprof_memory *memory);

/* What the whole process has to say, and is told. */
void sigprof_memory_stop(struct sigprof_memory *memory);
uint32_t sigprof_memory_n_not_sampled(const struct sigprof_memory *memory);

struct sigprof_ring {
	struct sigprof_slot *slot;
	uint8_t *data;
	uint64_t data_bytes;
	uint64_t ready_bytes; /* of them, whose pages are there */
	uint64_t head;	      /* as of the last refresh */
	uint64_t tail;
};

void sigprof_ring_init(struct sigprof_ring *ring, const struct sigprof_memory *memory, uint32_t i);

/* See what has been written until now, and have pages there for as much again if that is much. */
void sigprof_ring_refresh(struct sigprof_ring *ring);

enum sigprof_ring_state {
	SIGPROF_RING_EMPTY,
	SIGPROF_RING_RECORD,
	SIGPROF_RING_BAD, /* nothing to be made of it: emptied up to its head */
};

/* The next record's header. */
enum sigprof_ring_state sigprof_ring_peek(struct sigprof_ring *ring, struct sigprof_header *header);

/*
 * Copy the record of the `header` that was just peeked, and give its room back.
 * `to` has SIGPROF_RECORD_MAX_BYTES and begins with `header` afterwards, whatever
 * the memory says by then.
 */
void sigprof_ring_take(struct sigprof_ring *ring, const struct sigprof_header *header, void *to);

/* True when its thread has ended and everything is taken; the slot is free again then. */
bool sigprof_ring_recycle(struct sigprof_ring *ring);

#endif
