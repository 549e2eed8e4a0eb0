/*
 * The segments of this program, and who has which slot in them.  A slot is
 * found without a lock; only when there is none a segment is added.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/marks_client.h"

enum {
	N_SLOTS_FIRST = 16,
	N_SLOTS_MORE = 64,
	MAX_SEGMENTS = 64,
	/* What rings may take of memory, and the least of each that is of use. */
	SHARED_BYTES = 60 << 20,
	IDLE_BYTES = 8 << 20, /* more than that of rings without threads is given back */
	SHARE_STEP_BYTES = 16 << 10,
	SHARE_MIN_BYTES = 2 * SHARE_STEP_BYTES + MARKS_RING_RESERVED_BYTES,
};

/*
 * Wiped in a fork's child, where it says that the segments are not ours.  Stays
 * mapped for ever, as objects that mark keep pointers into it.
 */
struct threads {
	uint64_t is_here;
	struct marks_thread of_slot[];
};

struct room {
	struct marks_segment *segment;
	size_t size_bytes;
	struct threads *threads;
	uint32_t n_slots;
	bool is_ours; /* to unmap */
};

/* Added under the lock, with the count released; emptied by stops and forks. */
static struct room rooms[MAX_SEGMENTS];
static _Atomic uint32_t n_rooms;
static struct room left[MAX_SEGMENTS]; /* under the lock; those that nobody marks into any more */
static uint32_t n_left;
static _Atomic uint32_t generation; /* seq_cst: see marks_segments_leave */
static _Atomic uint32_t n_placed;   /* relaxed; threads that have a slot */
static _Atomic uint64_t n_idle;	    /* relaxed; bytes that the others' rings have touched */

uint32_t marks_generation(void)
{
	return atomic_load(&generation);
}

static void generation_next(void)
{
	atomic_fetch_add(&generation, 1);
}

bool marks_have_segment(void)
{
	return atomic_load_explicit(&n_rooms, memory_order_acquire) > 0;
}

uint64_t marks_ring_share(uint64_t ring_bytes)
{
	const uint32_t n = atomic_load_explicit(&n_placed, memory_order_relaxed);
	const uint64_t idle = atomic_load_explicit(&n_idle, memory_order_relaxed);
	const uint64_t rest = idle < SHARED_BYTES ? SHARED_BYTES - idle : 0;
	const uint64_t share = rest / (n ? n : 1) / SHARE_STEP_BYTES * SHARE_STEP_BYTES;

	if (share < SHARE_MIN_BYTES)
		return SHARE_MIN_BYTES;
	return share < ring_bytes ? share : ring_bytes;
}

static struct marks_slot *slots_of(struct marks_segment *segment)
{
	return (struct marks_slot *)(void *)((unsigned char *)segment + marks_slots_offset());
}

static struct threads *threads_new(uint32_t n_slots)
{
	const size_t bytes = sizeof(struct threads) + n_slots * sizeof(struct marks_thread);
	struct threads *threads = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (threads == MAP_FAILED)
		return NULL;
	if (madvise(threads, bytes, MADV_WIPEONFORK) < 0) {
		(void)syscall(SYS_munmap, threads, bytes);
		return NULL;
	}
	threads->is_here = 1;
	return threads;
}

/* With the lock held. */
static bool room_add(struct marks_segment *segment, size_t size_bytes, bool is_ours)
{
	const uint32_t n = atomic_load_explicit(&n_rooms, memory_order_relaxed);
	struct threads *threads = n < MAX_SEGMENTS ? threads_new(segment->n_slots) : NULL;

	if (!threads)
		return false;
	rooms[n] = (struct room){ segment, size_bytes, threads, segment->n_slots, is_ours };
	/* With sites: who adds one sees this segment, or is seen here. */
	atomic_store(&n_rooms, n + 1);
	marks_sites_publish(segment);
	return true;
}

void marks_segments_each(void (*tell)(struct marks_segment *segment, uint32_t index),
			 uint32_t index)
{
	const uint32_t n = atomic_load(&n_rooms);

	for (uint32_t i = 0; i < n; i++)
		tell(rooms[i].segment, index);
}

