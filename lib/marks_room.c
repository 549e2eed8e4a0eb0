/*
 * Where in its ring a thread writes.  The fast way gets room for STEP_BYTES at a
 * time.  Of the ring only a share is used, the smaller the more threads there
 * are, and an empty ring goes back to its start: so little memory is touched, and yet a burst
 * finds all of the share.
 */
#include <string.h>
#include <sys/mman.h>

#include "lib/marks_client.h"

enum {
	STEP_BYTES = 16 << 10,
	FULL_BEFORE_ASKING = 1 << 16,
	TRIM_BYTES = 256 << 10, /* touched needlessly, before it is worth a system call */
};

static void publish(struct marks_slot *slot, uint64_t head)
{
	/* Pairs with the recorder's acquire. */
	__atomic_store_n(&slot->head, head, __ATOMIC_RELEASE);
}

static uint64_t offset_of_head(const struct marks_thread *thread)
{
	return (thread->slot->head - thread->slot->base) & (thread->segment->ring_bytes - 1);
}

static uint64_t used_bytes(const struct marks_thread *thread)
{
	return thread->slot->head - atomic_load_explicit(&thread->slot->tail, memory_order_acquire);
}

/* Up to which offset can be written without starting over. */
static uint64_t room_end(const struct marks_thread *thread, uint64_t share, uint64_t reserved)
{
	const uint64_t offset = offset_of_head(thread);
	const uint64_t used = used_bytes(thread);
	/* What is not read yet is before the head, or after it, of the round before. */
	const uint64_t end = used <= offset ? share : offset + thread->segment->ring_bytes - used;

	return end > reserved ? end - reserved : 0;
}

/* Give back what lies behind `from`, when that is much: there were fewer threads once. */
static void trim(struct marks_thread *thread, uint64_t from, uint64_t share)
{
	const uint64_t start = ((from > share ? from : share) + MARKS_PAGE_BYTES - 1) &
			       ~(uint64_t)(MARKS_PAGE_BYTES - 1);

	if (thread->touched_bytes < start + TRIM_BYTES)
		return;
	(void)madvise(thread->ring + start, thread->touched_bytes - start, MADV_REMOVE);
	thread->touched_bytes = start;
}

/* Have the head at the ring's start; false when something unread is in the way. */
static bool start_over(struct marks_thread *thread, uint64_t share, uint64_t size_bytes)
{
	struct marks_slot *slot = thread->slot;
	const uint64_t ring_bytes = thread->segment->ring_bytes;
	const uint64_t offset = offset_of_head(thread);
	const uint64_t used = used_bytes(thread);
	const struct tsprof_record_ skip = { .what = MARKS_WHAT_SKIP };

	if (used == 0) {
		slot->base = slot->head;
		trim(thread, 0, share);
		return size_bytes <= ring_bytes;
	}
	if (used > offset || offset - used < size_bytes)
		return false;
	memcpy(thread->ring + offset, &skip, sizeof(skip));
	publish(slot, slot->head + ring_bytes - offset);
	trim(thread, offset + sizeof(skip), share);
	return true;
}

/* Nothing was read for long: perhaps there is nobody. */
static void count_full(struct marks_thread *thread)
{
	if (++thread->n_full % FULL_BEFORE_ASKING == 0 && marks_recorder_is_gone())
		marks_stop_for_good();
}

unsigned char *marks_room_get(struct marks_thread *thread, uint64_t size_bytes, uint64_t reserved)
{
	const uint64_t ring_bytes = thread->segment->ring_bytes;
	/* What is large would never find its share. */
	const uint64_t wanted = marks_ring_share(ring_bytes) +
				(size_bytes > STEP_BYTES ? size_bytes : 0);
	const uint64_t share = wanted < ring_bytes ? wanted : ring_bytes;
	const uint64_t used = used_bytes(thread);
	uint64_t end;

	if (used > ring_bytes)
		return NULL;
	if ((used == 0 && offset_of_head(thread) >= STEP_BYTES) ||
	    offset_of_head(thread) + size_bytes > room_end(thread, share, reserved)) {
		if (!start_over(thread, share, size_bytes + reserved)) {
			count_full(thread);
			return NULL;
		}
	}
	end = offset_of_head(thread) + size_bytes;
	if (end > thread->touched_bytes)
		thread->touched_bytes = end;
	return thread->ring + offset_of_head(thread);
}

void marks_room_open(struct marks_thread *thread)
{
	const uint64_t offset = offset_of_head(thread);
	const uint64_t end = room_end(thread, marks_ring_share(thread->segment->ring_bytes),
				      MARKS_RING_RESERVED_BYTES);
	const uint64_t step_end = offset + STEP_BYTES - offset % STEP_BYTES;
	const uint64_t fast_end = end < step_end ? end : step_end;

	thread->fast.at = thread->fast.end = thread->ring + offset;
	thread->fast.head_less_at = thread->slot->head - (uint64_t)(uintptr_t)thread->fast.at;
	if (thread->segment->clock == MARKS_CLOCK_COUNTER && fast_end > offset) {
		if (fast_end > thread->touched_bytes)
			thread->touched_bytes = fast_end;
		__atomic_store_n(&thread->fast.end, thread->ring + fast_end, __ATOMIC_SEQ_CST);
	}
	if (thread->generation != marks_generation())
		thread->fast.end = NULL;
}
