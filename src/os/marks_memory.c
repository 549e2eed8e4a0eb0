/* Every word of the shared memory is read once, into a variable of ours. */
#include "os/marks_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "os/shared_memory.h"

enum { RECORD_BYTES = sizeof(struct tsprof_record_) };

int marks_memory_map(struct marks_memory *memory, int fd, uint32_t n_slots, uint64_t ring_bytes,
		     struct error *err)
{
	uint64_t size_bytes;
	void *bytes;

	if (n_slots < 1 || n_slots > MARKS_MAX_SLOTS || ring_bytes < MARKS_RING_MIN_BYTES ||
	    ring_bytes > MARKS_RING_MAX_BYTES || ring_bytes & (ring_bytes - 1))
		return error_set(err, -EINVAL, "memory for marks of impossible size");
	size_bytes = marks_segment_bytes(n_slots, ring_bytes);
	if (!shared_memory_stays(fd, size_bytes))
		return error_set(err, -EINVAL, "memory for marks that could go away");
	bytes = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_set_errno(err, -errno, "mmap of memory for marks");
	*memory = (struct marks_memory){ .bytes = bytes,
					 .size_bytes = size_bytes,
					 .n_slots = n_slots,
					 .ring_bytes = ring_bytes };
	return 0;
}

void marks_memory_unmap(struct marks_memory *memory)
{
	if (memory->bytes)
		(void)munmap(memory->bytes, memory->size_bytes);
	*memory = (struct marks_memory){ 0 };
}

static struct marks_segment *segment_of(const struct marks_memory *memory)
{
	return (struct marks_segment *)(void *)memory->bytes;
}

void marks_memory_stop(struct marks_memory *memory)
{
	atomic_store_explicit(&segment_of(memory)->is_stopped, 1, memory_order_relaxed);
}

struct marks_status marks_memory_status(const struct marks_memory *memory)
{
	struct marks_segment *segment = segment_of(memory);

	return (struct marks_status){
		.has_counter = __atomic_load_n(&segment->clock, __ATOMIC_RELAXED) ==
			       MARKS_CLOCK_COUNTER,
		.n_sites = atomic_load_explicit(&segment->n_sites, memory_order_relaxed),
		.n_homeless = atomic_load_explicit(&segment->n_without_slot, memory_order_relaxed),
	};
}

bool marks_memory_site(const struct marks_memory *memory, uint32_t id, struct marks_site *ret_site)
{
	struct marks_site *site;

	if (id < 1 || id > MARKS_MAX_SITES)
		return false;
	site = (struct marks_site *)(void *)(memory->bytes + marks_sites_offset()) + (id - 1);
	/* Pairs with the release of who described it. */
	if (!atomic_load_explicit(&site->kind, memory_order_acquire))
		return false;
	memcpy(ret_site, site, sizeof(*ret_site));
	ret_site->name[sizeof(ret_site->name) - 1] = '\0';
	ret_site->category[sizeof(ret_site->category) - 1] = '\0';
	ret_site->file[sizeof(ret_site->file) - 1] = '\0';
	return true;
}

void marks_ring_init(struct marks_ring *ring, const struct marks_memory *memory, uint32_t i)
{
	struct marks_slot *slots =
		(struct marks_slot *)(void *)(memory->bytes + marks_slots_offset());

	*ring = (struct marks_ring){
		.slot = &slots[i],
		.data = memory->bytes + marks_rings_offset(memory->n_slots) +
			i * memory->ring_bytes,
		.data_bytes = memory->ring_bytes,
	};
}

void marks_ring_refresh(struct marks_ring *ring)
{
	/* Pairs with the writer's release. */
	ring->head = __atomic_load_n(&ring->slot->head, __ATOMIC_ACQUIRE);
	/* One that is newer than that head is at that head: the ring was and stays empty. */
	ring->base = __atomic_load_n(&ring->slot->base, __ATOMIC_RELAXED) &
		     ~(uint64_t)(RECORD_BYTES - 1);
}

static uint64_t offset_of_tail(const struct marks_ring *ring)
{
	return (ring->tail - ring->base) & (ring->data_bytes - 1);
}

void marks_ring_publish(struct marks_ring *ring)
{
	/* Pairs with the writer's acquire: it writes where we have read. */
	atomic_store_explicit(&ring->slot->tail, ring->tail, memory_order_release);
}