static struct marks_thread *slot_claim(const struct room *room, uint32_t i)
{
	struct marks_slot *slot = &slots_of(room->segment)[i];
	struct marks_thread *thread = &room->threads->of_slot[i];
	uint32_t free_state = MARKS_SLOT_FREE;

	/* Acquire: pairs with the recorder's release of the slot. */
	if (!atomic_compare_exchange_strong_explicit(&slot->state, &free_state, MARKS_SLOT_USED,
						     memory_order_acquire, memory_order_relaxed))
		return NULL;
	slot->tid = (uint32_t)syscall(SYS_gettid);
	thread->fast = (struct tsprof_thread_){ .head = &slot->head };
	thread->segment = room->segment;
	thread->ring = (unsigned char *)room->segment + marks_rings_offset(room->n_slots) +
		       i * room->segment->ring_bytes;
	thread->slot = slot;
	atomic_fetch_add_explicit(&n_placed, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&n_idle, thread->touched_bytes, memory_order_relaxed);
	return thread;
}

static struct marks_thread *claim_anywhere(void)
{
	const uint32_t n = atomic_load_explicit(&n_rooms, memory_order_acquire);

	for (uint32_t r = n; r > 0; r--) {
		const struct room *room = &rooms[r - 1];

		for (uint32_t i = 0; i < room->n_slots; i++) {
			struct marks_thread *thread = slot_claim(room, i);

			if (thread)
				return thread;
		}
	}
	return NULL;
}

/* With the lock held. */
static bool segment_add(void)
{
	const uint32_t n = atomic_load_explicit(&n_rooms, memory_order_relaxed);
	struct marks_segment *segment;
	size_t size_bytes;

	if (!marks_can_connect() || n == MAX_SEGMENTS)
		return false;
	segment = marks_segment_new(n ? N_SLOTS_MORE : N_SLOTS_FIRST, &size_bytes);
	if (segment && room_add(segment, size_bytes, true))
		return true;
	if (segment)
		(void)syscall(SYS_munmap, segment, size_bytes);
	if (!n) {
		marks_gone();
		marks_links_update();
	}
	return false;
}

/* A child of a fork that the C library was not told of. */
static bool is_stranger(void)
{
	return atomic_load_explicit(&n_rooms, memory_order_acquire) > 0 &&
	       !rooms[0].threads->is_here;
}

static struct marks_thread *claim_in_new(void)
{
	struct marks_thread *thread;
	uint64_t signals;

	if (!marks_lock(&signals))
		return NULL;
	thread = claim_anywhere();
	if (!thread && segment_add())
		thread = claim_anywhere();
	marks_unlock(&signals);
	return thread;
}

struct marks_thread *marks_place_claim(void)
{
	struct marks_thread *thread;
	uint32_t now;

	if (is_stranger())
		marks_fork_child();
	now = marks_generation();
	thread = claim_anywhere();
	if (!thread && marks_can_connect())
		thread = claim_in_new();
	if (thread) {
		thread->generation = now;
		thread->lost.n_open = thread->lost.n_deeper = 0;
	}
	return thread;
}

void marks_homeless_count(void)
{
	if (marks_have_segment())
		atomic_fetch_add_explicit(&rooms[0].segment->n_without_slot, 1,
					  memory_order_relaxed);
}

/* A ring that everything has been read of; its slot is nobody's for a moment. */
static void give_back(const struct room *room, uint32_t i)
{
	struct marks_thread *thread = &room->threads->of_slot[i];
	struct marks_slot *slot = &slots_of(room->segment)[i];
	uint32_t free_state = MARKS_SLOT_FREE;

	/* Acquire: pairs with the release of the slot; its figures are ours from here. */
	if (!atomic_compare_exchange_strong_explicit(&slot->state, &free_state, MARKS_SLOT_USED,
						     memory_order_acquire, memory_order_relaxed))
		return;
	if (thread->touched_bytes &&
	    madvise(thread->ring, thread->touched_bytes, MADV_REMOVE) == 0) {
		atomic_fetch_sub_explicit(&n_idle, thread->touched_bytes, memory_order_relaxed);
		thread->touched_bytes = 0;
	}
	atomic_store_explicit(&slot->state, MARKS_SLOT_FREE, memory_order_release);
}

