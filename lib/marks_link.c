/*
 * The programs and shared objects that mark, the threads that do, and the
 * segment that they mark into.  Each object has a switch of its own, so that asking
 * it costs one load.  A forked child marks nothing until it gets a segment.
 */
#include <pthread.h>
#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "lib/marks_client.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int tsprof_link_1(struct tsprof_link_ *link);
PUBLIC void tsprof_unlink_1(struct tsprof_link_ *link);

/* Held for moments when objects and threads come and go; not by a mark but a thread's first. */
static pthread_mutex_t links_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static struct tsprof_link_ *links;
static struct marks_thread *threads;
static struct marks_segment *_Atomic current; /* release, pairs with marks_segment */
static _Atomic uint32_t generation;	      /* seq_cst: see marks_start */

static void link_set(struct tsprof_link_ *link, bool is_on)
{
	__atomic_store_n(&link->is_on, is_on, __ATOMIC_RELEASE);
}

int tsprof_link_1(struct tsprof_link_ *link)
{
	(void)pthread_mutex_lock(&links_lock);
	if (!link->api) {
		link->api = &marks_api;
		link->next = links;
		links = link;
		link_set(link, marks_segment() != NULL);
	}
	(void)pthread_mutex_unlock(&links_lock);
	return 0;
}

void tsprof_unlink_1(struct tsprof_link_ *link)
{
	(void)pthread_mutex_lock(&links_lock);
	link_set(link, false);
	for (struct tsprof_link_ **at = &links; *at; at = &(*at)->next) {
		if (*at == link) {
			*at = link->next;
			break;
		}
	}
	(void)pthread_mutex_unlock(&links_lock);
}

static void all_links_set(bool is_on)
{
	for (struct tsprof_link_ *link = links; link; link = link->next)
		link_set(link, is_on);
}

static void thread_unlist(struct marks_thread *thread)
{
	if (!thread->from)
		return;
	*thread->from = thread->next;
	if (thread->next)
		thread->next->from = thread->from;
	thread->from = NULL;
}

static void thread_list(struct marks_thread *thread)
{
	thread_unlist(thread);
	thread->next = threads;
	thread->from = &threads;
	if (threads)
		threads->from = &thread->next;
	threads = thread;
}

void marks_threads_enter(struct marks_thread *thread)
{
	(void)pthread_mutex_lock(&links_lock);
	thread_list(thread);
	(void)pthread_mutex_unlock(&links_lock);
}

void marks_threads_leave(struct marks_thread *thread)
{
	(void)pthread_mutex_lock(&links_lock);
	thread_unlist(thread);
	(void)pthread_mutex_unlock(&links_lock);
}

static void fork_prepare(void)
{
	(void)pthread_mutex_lock(&links_lock);
}

static void fork_parent(void)
{
	(void)pthread_mutex_unlock(&links_lock);
}

/* Only the thread that forked is left, and the ring is its parent's. */
static void fork_child(void)
{
	all_links_set(false);
	atomic_store(&current, NULL);
	atomic_fetch_add(&generation, 1);
	threads = NULL;
	marks_thread = (struct marks_thread){ .has_ended = marks_thread.has_ended };
	(void)pthread_mutex_unlock(&links_lock);
}

static void fork_watch(void)
{
	(void)pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* What a thread has room for is in the last segment. */
static void all_threads_forget(void)
{
	for (struct marks_thread *thread = threads; thread; thread = thread->next)
		__atomic_store_n(&thread->fast.end, NULL, __ATOMIC_SEQ_CST);
}

struct marks_segment *marks_segment(void)
{
	return atomic_load_explicit(&current, memory_order_acquire);
}

uint32_t marks_generation(void)
{
	return atomic_load(&generation);
}

/* Does the counter run at one rate, on all CPUs alike, whatever they do? */
static bool has_even_counter(void)
{
#if defined(__x86_64__)
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & 1 << 8;
#elif defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t marks_time(const struct marks_segment *segment)
{
	return segment->clock == MARKS_CLOCK_COUNTER ? tsprof_time_() : monotonic_ns();
}

bool marks_start(void *memory, size_t size_bytes)
{
	struct marks_segment *segment = memory;
	const uint64_t ring_bytes = segment->ring_bytes;

	if (segment->n_slots == 0 || segment->n_slots > MARKS_MAX_SLOTS ||
	    ring_bytes < MARKS_RING_MIN_BYTES || ring_bytes > MARKS_RING_MAX_BYTES ||
	    ring_bytes & (ring_bytes - 1) ||
	    size_bytes < marks_segment_bytes(segment->n_slots, ring_bytes))
		return false;
	segment->magic = MARKS_WIRE_MAGIC;
	segment->version = MARKS_WIRE_VERSION;
	segment->clock = has_even_counter() ? MARKS_CLOCK_COUNTER : MARKS_CLOCK_MONOTONIC;
	segment->start_ns = monotonic_ns();
	segment->start_time = marks_time(segment);
	marks_sites_publish(segment);
	(void)pthread_once(&fork_once, fork_watch);
	(void)pthread_mutex_lock(&links_lock);
	/* A thread that gets room meanwhile looks at the generation after it took it. */
	atomic_store_explicit(&current, segment, memory_order_release);
	atomic_fetch_add(&generation, 1);
	all_threads_forget();
	all_links_set(true);
	(void)pthread_mutex_unlock(&links_lock);
	return true;
}

void marks_pause(bool is_paused)
{
	(void)pthread_mutex_lock(&links_lock);
	all_links_set(!is_paused && marks_segment());
	(void)pthread_mutex_unlock(&links_lock);
}

void marks_stop(void)
{
	(void)pthread_mutex_lock(&links_lock);
	all_links_set(false);
	atomic_store_explicit(&current, NULL, memory_order_release);
	atomic_fetch_add(&generation, 1);
	all_threads_forget();
	(void)pthread_mutex_unlock(&links_lock);
}
