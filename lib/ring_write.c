/*
 * The writing end of a thread's ring.  Only the thread itself writes, so the
 * handler and ordinary code exclude each other by a flag instead of a lock.
 */
#include <string.h>

#include "lib/sigprof_client.h"

enum {
	REWIND_BYTES = 192 << 10,
	LARGE_IS_OF_LAST = 64, /* records, about */
};

/* No memcpy: the program may have its own, and IFUNCs are resolved by locks. */
void copy_words(void *to, const void *from, size_t size_bytes)
{
#if defined(__x86_64__)
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
#else
	volatile uint64_t *to_word = to; /* else compilers make a memcpy of it */
	const uint64_t *from_word = from;

	for (size_t i = 0; i < size_bytes / sizeof(*to_word); i++)
		to_word[i] = from_word[i];
	for (size_t i = size_bytes & ~(size_t)7; i < size_bytes; i++)
		((volatile char *)to)[i] = ((const char *)from)[i];
#endif
}

static void write_skip(struct client_thread *thread, uint64_t offset, uint64_t size_bytes)
{
	struct sigprof_header *skip = (struct sigprof_header *)(void *)(thread->ring + offset);

	skip->size_bytes = (uint32_t)size_bytes;
	skip->kind = SIGPROF_RECORD_SKIP;
	skip->flags = 0;
	skip->time_ns = 0;
	thread->head += size_bytes;
}

/*
 * An empty ring goes back to its start early, and what is behind stays cold.  But what is
 * skipped is free again only when the recorder has passed it: until then there has to be room
 * for as many records as the ring was made for, whose half is for the deepest stacks.
 */
static bool is_rewound(const struct client_thread *thread, uint64_t offset)
{
	const uint64_t full_bytes = client_options()->stack_bytes + sizeof(struct sigprof_sample);

	return offset >= REWIND_BYTES &&
	       offset / thread->large_bytes >= thread->ring_bytes / 2 / full_bytes;
}

bool ring_is_half_free(const struct client_thread *thread, uint64_t size_bytes)
{
	const uint64_t tail = atomic_load_explicit(&thread->slot->tail, memory_order_acquire);
	const uint64_t used = thread->head - tail;

	return used <= thread->ring_bytes && used + size_bytes <= thread->ring_bytes / 2;
}

void *ring_reserve(struct client_thread *thread, uint32_t size_bytes)
{
	const uint64_t tail = atomic_load_explicit(&thread->slot->tail, memory_order_acquire);
	const uint64_t offset = thread->head & (thread->ring_bytes - 1);
	const uint64_t rest = thread->ring_bytes - offset;
	uint64_t used = thread->head - tail;
	uint64_t skipped = 0;

	if (used > thread->ring_bytes)
		return NULL;
	thread->large_bytes -= thread->large_bytes / LARGE_IS_OF_LAST;
	if (thread->large_bytes < size_bytes)
		thread->large_bytes = size_bytes;
	if (rest < size_bytes || (used == 0 && is_rewound(thread, offset)))
		skipped = rest;
	if (used + skipped + size_bytes > thread->ring_bytes)
		return NULL;
	if (skipped)
		write_skip(thread, offset, skipped);
	return thread->ring + (thread->head & (thread->ring_bytes - 1));
}

void ring_commit(struct client_thread *thread, uint32_t size_bytes)
{
	thread->head += size_bytes;
	/* Pairs with the acquire of the reader. */
	atomic_store_explicit(&thread->slot->head, thread->head, memory_order_release);
}

void ring_write(struct sigprof_header *header, const void *tail, uint32_t tail_bytes)
{
	struct client_thread *thread = &client_thread;
	const uint32_t head_bytes = header->size_bytes;
	uint8_t *record;

	if (!thread->slot || client_mode() == CLIENT_IS_OFF)
		return;
	header->size_bytes = (head_bytes + tail_bytes + 15U) & ~15U;
	thread->is_busy = 1;
	atomic_signal_fence(memory_order_seq_cst);
	record = ring_reserve(thread, header->size_bytes);
	if (record) {
		copy_words(record, header, head_bytes);
		copy_words(record + head_bytes, tail, tail_bytes);
		ring_commit(thread, header->size_bytes);
	} else {
		atomic_fetch_add_explicit(&thread->slot->n_lost_events, 1, memory_order_relaxed);
	}
	atomic_signal_fence(memory_order_seq_cst);
	thread->is_busy = 0;
}