static void give_idle_back(void)
{
	const uint32_t n = atomic_load_explicit(&n_rooms, memory_order_acquire);
	uint64_t signals;

	if (atomic_load_explicit(&n_idle, memory_order_relaxed) < IDLE_BYTES ||
	    !marks_lock(&signals))
		return;
	for (uint32_t r = 0; r < n; r++)
		for (uint32_t i = 0; i < rooms[r].n_slots; i++)
			give_back(&rooms[r], i);
	marks_unlock(&signals);
}

void marks_place_leave(struct marks_thread *thread)
{
	struct marks_slot *slot = thread->slot;

	thread->fast.at = thread->fast.end = NULL;
	thread->slot = NULL;
	if (!slot || thread->generation != marks_generation())
		return;
	atomic_fetch_sub_explicit(&n_placed, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&n_idle, thread->touched_bytes, memory_order_relaxed);
	/* Pairs with the recorder's acquire: no more will come. */
	atomic_store_explicit(&slot->state, MARKS_SLOT_ENDED, memory_order_release);
	give_idle_back();
}

/* A thread that gets room meanwhile looks at the generation after it took it. */
void marks_segments_leave(void)
{
	const uint32_t n = atomic_load(&n_rooms);

	generation_next();
	atomic_store_explicit(&n_placed, 0, memory_order_relaxed);
	atomic_store_explicit(&n_idle, 0, memory_order_relaxed);
	for (uint32_t r = 0; r < n; r++)
		for (uint32_t i = 0; i < rooms[r].n_slots; i++)
			__atomic_store_n(&rooms[r].threads->of_slot[i].fast.end, NULL,
					 __ATOMIC_SEQ_CST);
	for (uint32_t r = 0; r < n && n_left < MAX_SEGMENTS; r++)
		if (rooms[r].is_ours)
			left[n_left++] = rooms[r];
	atomic_store(&n_rooms, 0);
}

/* Of the rings, and the memory alone: a mark that is just being written needs its place. */
void marks_segments_give_back(void)
{
	while (n_left) {
		const struct room *room = &left[--n_left];
		const size_t rings = marks_rings_offset(room->n_slots);

		(void)madvise((unsigned char *)room->segment + rings, room->size_bytes - rings,
			      MADV_REMOVE);
	}
}

bool marks_start(void *memory, size_t size_bytes)
{
	struct marks_segment *segment = memory;
	const uint64_t ring_bytes = segment->ring_bytes;
	uint64_t signals;
	bool is_added;

	if (segment->n_slots == 0 || segment->n_slots > MARKS_MAX_SLOTS ||
	    ring_bytes < MARKS_RING_MIN_BYTES || ring_bytes > MARKS_RING_MAX_BYTES ||
	    ring_bytes & (ring_bytes - 1) ||
	    size_bytes < marks_segment_bytes(segment->n_slots, ring_bytes) || !marks_lock(&signals))
		return false;
	segment->magic = MARKS_WIRE_MAGIC;
	segment->version = MARKS_WIRE_VERSION;
	marks_clock_set(segment);
	marks_gone();
	marks_segments_leave();
	is_added = room_add(segment, size_bytes, false);
	marks_links_update();
	marks_unlock(&signals);
	return is_added;
}

static void stop(bool is_read)
{
	uint64_t signals;

	if (!marks_lock(&signals))
		return;
	marks_gone();
	marks_segments_leave();
	if (is_read)
		marks_segments_give_back();
	marks_links_update();
	marks_unlock(&signals);
}

void marks_stop(void)
{
	stop(false);
}

void marks_stop_for_good(void)
{
	stop(true);
}

void marks_places_fork_child(void)
{
	const uint32_t n = atomic_load_explicit(&n_rooms, memory_order_relaxed);

	generation_next();
	atomic_store_explicit(&n_rooms, 0, memory_order_relaxed);
	atomic_store_explicit(&n_placed, 0, memory_order_relaxed);
	atomic_store_explicit(&n_idle, 0, memory_order_relaxed);
	for (uint32_t r = 0; r < n; r++)
		if (rooms[r].is_ours)
			(void)syscall(SYS_munmap, rooms[r].segment, rooms[r].size_bytes);
	/* Their memory is the parent's to give back. */
	n_left = 0;
}
