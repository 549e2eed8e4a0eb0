/*
 * The writing end of a thread's ring, and all of marking that is not the fast
 * way.  The fast way gets room for STEP_BYTES at a time.  Between two steps an empty
 * ring goes back to its start when it is past REWIND_BYTES, so that only as much memory is
 * touched as there is backlog: what is skipped counts as used until the recorder
 * has passed it, so that there must be some to live on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/marks_client.h"

enum {
	RECORD_BYTES = sizeof(struct tsprof_record_),
	STEP_BYTES = 16 << 10,
	REWIND_BYTES = MARKS_RING_RESERVED_BYTES + STEP_BYTES,
};

_Thread_local struct marks_thread marks_thread;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* for its destructor alone */

static void thread_leave(struct marks_thread *thread)
{
	thread->fast.at = thread->fast.end = NULL;
	marks_threads_leave(thread);
	if (thread->slot && thread->generation == marks_generation())
		atomic_store_explicit(&thread->slot->state, MARKS_SLOT_ENDED, memory_order_release);
	thread->slot = NULL;
}

static void thread_end(void *unused)
{
	(void)unused;
	thread_leave(&marks_thread);
	marks_thread.has_ended = true;
}

static void key_make(void)
{
	if (pthread_key_create(&key, thread_end) != 0)
		key = (pthread_key_t)-1;
}

static bool slot_claim(struct marks_segment *segment, struct marks_thread *thread)
{
	unsigned char *memory = (unsigned char *)segment;
	struct marks_slot *slots = (struct marks_slot *)(void *)(memory + marks_slots_offset());

	for (uint32_t i = 0; i < segment->n_slots; i++) {
		uint32_t free_state = MARKS_SLOT_FREE;

		if (!atomic_compare_exchange_strong_explicit(&slots[i].state, &free_state,
							     MARKS_SLOT_USED, memory_order_acquire,
							     memory_order_relaxed))
			continue;
		slots[i].tid = (uint32_t)syscall(SYS_gettid);
		thread->slot = &slots[i];
		thread->ring = memory + marks_rings_offset(segment->n_slots) +
			       i * segment->ring_bytes;
		thread->fast.head = &slots[i].head;
		return true;
	}
	return false;
}

/* The calling thread with a slot in the segment of now; NULL when it gets none. */
static struct marks_thread *thread_get(struct marks_segment *segment)
{
	struct marks_thread *thread = &marks_thread;
	const uint32_t generation = marks_generation();

	if (thread->has_ended)
		return NULL;
	if (thread->slot && thread->generation == generation)
		return thread;
	thread->slot = NULL;
	thread->generation = generation;
	thread->fast.at = thread->fast.end = NULL;
	(void)pthread_once(&key_once, key_make);
	if (slot_claim(segment, thread)) {
		marks_threads_enter(thread);
		(void)pthread_setspecific(key, thread);
		return thread;
	}
	atomic_fetch_add_explicit(&segment->n_without_slot, 1, memory_order_relaxed);
	return NULL;
}

static void put_header(unsigned char *at, uint64_t time, uint32_t site, uint32_t what)
{
	const struct tsprof_record_ record = { .time = time, .site = site, .what = what };

	memcpy(at, &record, sizeof(record));
}

static void publish(struct marks_slot *slot, uint64_t head)
{
	__atomic_store_n(&slot->head, head, __ATOMIC_RELEASE);
}

/*
 * Room for a record of `size_bytes` in one piece, leaving `reserved` bytes free;
 * NULL when there is none.
 */
static unsigned char *room_get(struct marks_thread *thread, uint64_t ring_bytes,
			       uint64_t size_bytes, uint64_t reserved)
{
	struct marks_slot *slot = thread->slot;
	const uint64_t tail = atomic_load_explicit(&slot->tail, memory_order_acquire);
	const uint64_t offset = slot->head & (ring_bytes - 1);
	const uint64_t rest = ring_bytes - offset;
	const uint64_t used = slot->head - tail;
	const bool is_rewinding = used == 0 && offset >= REWIND_BYTES &&
				  offset >= size_bytes + reserved;
	const uint64_t skipped = rest < size_bytes || is_rewinding ? rest : 0;

	if (used > ring_bytes)
		return NULL;
	if (used + skipped + size_bytes + reserved > ring_bytes)
		return NULL;
	if (skipped) {
		put_header(thread->ring + offset, 0, 0, MARKS_WHAT_SKIP);
		publish(slot, slot->head + skipped);
	}
	return thread->ring + (slot->head & (ring_bytes - 1));
}

