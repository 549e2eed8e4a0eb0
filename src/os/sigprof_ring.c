/* Every word of the shared memory is read once, into a variable of ours. */
#include "os/sigprof_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "os/shared_memory.h"

enum {
	RECORD_ALIGNMENT = 16,
	MUCH_IS_OF_RING = 16,
};

static uint64_t slots_end(uint32_t n_slots)
{
	const uint64_t bytes = SIGPROF_PAGE_BYTES + n_slots * sizeof(struct sigprof_slot);

	return (bytes + SIGPROF_PAGE_BYTES - 1) & ~(uint64_t)(SIGPROF_PAGE_BYTES - 1);
}

static bool is_possible(const struct sigprof_hello *hello)
{
	return hello->n_slots >= 1 && hello->n_slots <= SIGPROF_MAX_SLOTS &&
	       hello->ring_bytes >= SIGPROF_RING_MIN_BYTES &&
	       hello->ring_bytes <= SIGPROF_RING_MAX_BYTES &&
	       (hello->ring_bytes & (hello->ring_bytes - 1)) == 0;
}

int sigprof_memory_map(struct sigprof_memory *memory, int fd, const struct sigprof_hello *hello,
		       struct error *err)
{
	uint64_t size_bytes;
	void *bytes;

	if (!is_possible(hello))
		return error_set(err, -EINVAL, "shared memory of impossible size");
	size_bytes = slots_end(hello->n_slots) + hello->n_slots * hello->ring_bytes;
	if (!shared_memory_stays(fd, size_bytes))
		return error_set(err, -EINVAL, "shared memory that could go away");
	bytes = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_set_errno(err, -errno, "mmap of shared memory");
	*memory = (struct sigprof_memory){ .bytes = bytes,
					   .size_bytes = size_bytes,
					   .n_slots = hello->n_slots,
					   .ring_bytes = hello->ring_bytes };
	return 0;
}

void sigprof_memory_unmap(struct sigprof_memory *memory)
{
	if (memory->bytes)
		(void)munmap(memory->bytes, memory->size_bytes);
	*memory = (struct sigprof_memory){ 0 };
}

static struct sigprof_segment *segment_of(const struct sigprof_memory *memory)
{
	return (struct sigprof_segment *)(void *)memory->bytes;
}

void sigprof_memory_stop(struct sigprof_memory *memory)
{
	atomic_store_explicit(&segment_of(memory)->is_stopped, 1, memory_order_relaxed);
}

uint32_t sigprof_memory_n_not_sampled(const struct sigprof_memory *memory)
{
	const struct sigprof_segment *segment = segment_of(memory);

	return atomic_load_explicit(&segment->n_threads_without_slot, memory_order_relaxed) +
	       atomic_load_explicit(&segment->n_threads_without_trigger, memory_order_relaxed);
}

void sigprof_ring_init(struct sigprof_ring *ring, const struct sigprof_memory *memory, uint32_t i)
{
	struct sigprof_slot *slots =
		(struct sigprof_slot *)(void *)(memory->bytes + SIGPROF_PAGE_BYTES);

	*ring = (struct sigprof_ring){
		.slot = &slots[i],
		.data = memory->bytes + slots_end(memory->n_slots) + i * memory->ring_bytes,
		.data_bytes = memory->ring_bytes,
	};
}

/*
 * The first time around its ring a page costs a thread some 4 us in its signal handler: fifty, of
 * a deep stack, are as long as the time between two ticks at 4 kHz.  Whoever has written much
 * since the last look will write as much again until the next, and finds those pages there.
 */
static void make_ready(struct sigprof_ring *ring, uint64_t written_bytes)
{
#ifdef MADV_POPULATE_WRITE /* Linux 5.14 */
	const uint64_t at = ring->head & (ring->data_bytes - 1) &
			    ~(uint64_t)(SIGPROF_PAGE_BYTES - 1);
	const uint64_t start = at < ring->ready_bytes ? ring->ready_bytes : at;
	uint64_t end = at + written_bytes;

	if (end > ring->data_bytes)
		end = ring->data_bytes;
	if (end <= start)
		return;
	(void)madvise(ring->data + start, end - start, MADV_POPULATE_WRITE);
	ring->ready_bytes = (end + SIGPROF_PAGE_BYTES - 1) & ~(uint64_t)(SIGPROF_PAGE_BYTES - 1);
#else
	(void)ring;
	(void)written_bytes;
#endif
}

void sigprof_ring_refresh(struct sigprof_ring *ring)
{
	const uint64_t old_head = ring->head;

	/* Pairs with the writer's release. */
	ring->head = atomic_load_explicit(&ring->slot->head, memory_order_acquire);
	if (ring->head - old_head >= ring->data_bytes / MUCH_IS_OF_RING &&
	    ring->head - old_head <= ring->data_bytes)
		make_ready(ring, ring->head - old_head);
}

static void give_back(struct sigprof_ring *ring, uint64_t tail)
{
	ring->tail = tail;
	/* Pairs with the writer's acquire: it writes where we have read. */
	atomic_store_explicit(&ring->slot->tail, tail, memory_order_release);
}

static bool fits(const struct sigprof_ring *ring, const struct sigprof_header *header)
{
	const uint64_t rest = ring->data_bytes - (ring->tail & (ring->data_bytes - 1));
	const uint64_t most = header->kind == SIGPROF_RECORD_SKIP ? ring->data_bytes
								  : SIGPROF_RECORD_MAX_BYTES;

	return header->size_bytes >= sizeof(*header) &&
	       header->size_bytes % RECORD_ALIGNMENT == 0 && header->size_bytes <= most &&
	       header->size_bytes <= rest && header->size_bytes <= ring->head - ring->tail;
}

enum sigprof_ring_state sigprof_ring_peek(struct sigprof_ring *ring, struct sigprof_header *header)
{
	while (ring->head != ring->tail) {
		const uint64_t used = ring->head - ring->tail;

		if (used > ring->data_bytes || used % RECORD_ALIGNMENT)
			break;
		memcpy(header, ring->data + (ring->tail & (ring->data_bytes - 1)), sizeof(*header));
		atomic_signal_fence(memory_order_seq_cst);
		if (!fits(ring, header))
			break;
		if (header->kind != SIGPROF_RECORD_SKIP)
			return SIGPROF_RING_RECORD;
		give_back(ring, ring->tail + header->size_bytes);
	}
	if (ring->head == ring->tail)
		return SIGPROF_RING_EMPTY;
	give_back(ring, ring->head & ~(uint64_t)(RECORD_ALIGNMENT - 1));
	ring->head = ring->tail;
	return SIGPROF_RING_BAD;
}

void sigprof_ring_take(struct sigprof_ring *ring, const struct sigprof_header *header, void *to)
{
	memcpy(to, ring->data + (ring->tail & (ring->data_bytes - 1)), header->size_bytes);
	memcpy(to, header, sizeof(*header));
	give_back(ring, ring->tail + header->size_bytes);
}

bool sigprof_ring_recycle(struct sigprof_ring *ring)
{
	/* Acquire: pairs with the release of ENDED, which comes after all records. */
	if (atomic_load_explicit(&ring->slot->state, memory_order_acquire) != SIGPROF_SLOT_ENDED)
		return false;
	sigprof_ring_refresh(ring);
	if (ring->head != ring->tail)
		return false;
	/* Release: the next thread finds the tail where its head is. */
	atomic_store_explicit(&ring->slot->state, SIGPROF_SLOT_FREE, memory_order_release);
	return true;
}
