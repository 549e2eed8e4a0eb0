#ifndef TSPROF_OS_BPF_RING_H
#define TSPROF_OS_BPF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The reading end of a ring that BPF programs write to.  Room is reserved in order, and each
 * record is marked busy until its writer has finished it: the reader stops there, so
 * it never sees a part of one, and those behind it wait.
 *
 *	bpf_ring_refresh(&ring);
 *	while ((bytes = bpf_ring_peek(&ring, &size)) != NULL) {
 *		…
 *		bpf_ring_skip(&ring);
 *	}
 *	bpf_ring_publish(&ring);
 *
 * One thread per ring.  Sizes are checked as if the kernel were hostile.
 */
struct bpf_ring {
	int fd;		 /* gets readable when a program wakes its reader */
	void *tail_page; /* ours; NULL when not mapped */
	void *pages;	 /* the kernel's: its head's page, then the data twice in a row */
	uint8_t *data;
	uint64_t data_bytes; /* a power of two */
	uint64_t head;	     /* as of the last refresh */
	uint64_t last_head;  /* as of the one before */
	uint64_t tail;	     /* the next record, not yet published */
	uint64_t published;
	uint64_t next_bytes; /* of the record that was peeked, with its header */
	bool is_busy;	     /* the next record is still being written */
};

/* None: it stays empty when it is refreshed. */
#define BPF_RING_INIT ((struct bpf_ring){ .fd = -1 })

/* Makes one in the kernel, of a power of two of pages. */
int bpf_ring_open(struct bpf_ring *ring, size_t data_bytes, struct error *err);
void bpf_ring_close(struct bpf_ring *ring);

/*
 * A ring over plain memory, which stays the caller's: two pages, then the data twice.
 * It is not closed.
 */
void bpf_ring_open_memory(struct bpf_ring *ring, void *pages, size_t data_bytes);

/* See what has been written until now. */
void bpf_ring_refresh(struct bpf_ring *ring);

/* How much has been written and not been published, this moment; nothing is refreshed. */
uint64_t bpf_ring_waiting_bytes(const struct bpf_ring *ring);

/*
 * The next record, borrowed until it is published; NULL when there is none, or it is
 * busy.  What cannot be right empties the ring up to its head.
 */
const uint8_t *bpf_ring_peek(struct bpf_ring *ring, size_t *ret_size_bytes);

/*
 * The one behind the record that was peeked, if it lies below `head`, the ring's or its last
 * one, and is not busy.
 */
const uint8_t *bpf_ring_peek_behind(const struct bpf_ring *ring, uint64_t head,
				    size_t *ret_size_bytes);

/*
 * What is behind the record that was skipped, which may not be written yet: `size_bytes` that
 * can be read; NULL when there are not as many.  For looking ahead.
 */
const uint8_t *bpf_ring_next(const struct bpf_ring *ring, size_t size_bytes);

/* The record that was peeked is done with, or the busy one is given up: then nobody may
 * write any more. */
void bpf_ring_skip(struct bpf_ring *ring);

/* Give everything skipped back to the kernel. */
void bpf_ring_publish(struct bpf_ring *ring);

/* The same where it is much: the writers' CPU has to fetch the line each time. */
void bpf_ring_publish_much(struct bpf_ring *ring);

#endif
