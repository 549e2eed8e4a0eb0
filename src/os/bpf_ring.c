/*
 * kernel/bpf/ringbuf.c: the first page holds the reader's position, the second the
 * writers', and behind it the data is mapped twice, so that no record is ever in two parts.
 * A record's header is written last, with an exchange; it is read here with acquire.
 */
#include "os/bpf_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/bpf_kernel.h"

enum { PUBLISHES_PER_RING = 8 };

#define FLAG_BITS ((uint32_t)(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int map(struct bpf_ring *ring, size_t data_bytes, struct error *err)
{
	const size_t page = page_bytes();
	void *tail_page = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	void *pages;

	if (tail_page == MAP_FAILED)
		return error_set_errno(err, -errno, "bpf ring");
	pages = mmap(NULL, page + 2 * data_bytes, PROT_READ, MAP_SHARED, ring->fd, (off_t)page);
	if (pages == MAP_FAILED) {
		const int r = -errno;

		(void)munmap(tail_page, page);
		return error_set_errno(err, r, "bpf ring of %zu KiB", data_bytes / 1024);
	}
	ring->tail_page = tail_page;
	ring->pages = pages;
	ring->data = (uint8_t *)pages + page;
	ring->data_bytes = data_bytes;
	return 0;
}

int bpf_ring_open(struct bpf_ring *ring, size_t data_bytes, struct error *err)
{
	int r;

	*ring = (struct bpf_ring){ .fd = bpf_kernel_new_ring(data_bytes) };
	if (ring->fd < 0)
		return bpf_kernel_error(ring->fd, err);
	r = map(ring, data_bytes, err);
	if (r < 0)
		bpf_ring_close(ring);
	return r;
}

void bpf_ring_open_memory(struct bpf_ring *ring, void *pages, size_t data_bytes)
{
	uint8_t *const bytes = pages;

	*ring = (struct bpf_ring){
		.fd = -1,
		.tail_page = bytes,
		.pages = bytes + page_bytes(),
		.data = bytes + 2 * page_bytes(),
		.data_bytes = data_bytes,
	};
}

void bpf_ring_close(struct bpf_ring *ring)
{
	if (ring->tail_page) {
		(void)munmap(ring->tail_page, page_bytes());
		(void)munmap(ring->pages, page_bytes() + 2 * ring->data_bytes);
	}
	if (ring->fd >= 0)
		(void)close(ring->fd);
	*ring = BPF_RING_INIT;
}

static uint64_t head_now(const struct bpf_ring *ring)
{
	const uint64_t *head = ring->pages;

	return head ? __atomic_load_n(head, __ATOMIC_ACQUIRE) : ring->head;
}

void bpf_ring_refresh(struct bpf_ring *ring)
{
	ring->last_head = ring->head;
	ring->head = head_now(ring);
}

uint64_t bpf_ring_waiting_bytes(const struct bpf_ring *ring)
{
	return head_now(ring) - ring->published;
}

/* A record's header and where the next one is; false where it cannot be right. */
static bool read_header(const struct bpf_ring *ring, uint64_t position, uint64_t head,
			uint32_t *ret_word, uint64_t *ret_bytes)
{
	const uint64_t available = head - position;
	const uint8_t *record = ring->data + (position & (ring->data_bytes - 1));

	if (available < BPF_RINGBUF_HDR_SZ || available > ring->data_bytes ||
	    position % BPF_RINGBUF_HDR_SZ)
		return false;
	*ret_word = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
	*ret_bytes = (uint64_t)BPF_RINGBUF_HDR_SZ + (((*ret_word & ~FLAG_BITS) + 7U) & ~7U);
	return *ret_bytes <= available;
}

static const uint8_t *bytes_at(const struct bpf_ring *ring, uint64_t position)
{
	return ring->data + (position & (ring->data_bytes - 1)) + BPF_RINGBUF_HDR_SZ;
}

const uint8_t *bpf_ring_peek(struct bpf_ring *ring, size_t *ret_size_bytes)
{
	uint32_t word;

	ring->is_busy = false;
	ring->next_bytes = 0;
	while (ring->tail != ring->head) {
		if (!read_header(ring, ring->tail, ring->head, &word, &ring->next_bytes)) {
			ring->tail = ring->head;
			ring->next_bytes = 0;
			return NULL;
		}
		ring->is_busy = word & BPF_RINGBUF_BUSY_BIT;
		if (ring->is_busy)
			return NULL;
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			*ret_size_bytes = word & ~FLAG_BITS;
			return bytes_at(ring, ring->tail);
		}
		bpf_ring_skip(ring);
	}
	return NULL;
}

const uint8_t *bpf_ring_peek_behind(const struct bpf_ring *ring, uint64_t head,
				    size_t *ret_size_bytes)
{
	uint64_t position = ring->tail + ring->next_bytes;
	uint64_t bytes;
	uint32_t word;

	while ((int64_t)(head - position) > 0 && read_header(ring, position, head, &word, &bytes) &&
	       !(word & BPF_RINGBUF_BUSY_BIT)) {
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			*ret_size_bytes = word & ~FLAG_BITS;
			return bytes_at(ring, position);
		}
		position += bytes;
	}
	return NULL;
}

const uint8_t *bpf_ring_next(const struct bpf_ring *ring, size_t size_bytes)
{
	const uint64_t available = ring->head - ring->tail;

	if (available < BPF_RINGBUF_HDR_SZ + size_bytes || available > ring->data_bytes ||
	    ring->tail % BPF_RINGBUF_HDR_SZ)
		return NULL;
	return bytes_at(ring, ring->tail);
}

void bpf_ring_skip(struct bpf_ring *ring)
{
	ring->tail += ring->next_bytes;
	ring->next_bytes = 0;
	ring->is_busy = false;
}

void bpf_ring_publish(struct bpf_ring *ring)
{
	uint64_t *tail = ring->tail_page;

	if (ring->published == ring->tail)
		return;
	__atomic_store_n(tail, ring->tail, __ATOMIC_RELEASE);
	ring->published = ring->tail;
}

void bpf_ring_publish_much(struct bpf_ring *ring)
{
	if (ring->tail - ring->published > ring->data_bytes / PUBLISHES_PER_RING)
		bpf_ring_publish(ring);
}