/* Let the fast way go on until the next step. */
static void fast_set(struct marks_thread *thread, const struct marks_segment *segment)
{
	const uint64_t ring_bytes = segment->ring_bytes;
	const uint64_t head = thread->slot->head;
	const uint64_t offset = head & (ring_bytes - 1);
	const uint64_t used = head -
			      atomic_load_explicit(&thread->slot->tail, memory_order_acquire);
	const uint64_t step = STEP_BYTES - offset % STEP_BYTES;

	thread->fast.at = thread->fast.end = thread->ring + offset;
	thread->fast.head_less_at = head - (uint64_t)(uintptr_t)thread->fast.at;
	if (segment->clock == MARKS_CLOCK_COUNTER &&
	    used + step + MARKS_RING_RESERVED_BYTES <= ring_bytes)
		__atomic_store_n(&thread->fast.end, thread->fast.at + step, __ATOMIC_SEQ_CST);
	if (thread->generation != marks_generation())
		thread->fast.end = NULL;
}

/* A whole record, payload included. */
static struct marks_thread *put_record(struct tsprof_site *site, uint32_t what, const void *bytes,
				       size_t size)
{
	struct marks_segment *segment = marks_segment();
	struct marks_thread *thread;
	const uint64_t size_bytes = RECORD_BYTES + ((size + RECORD_BYTES - 1) & ~(size_t)15);
	const bool is_error = (what & (MARKS_WHAT_CUT - 1)) == TSPROF_WHAT_ERROR;
	unsigned char *at;

	if (!segment || atomic_load_explicit(&segment->is_stopped, memory_order_relaxed))
		return NULL;
	thread = thread_get(segment);
	if (!thread)
		return NULL;
	at = room_get(thread, segment->ring_bytes, size_bytes,
		      is_error ? 0 : MARKS_RING_RESERVED_BYTES);
	if (!at) {
		atomic_fetch_add_explicit(&thread->slot->n_lost, 1, memory_order_relaxed);
		thread->fast.at = thread->fast.end = NULL;
		return thread;
	}
	put_header(at, marks_time(segment), site ? marks_site_id(segment, site) : 0,
		   what | (uint32_t)size << MARKS_WHAT_BITS);
	if (size)
		memcpy(at + RECORD_BYTES, bytes, size);
	publish(thread->slot, thread->slot->head + size_bytes);
	fast_set(thread, segment);
	return thread;
}

static struct tsprof_thread_ *marks_put(struct tsprof_site *site, uint32_t what)
{
	const int saved = errno;
	struct marks_thread *thread = put_record(site, what, NULL, 0);

	errno = saved;
	return thread ? &thread->fast : NULL;
}

static void marks_put_bytes(struct tsprof_site *site, uint32_t what, const void *bytes, size_t size)
{
	const int saved = errno;

	if (size > TSPROF_SNAPSHOT_MAX_BYTES) {
		size = TSPROF_SNAPSHOT_MAX_BYTES;
		what |= MARKS_WHAT_CUT;
	}
	(void)put_record(site, what, bytes, bytes ? size : 0);
	errno = saved;
}

static void marks_put_text(struct tsprof_site *site, uint32_t what, const char *format,
			   va_list values)
{
	const int saved = errno;
	char text[TSPROF_TEXT_MAX_BYTES + 1];
	int size;

	errno = saved; /* for %m */
	size = vsnprintf(text, sizeof(text), format, values);
	if (size < 0)
		size = 0;
	if ((size_t)size >= sizeof(text)) {
		size = TSPROF_TEXT_MAX_BYTES;
		what |= MARKS_WHAT_CUT;
	}
	(void)put_record(site, what, text, (size_t)size);
	errno = saved;
}

const struct tsprof_api_ marks_api = {
	.abi_version = TSPROF_ABI_VERSION,
	.size_bytes = sizeof(struct tsprof_api_),
	.put = marks_put,
	.put_bytes = marks_put_bytes,
	.put_text = marks_put_text,
};
