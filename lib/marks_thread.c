/* The marks of a thread, all but the fast way of tsprof.h. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/marks_client.h"

enum {
	RECORD_BYTES = sizeof(struct tsprof_record_),
	HOMELESS_TRIES_EACH = 256, /* marks of a thread that found no place, until it asks again */
	ABANDONED_NS = 1000000000,
	ENDS_BYTES = 256 * RECORD_BYTES, /* as deep as the recorder follows */
};

static _Thread_local struct own {
	struct marks_thread *thread; /* NULL while it has no place */
	uint32_t n_homeless;
	uint32_t generation; /* in which it has been homeless so often */
	bool is_inside;	     /* of this file, for what interrupts it */
	uint64_t stuck_at;   /* the head when a mark was first found interrupted, … */
	uint64_t stuck_ns;   /* … and when that was */
	uint32_t n_end_rounds;
	bool has_ended;
} own __attribute__((tls_model("initial-exec")));

static pthread_key_t key; /* for its destructor alone */
static bool has_key;

/*
 * Late, as the destructors of others may mark, but not in the last round: sanitizers, which
 * a program that is linked with us may be built with, take leave of their threads there.
 */
static void thread_end(void *unused)
{
	if (++own.n_end_rounds < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
		(void)pthread_setspecific(key, unused);
		return;
	}
	own.has_ended = true;
	if (own.thread)
		marks_place_leave(own.thread);
	own.thread = NULL;
}

void marks_thread_ends_expect(void)
{
	has_key = pthread_key_create(&key, thread_end) == 0;
}

void marks_thread_fork_child(void)
{
	own.thread = NULL;
	own.is_inside = false;
}

/* The calling thread with a slot in a segment of now; NULL when it gets none. */
static struct marks_thread *thread_get(void)
{
	const uint32_t generation = marks_generation();

	if (own.thread && own.thread->slot && own.thread->generation == generation)
		return own.thread;
	own.thread = NULL;
	if (own.generation != generation)
		own.n_homeless = 0;
	own.generation = generation;
	if (!own.has_ended && own.n_homeless++ % HOMELESS_TRIES_EACH == 0)
		own.thread = marks_place_claim();
	if (!own.thread) {
		marks_homeless_count();
		return NULL;
	}
	own.n_homeless = 0;
	if (has_key)
		(void)pthread_setspecific(key, own.thread);
	return own.thread;
}

/*
 * A handler's mark that interrupts another is dropped.  But a handler may have
 * left by a long jump, and the mark is never finished: that is the case
 * when after a second there is still no further record.
 */
static bool is_abandoned(void)
{
	/* A child of a bare clone in a handler has its parent's thread, which is wiped. */
	const uint64_t head = own.thread && own.thread->slot ? own.thread->slot->head : 0;
	const uint64_t now_ns = marks_monotonic_ns();

	if (!own.stuck_ns || own.stuck_at != head) {
		own.stuck_at = head;
		own.stuck_ns = now_ns;
	}
	return now_ns - own.stuck_ns > ABANDONED_NS;
}

/* False in a handler that interrupts a mark: then there is nothing to leave. */
static bool enter(void)
{
	struct marks_thread *thread = own.thread && own.thread->slot ? own.thread : NULL;

	if ((own.is_inside || (thread && thread->fast.is_busy)) && !is_abandoned()) {
		if (thread)
			atomic_fetch_add_explicit(&thread->slot->n_lost, 1, memory_order_relaxed);
		return false;
	}
	own.is_inside = true;
	if (thread)
		thread->fast.is_busy = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

static void leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	if (own.thread)
		own.thread->fast.is_busy = 0;
	own.is_inside = false;
}

/* No room: the next one has to ask again. */
static struct marks_thread *lose(struct marks_thread *thread)
{
	atomic_fetch_add_explicit(&thread->slot->n_lost, 1, memory_order_relaxed);
	thread->fast.at = thread->fast.end = NULL;
	return thread;
}

/*
 * How much of the ring is to be kept free: nothing for ends of what has begun; enough
 * for those of all that may be open for what tells of errors, of which there may be any number;
 * half for milestones, which are few and divide the run.
 */
