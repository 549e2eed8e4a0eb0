/*
 * The programs and shared objects that mark.  Each has a switch of its own, so
 * that asking it costs one load.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/marks_client.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int tsprof_link_1(struct tsprof_link_ *link);

enum {
	LOCK_TRIES = 20000, /* seconds: where many threads want a CPU, the holder waits for one */
	LOCK_WAIT_NS = 100000,
	KERNEL_SIGSET_BYTES = 8,
};

static pthread_once_t link_once = PTHREAD_ONCE_INIT;
static _Atomic uint32_t is_locked; /* acquired and released as a lock */
static struct tsprof_link_ *links;
static _Atomic bool is_paused; /* relaxed: under the lock where it matters */

/*
 * Bounded, because whoever holds it may never come back: a fork may leave it held by
 * nobody.  A signal handler that marks must not find it held by what it interrupted.
 */
bool marks_lock(uint64_t *ret_signals)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_NS };
	const uint64_t all = ~UINT64_C(0);

	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &all, ret_signals,
		      (long)KERNEL_SIGSET_BYTES);
	for (int i = 0; i < LOCK_TRIES; i++) {
		uint32_t is_free = 0;

		if (atomic_compare_exchange_strong_explicit(
			    &is_locked, &is_free, 1, memory_order_acquire, memory_order_relaxed))
			return true;
		(void)syscall(SYS_nanosleep, &pause, NULL);
	}
	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, ret_signals, NULL,
		      (long)KERNEL_SIGSET_BYTES);
	return false;
}

void marks_unlock(const uint64_t *signals)
{
	atomic_store_explicit(&is_locked, 0, memory_order_release);
	(void)syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, signals, NULL,
		      (long)KERNEL_SIGSET_BYTES);
}

static bool are_links_on(void)
{
	return !atomic_load_explicit(&is_paused, memory_order_relaxed) &&
	       (marks_have_segment() || marks_can_connect());
}

static void link_set(struct tsprof_link_ *link, bool is_on)
{
	__atomic_store_n(&link->is_on, is_on, __ATOMIC_RELEASE);
}

void marks_links_update(void)
{
	const bool is_on = are_links_on();

	for (struct tsprof_link_ *link = links; link; link = link->next)
		link_set(link, is_on);
}

void marks_pause(bool shall_pause)
{
	uint64_t signals;

	if (!marks_lock(&signals))
		return;
	atomic_store_explicit(&is_paused, shall_pause, memory_order_relaxed);
	marks_links_update();
	marks_unlock(&signals);
}

/* Only the thread that forked is left, and the segments are its parent's. */
void marks_fork_child(void)
{
	const int saved = errno;

	atomic_store_explicit(&is_locked, 0, memory_order_relaxed);
	marks_places_fork_child();
	marks_thread_fork_child();
	marks_connect_fork_child();
	marks_links_update();
	errno = saved;
}

static void link_first(void)
{
	marks_thread_ends_expect();
	marks_environment_read();
	(void)pthread_atfork(NULL, NULL, marks_fork_child);
}

int tsprof_link_1(struct tsprof_link_ *link)
{
	const int saved = errno;
	uint64_t signals;
	bool is_known;

	if (!link || link->abi_version < 1)
		return -1;
	(void)pthread_once(&link_once, link_first);
	is_known = marks_lock(&signals);
	if (is_known && !link->api) {
		link->api = &marks_api;
		link->next = links;
		links = link;
		link_set(link, are_links_on());
	}
	if (is_known)
		marks_unlock(&signals);
	errno = saved;
	return is_known ? 0 : -1;
}

void marks_unlink(struct tsprof_link_ *link)
{
	const int saved = errno;
	uint64_t signals;

	link_set(link, false);
	if (!marks_lock(&signals))
		return;
	for (struct tsprof_link_ **at = &links; *at; at = &(*at)->next) {
		if (*at == link) {
			*at = link->next;
			break;
		}
	}
	marks_unlock(&signals);
	errno = saved;
}
