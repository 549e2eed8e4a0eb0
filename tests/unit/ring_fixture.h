#ifndef TSPROF_TESTS_UNIT_RING_FIXTURE_H
#define TSPROF_TESTS_UNIT_RING_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/bpf_ring.h"

enum { RING_HEADER_BYTES = 8 };

/* A ring in plain memory, for tests to write what a kernel would, and should not. */
struct ring_fixture {
	uint8_t *pages;
	uint8_t *data; /* twice as much as the ring has, and more */
	struct bpf_ring ring;
};

static inline void ring_fixture_init(struct ring_fixture *fixture, size_t data_bytes)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	const size_t bytes = 2 * page_bytes + 2 * data_bytes + 16 * page_bytes;

	fixture->pages = aligned_alloc(page_bytes, bytes);
	if (!fixture->pages)
		abort();
	memset(fixture->pages, 0, bytes);
	fixture->data = fixture->pages + 2 * page_bytes;
	bpf_ring_open_memory(&fixture->ring, fixture->pages, data_bytes);
}

static inline void ring_fixture_release(struct ring_fixture *fixture)
{
	free(fixture->pages);
}

static inline void ring_fixture_set_head(struct ring_fixture *fixture, uint64_t head)
{
	memcpy(fixture->pages + sysconf(_SC_PAGESIZE), &head, sizeof(head));
	bpf_ring_refresh(&fixture->ring);
}

#endif
