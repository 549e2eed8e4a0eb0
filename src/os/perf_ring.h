#ifndef TSPROF_OS_PERF_RING_H
#define TSPROF_OS_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The reading end of one perf ring buffer.  Records are looked at where they
 * are: only one that wraps around the end is copied, to a scratch of 64 KiB.
 *
 *	perf_ring_refresh(&ring);
 *	while ((bytes = perf_ring_peek(&ring, &size)) != NULL) {
 *		…
 *		perf_ring_skip(&ring, size);
 *	}
 *	perf_ring_publish(&ring);
 *
 * One thread per ring.  The kernel is the writer: it never touches what was not
 * published, and sizes are checked as if it were hostile.
 */
struct perf_ring {
	void *pages; /* the control page, then the data; NULL when not mapped */
	size_t mapped_bytes;
	uint8_t *data;
	uint64_t data_bytes; /* a power of two */
	uint64_t head;	     /* as of the last refresh */
	uint64_t tail;	     /* the next record, not yet published */
	uint8_t *scratch;
};

/* `data_bytes` is a power of two and a multiple of the page.  -EPERM: above the mlock limit. */
int perf_ring_open(struct perf_ring *ring, int fd, size_t data_bytes, struct error *err);
void perf_ring_close(struct perf_ring *ring);

/*
 * A ring over plain memory, to be read as if a kernel had filled it: `pages`
 * is the control page followed by `data_bytes`, and stays the caller's.
 */
int perf_ring_open_memory(struct perf_ring *ring, void *pages, size_t data_bytes,
			  struct error *err);

/* See what has been written until now. */
void perf_ring_refresh(struct perf_ring *ring);

/* Whether there is more than was skipped, without seeing it yet. */
bool perf_ring_has_more(const struct perf_ring *ring);

/*
 * The next record, borrowed until it is published; NULL when there is none.  A
 * record whose size cannot be right empties the ring up to its head.
 */
const uint8_t *perf_ring_peek(struct perf_ring *ring, size_t *ret_size_bytes);

/*
 * The record of `size_bytes` that was just peeked is about to be worked on: have
 * the beginnings of those behind it brought into the cache meanwhile, taking
 * them to be as long.  The kernel wrote them on another CPU and long ago, so
 * that each line would otherwise be waited for.  Only a hint, reads nothing.
 */
void perf_ring_look_ahead(const struct perf_ring *ring, size_t size_bytes);

/*
 * Where the word `offset` bytes into the record behind that one is, NULL when there is none; it
 * may be anything.  For looking ahead.
 */
const uint64_t *perf_ring_word_behind(const struct perf_ring *ring, size_t size_bytes,
				      size_t offset);

void perf_ring_skip(struct perf_ring *ring, size_t size_bytes);

/* Give everything skipped back to the kernel. */
void perf_ring_publish(struct perf_ring *ring);

#endif
