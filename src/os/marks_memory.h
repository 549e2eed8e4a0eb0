#ifndef TSPROF_OS_MARKS_MEMORY_H
#define TSPROF_OS_MARKS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lib/marks_wire.h"

/*
 * The recorder's end of the memory that a marking program shares with it (see
 * lib/marks_wire.h).  The program can write anything there at any moment: every word is
 * read once, sizes are checked against what can be, and what a ring promises
 * only decides what is lost.
 */
struct marks_memory {
	uint8_t *bytes; /* NULL when not mapped */
	size_t size_bytes;
	uint32_t n_slots;
	uint64_t ring_bytes;
};

/*
 * Map the memfd of a program that says it has these sizes.  It must be sealed
 * against shrinking.  `fd` stays the caller's.
 */
int marks_memory_map(struct marks_memory *memory, int fd, uint32_t n_slots, uint64_t ring_bytes,
		     struct error *err);
void marks_memory_unmap(struct marks_memory *memory);

/* Have the program mark no more. */
void marks_memory_stop(struct marks_memory *memory);

/* What is said of the whole process. */
struct marks_status {
	bool has_counter;    /* times are of the processor's counter, else CLOCK_MONOTONIC */
	uint32_t n_sites;    /* claimed; there may be more than have entries */
	uint64_t n_homeless; /* marks of threads for which there was no slot */
};

struct marks_status marks_memory_status(const struct marks_memory *memory);

/* What an id means, texts ended; false when nothing is known of it. */
bool marks_memory_site(const struct marks_memory *memory, uint32_t id, struct marks_site *ret_site);

struct marks_ring {
	struct marks_slot *slot;
	const uint8_t *data;
	uint64_t data_bytes;
	uint64_t head; /* as of the last refresh */
	uint64_t base; /* … too */
	uint64_t tail;
};

/* A record, taken out of the ring. */
struct marks_record {
	uint64_t time;
	uint32_t site; /* as written: ask marks_memory_site */
	uint32_t what; /* enum tsprof_what, or anything else */
	bool is_cut;   /* the program had more than fits */
	uint32_t payload_bytes;
};

/* Room for the largest payload. */
enum { MARKS_PAYLOAD_MAX_BYTES = TSPROF_SNAPSHOT_MAX_BYTES };

enum marks_ring_state {
	MARKS_RING_EMPTY,
	MARKS_RING_RECORD,
	MARKS_RING_BAD, /* nothing to be made of it: emptied up to its head */
};

void marks_ring_init(struct marks_ring *ring, const struct marks_memory *memory, uint32_t i);

/* See what has been written until now. */
void marks_ring_refresh(struct marks_ring *ring);

/* The next one's time without taking it; UINT64_MAX when there is none. */
uint64_t marks_ring_time(struct marks_ring *ring);

/* Take the next record; `payload` has MARKS_PAYLOAD_MAX_BYTES. */
enum marks_ring_state marks_ring_next(struct marks_ring *ring, struct marks_record *record,
				      void *payload);

/*
 * What comes next, as far as it lies together: so many units of a record's size,
 * each of them a record as long as those before had no payload.  The program can still
 * change them: read each one once.  They stay there until they are taken.
 */
const struct tsprof_record_ *marks_ring_records(const struct marks_ring *ring, size_t *ret_n);
void marks_ring_take(struct marks_ring *ring, size_t n_records);

static inline struct tsprof_record_ marks_record_read(const struct tsprof_record_ *record)
{
	return (struct tsprof_record_){
		.time = __atomic_load_n(&record->time, __ATOMIC_RELAXED),
		.site = __atomic_load_n(&record->site, __ATOMIC_RELAXED),
		.what = __atomic_load_n(&record->what, __ATOMIC_RELAXED),
	};
}

/* Give the room of what was taken back to the program. */
void marks_ring_publish(struct marks_ring *ring);

/* The thread that writes, as the program numbers it, and what it had no room for. */
uint32_t marks_ring_tid(const struct marks_ring *ring);
uint64_t marks_ring_n_lost(const struct marks_ring *ring);

/* Has nobody claimed it?  Threads take the first one that is free. */
bool marks_ring_is_free(const struct marks_ring *ring);

/* True when its thread has ended and everything is taken; the slot is free again then. */
bool marks_ring_recycle(struct marks_ring *ring);

#endif
