/*
 * data_head is written by the kernel with a release store and read here with
 * acquire; data_tail is written here with release, so that our reads of a record
 * happen before the kernel reuses it (kernel/events/ring_buffer.c).
 */
#include "os/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	RECORD_MAX_BYTES = 1 << 16,
	CACHE_LINE_BYTES = 64,
	LOOK_AHEAD_MIN_BYTES = 4096, /* smaller records come in by themselves */
	LOOK_AHEAD_HEAD_BYTES = 256, /* header, counts, registers */
	LOOK_AHEAD_BYTES = 1280,     /* … and the innermost frames */
};

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int ring_start(struct perf_ring *ring, void *pages, size_t data_bytes, struct error *err)
{
	ring->scratch = aligned_alloc(sizeof(uint64_t), RECORD_MAX_BYTES);
	if (!ring->scratch)
		return error_set_no_memory(err);
	ring->data = (uint8_t *)pages + page_bytes();
	ring->data_bytes = data_bytes;
	ring->pages = pages;
	return 0;
}

int perf_ring_open(struct perf_ring *ring, int fd, size_t data_bytes, struct error *err)
{
	const size_t mapped_bytes = data_bytes + page_bytes();
	void *pages = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int r;

	*ring = (struct perf_ring){ 0 };
	if (pages == MAP_FAILED)
		return error_set_errno(err, -errno, "perf ring of %zu KiB", data_bytes / 1024);
	r = ring_start(ring, pages, data_bytes, err);
	if (r < 0)
		(void)munmap(pages, mapped_bytes);
	else
		ring->mapped_bytes = mapped_bytes;
	return r;
}

int perf_ring_open_memory(struct perf_ring *ring, void *pages, size_t data_bytes, struct error *err)
{
	*ring = (struct perf_ring){ 0 };
	return ring_start(ring, pages, data_bytes, err);
}

void perf_ring_close(struct perf_ring *ring)
{
	if (ring->mapped_bytes)
		(void)munmap(ring->pages, ring->mapped_bytes);
	free(ring->scratch);
	*ring = (struct perf_ring){ 0 };
}

void perf_ring_refresh(struct perf_ring *ring)
{
	const struct perf_event_mmap_page *control = ring->pages;

	if (control)
		ring->head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
}

bool perf_ring_has_more(const struct perf_ring *ring)
{
	const struct perf_event_mmap_page *control = ring->pages;

	return control && __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE) != ring->tail;
}

const uint8_t *perf_ring_peek(struct perf_ring *ring, size_t *ret_size_bytes)
{
	const uint64_t available = ring->head - ring->tail;
	const uint64_t start = ring->tail & (ring->data_bytes - 1);
	struct perf_event_header header;

	if (!ring->pages || available == 0)
		return NULL;
	/* Records are multiples of 8, as is the ring: a header never wraps. */
	memcpy(&header, ring->data + start, sizeof(header));
	if (header.size < sizeof(header) || header.size % sizeof(uint64_t) ||
	    header.size > available || available > ring->data_bytes) {
		ring->tail = ring->head;
		return NULL;
	}
	*ret_size_bytes = header.size;
	if (start + header.size > ring->data_bytes) {
		const size_t first = ring->data_bytes - start;

		memcpy(ring->scratch, ring->data + start, first);
		memcpy(ring->scratch + first, ring->data, header.size - first);
		return ring->scratch;
	}
	return ring->data + start;
}

static const uint8_t *byte_at(const struct perf_ring *ring, uint64_t position)
{
	return ring->data + (position & (ring->data_bytes - 1));
}

void perf_ring_look_ahead(const struct perf_ring *ring, size_t size_bytes)
{
	const uint64_t next = ring->tail + size_bytes;

	if (size_bytes < LOOK_AHEAD_MIN_BYTES)
		return;
	for (size_t i = LOOK_AHEAD_HEAD_BYTES; i < LOOK_AHEAD_BYTES; i += CACHE_LINE_BYTES)
		__builtin_prefetch(byte_at(ring, next + i));
	for (size_t i = 0; i < LOOK_AHEAD_HEAD_BYTES; i += CACHE_LINE_BYTES)
		__builtin_prefetch(byte_at(ring, next + size_bytes + i));
	/* How much was copied stands behind the dump. */
	__builtin_prefetch(byte_at(ring, next + 2 * (uint64_t)size_bytes - sizeof(uint64_t)));
}

const uint64_t *perf_ring_word_behind(const struct perf_ring *ring, size_t size_bytes,
				      size_t offset)
{
	const uint64_t at = ring->tail + size_bytes + offset;

	if (ring->head - ring->tail > ring->data_bytes || at % sizeof(uint64_t) ||
	    ring->head - ring->tail < size_bytes + offset + sizeof(uint64_t))
		return NULL;
	return (const void *)byte_at(ring, at);
}

void perf_ring_skip(struct perf_ring *ring, size_t size_bytes)
{
	ring->tail += size_bytes;
}

void perf_ring_publish(struct perf_ring *ring)
{
	struct perf_event_mmap_page *control = ring->pages;

	if (control)
		__atomic_store_n(&control->data_tail, ring->tail, __ATOMIC_RELEASE);
}