static uint64_t reserved_for(uint32_t what)
{
	const uint32_t kind = what & (MARKS_WHAT_CUT - 1);

	if (kind == TSPROF_WHAT_END)
		return 0;
	if (kind == TSPROF_WHAT_ERROR)
		return ENDS_BYTES;
	return kind == TSPROF_WHAT_MILESTONE || kind == TSPROF_WHAT_DATA
		       ? MARKS_RING_RESERVED_BYTES / 2
		       : MARKS_RING_RESERVED_BYTES;
}

/* Where the record goes, if there is room; keeps account of scopes that are not known. */
static unsigned char *find_room(struct marks_thread *thread, const struct tsprof_site *site,
				uint32_t what, uint64_t size_bytes)
{
	struct marks_lost *lost = &thread->lost;
	const bool is_known = marks_lost_any(lost);
	unsigned char *at = NULL;

	if (what == TSPROF_WHAT_END && is_known && marks_lost_end(lost, site))
		return NULL;
	if (what != TSPROF_WHAT_BEGIN || !marks_lost_is_full(lost))
		at = marks_room_get(thread, size_bytes, reserved_for(what));
	if (what == TSPROF_WHAT_BEGIN && (is_known || !at))
		marks_lost_begin(lost, site, !at);
	return at;
}

/* A whole record, payload included. */
static struct marks_thread *put_record(struct tsprof_site *site, uint32_t what, const void *bytes,
				       size_t size)
{
	struct marks_thread *thread = thread_get();
	const uint64_t size_bytes = RECORD_BYTES + ((size + RECORD_BYTES - 1) & ~(size_t)15);
	struct tsprof_record_ record = { .what = what | (uint32_t)size << MARKS_WHAT_BITS };
	unsigned char *at;

	if (!thread)
		return NULL;
	if (atomic_load_explicit(&thread->segment->is_stopped, memory_order_relaxed)) {
		marks_stop(); /* the recorder wants no more */
		return NULL;
	}
	at = find_room(thread, site, what, size_bytes);
	if (!at)
		return lose(thread);
	record.site = site ? marks_site_id(site) : 0;
	record.time = marks_time(thread->segment);
	memcpy(at, &record, sizeof(record));
	if (size)
		memcpy(at + RECORD_BYTES, bytes, size);
	/* Pairs with the recorder's acquire. */
	__atomic_store_n(&thread->slot->head, thread->slot->head + size_bytes, __ATOMIC_RELEASE);
	if (marks_lost_any(&thread->lost))
		thread->fast.at = thread->fast.end = NULL;
	else
		marks_room_open(thread);
	return thread;
}

static struct tsprof_thread_ *marks_put(struct tsprof_site *site, uint32_t what)
{
	const int saved = errno;
	struct marks_thread *thread = NULL;

	if (enter()) {
		thread = put_record(site, what, NULL, 0);
		leave();
	}
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
	if (enter()) {
		(void)put_record(site, what, bytes, bytes ? size : 0);
		leave();
	}
	errno = saved;
}

static void marks_put_text(struct tsprof_site *site, uint32_t what, const char *format,
			   va_list values)
{
	const int saved = errno;
	char text[TSPROF_TEXT_MAX_BYTES + 1];
	int size;

	size = vsnprintf(text, sizeof(text), format, values);
	if (size < 0)
		size = 0;
	if ((size_t)size >= sizeof(text)) {
		size = TSPROF_TEXT_MAX_BYTES;
		what |= MARKS_WHAT_CUT;
	}
	if (enter()) {
		(void)put_record(site, what, text, (size_t)size);
		leave();
	}
	errno = saved;
}

const struct tsprof_api_ marks_api = {
	.abi_version = TSPROF_ABI_VERSION,
	.size_bytes = sizeof(struct tsprof_api_),
	.put = marks_put,
	.put_bytes = marks_put_bytes,
	.put_text = marks_put_text,
	.unlink = marks_unlink,
	.costs_now = marks_costs_now,
	.put_costs = marks_put_costs,
};
