#ifndef TSPROF_LIB_MARKS_WIRE_H
#define TSPROF_LIB_MARKS_WIRE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#include "lib/marks_hello_wire.h"
#include "tsprof.h"

/*
 * What a program that marks and the recorder share:
 *
 *	struct marks_segment                    one page
 *	struct marks_site   × MARKS_MAX_SITES   what ids mean, the same in all of a program
 *	struct marks_slot   × n_slots           one for each thread at a time
 *	ring of ring_bytes  × n_slots           page-aligned
 *
 * A program with many threads has several of them, told apart from another
 * program's of the same pid (before an exec; a second copy of the library) by the hello's
 * `session`.
 *
 * A ring holds records of one thread, each a struct tsprof_record_ and its
 * payload, rounded up to 16 bytes; none wraps.  `head` and `tail` count bytes for ever; the
 * offset is what they are past `base`, modulo ring_bytes, a power of two.  The program moves
 * `base` to `head` only when it finds the ring empty, before it publishes the next head.
 *
 * The recorder takes everything in here to be hostile.
 */
enum {
	MARKS_WIRE_MAGIC = 0x4d505354, /* "TSPM" */
	MARKS_WIRE_VERSION = 1,
	MARKS_PAGE_BYTES = 4096,
	MARKS_MAX_SITES = 4096,
	MARKS_OTHER_SITES = TSPROF_KIND_SNAPSHOT, /* the last, one of each kind, for all the rest */
	MARKS_MAX_SLOTS = 256,
	MARKS_RING_MIN_BYTES = 256 << 10,
	MARKS_RING_MAX_BYTES = 64 << 20,
	MARKS_RING_RESERVED_BYTES = 16 << 10, /* kept free for errors, ends and milestones */
	/* In tsprof_record_.what: enum tsprof_what, then the bytes of the payload. */
	MARKS_WHAT_BITS = 8,
	MARKS_WHAT_SKIP = 255, /* nothing until the ring's end */
	MARKS_WHAT_CUT = 128,  /* flag: the payload was longer */
};

enum marks_clock {
	MARKS_CLOCK_COUNTER = 1,   /* time-stamp counter, or cntvct_el0 */
	MARKS_CLOCK_MONOTONIC = 2, /* ns */
};

struct marks_segment {
	uint32_t magic;
	uint32_t version;
	uint32_t clock; /* enum marks_clock */
	uint32_t n_slots;
	uint64_t ring_bytes;
	uint64_t start_time; /* by `clock`, at … */
	uint64_t start_ns;   /* … this CLOCK_MONOTONIC */
	/* Set by the recorder: mark no more.  Relaxed: carries no data. */
	_Atomic uint32_t is_stopped;
	/* Relaxed counts of the program's. */
	_Atomic uint32_t n_sites; /* in the first segment: ever claimed; there may be too many */
	_Atomic uint32_t n_without_slot; /* marks of threads for which there was no slot */
	uint32_t padding;
};
static_assert(sizeof(struct marks_segment) == 56, "wire layout");

/* The site of id n + 1 is the n-th; the last ones stand for all of a kind that found no place. */
struct marks_site {
	_Atomic uint32_t kind; /* enum tsprof_kind; 0 until all else is there (release) */
	uint32_t line;
	uint32_t sample_rate;
	uint32_t padding;
	char name[TSPROF_NAME_MAX_BYTES + 1];
	char category[64];
	char file[176]; /* the end of a longer one */
};
static_assert(sizeof(struct marks_site) == 512, "wire layout");

enum marks_slot_state {
	MARKS_SLOT_FREE = 0,  /* recorder → program: release, pairs with the claim's acquire */
	MARKS_SLOT_USED = 1,  /* program */
	MARKS_SLOT_ENDED = 2, /* program → recorder: no more will come */
};

struct marks_slot {
	uint64_t head; /* written with release by the program, pairs with the reader */
	_Atomic uint32_t state;
	uint32_t tid;		 /* as the program sees it */
	_Atomic uint64_t n_lost; /* records that found the ring full; relaxed */
	uint64_t base;		 /* written by the program, published with head */
	uint64_t padding[4];
	_Atomic uint64_t tail; /* written with release by the recorder, pairs with the writer */
	uint64_t padding_of_reader[7];
};
static_assert(sizeof(struct marks_slot) == 128, "wire layout");
static_assert(sizeof(struct tsprof_record_) == 16, "wire layout");

/* The payload of TSPROF_WHAT_COSTS: what the scope cost its thread. */
struct marks_costs {
	uint64_t cpu_ns;
	uint64_t allocated_bytes; /* UINT64_MAX: nobody counted them */
	uint64_t n_faults;	  /* minor and major */
};
static_assert(sizeof(struct marks_costs) == 24, "wire layout");

/* Where things are in a segment. */
static inline uint64_t marks_sites_offset(void)
{
	return MARKS_PAGE_BYTES;
}

static inline uint64_t marks_slots_offset(void)
{
	return marks_sites_offset() + sizeof(struct marks_site) * MARKS_MAX_SITES;
}

static inline uint64_t marks_rings_offset(uint32_t n_slots)
{
	const uint64_t end = marks_slots_offset() + sizeof(struct marks_slot) * n_slots;

	return (end + MARKS_PAGE_BYTES - 1) & ~(uint64_t)(MARKS_PAGE_BYTES - 1);
}

static inline uint64_t marks_segment_bytes(uint32_t n_slots, uint64_t ring_bytes)
{
	return marks_rings_offset(n_slots) + n_slots * ring_bytes;
}

#endif