static enum marks_ring_state ring_give_up(struct marks_ring *ring)
{
	ring->tail = ring->head = ring->head & ~(uint64_t)(RECORD_BYTES - 1);
	marks_ring_publish(ring);
	return MARKS_RING_BAD;
}

/* The next record's fixed part, behind what is to be skipped. */
static enum marks_ring_state ring_peek(struct marks_ring *ring, struct tsprof_record_ *head)
{
	for (;;) {
		const uint64_t used = ring->head - ring->tail;
		const uint64_t offset = offset_of_tail(ring);

		if (!used)
			return MARKS_RING_EMPTY;
		if (used > ring->data_bytes || used % RECORD_BYTES)
			return ring_give_up(ring);
		memcpy(head, ring->data + offset, sizeof(*head));
		atomic_signal_fence(memory_order_seq_cst);
		if ((head->what & ((1U << MARKS_WHAT_BITS) - 1)) != MARKS_WHAT_SKIP)
			return MARKS_RING_RECORD;
		if (ring->data_bytes - offset > used)
			return ring_give_up(ring);
		ring->tail += ring->data_bytes - offset;
	}
}

uint64_t marks_ring_time(struct marks_ring *ring)
{
	struct tsprof_record_ head;

	return ring_peek(ring, &head) == MARKS_RING_RECORD ? head.time : UINT64_MAX;
}

enum marks_ring_state marks_ring_next(struct marks_ring *ring, struct marks_record *record,
				      void *payload)
{
	struct tsprof_record_ head;
	const enum marks_ring_state state = ring_peek(ring, &head);
	uint64_t offset;
	uint64_t size;

	if (state != MARKS_RING_RECORD)
		return state;
	*record = (struct marks_record){
		.time = head.time,
		.site = head.site,
		.what = head.what & (MARKS_WHAT_CUT - 1),
		.is_cut = head.what & MARKS_WHAT_CUT,
		.payload_bytes = head.what >> MARKS_WHAT_BITS,
	};
	offset = offset_of_tail(ring);
	size = RECORD_BYTES + (((uint64_t)record->payload_bytes + RECORD_BYTES - 1) &
			       ~(uint64_t)(RECORD_BYTES - 1));
	if (record->payload_bytes > MARKS_PAYLOAD_MAX_BYTES || size > ring->head - ring->tail ||
	    size > ring->data_bytes - offset)
		return ring_give_up(ring);
	if (record->payload_bytes)
		memcpy(payload, ring->data + offset + RECORD_BYTES, record->payload_bytes);
	ring->tail += size;
	return MARKS_RING_RECORD;
}

const struct tsprof_record_ *marks_ring_records(const struct marks_ring *ring, size_t *ret_n)
{
	const uint64_t used = ring->head - ring->tail;
	const uint64_t offset = offset_of_tail(ring);
	const uint64_t rest = ring->data_bytes - offset;

	*ret_n = (size_t)(used < rest ? used : rest) / RECORD_BYTES;
	if (used > ring->data_bytes || used % RECORD_BYTES)
		*ret_n = 0; /* marks_ring_next finds that out too */
	return (const void *)(ring->data + offset);
}

void marks_ring_take(struct marks_ring *ring, size_t n_records)
{
	ring->tail += n_records * RECORD_BYTES;
}

uint32_t marks_ring_tid(const struct marks_ring *ring)
{
	return __atomic_load_n(&ring->slot->tid, __ATOMIC_RELAXED);
}

uint64_t marks_ring_n_lost(const struct marks_ring *ring)
{
	return atomic_load_explicit(&ring->slot->n_lost, memory_order_relaxed);
}

bool marks_ring_is_free(const struct marks_ring *ring)
{
	return atomic_load_explicit(&ring->slot->state, memory_order_relaxed) == MARKS_SLOT_FREE;
}

bool marks_ring_recycle(struct marks_ring *ring)
{
	/* Acquire: pairs with the release of ENDED, which comes after all records. */
	if (atomic_load_explicit(&ring->slot->state, memory_order_acquire) != MARKS_SLOT_ENDED)
		return false;
	marks_ring_refresh(ring);
	if (ring->head != ring->tail)
		return false;
	/* Release: the next thread finds the tail where its head is. */
	atomic_store_explicit(&ring->slot->state, MARKS_SLOT_FREE, memory_order_release);
	return true;
}
