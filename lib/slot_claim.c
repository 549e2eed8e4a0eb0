/*
 * Segments of shared memory, and the slots for threads in them.  A segment is
 * made by the target and sent to the recorder, which has no need to answer: one
 * that is stopped or dead holds up nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/recorder_socket.h"
#include "lib/sigprof_client.h"

enum {
	N_SLOTS_FIRST = 16,
	N_SLOTS_MORE = 64,
	MAX_SEGMENTS = 512,
	KERNEL_SIGSET_BYTES = 8,
};

/* Segments are added under the lock and never removed, except by a fork's child. */
static struct client_segments {
	pthread_mutex_t lock;
	_Atomic size_t n_segments; /* released with its entry */
	struct sigprof_segment *segments[MAX_SEGMENTS];
	size_t size_bytes[MAX_SEGMENTS];
	uint64_t session;
	uint64_t parent_session;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t slots_end(uint32_t n_slots)
{
	const size_t bytes = SIGPROF_PAGE_BYTES + n_slots * sizeof(struct sigprof_slot);

	return (bytes + SIGPROF_PAGE_BYTES - 1) & ~(size_t)(SIGPROF_PAGE_BYTES - 1);
}

static struct sigprof_slot *slot_at(struct sigprof_segment *segment, uint32_t i)
{
	return (struct sigprof_slot *)(void *)((uint8_t *)segment + SIGPROF_PAGE_BYTES) + i;
}

/*
 * Sealed, so that the recorder can read it without fear of SIGBUS.  Under a
 * limit of address space, or of the size of files, smaller rings have to do.
 */
static struct sigprof_segment *segment_map(int memory_fd, uint32_t n_slots, uint64_t ring_bytes)
{
	struct sigprof_segment *segment;
	void *memory = MAP_FAILED;

	for (; ring_bytes >= SIGPROF_RING_MIN_BYTES; ring_bytes /= 2) {
		const size_t size_bytes = slots_end(n_slots) + n_slots * ring_bytes;

		if (recorder_memory_resize(memory_fd, size_bytes))
			memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_NORESERVE, memory_fd, 0);
		if (memory != MAP_FAILED)
			break;
	}
	if (memory == MAP_FAILED ||
	    fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return NULL;
	segment = memory;
	segment->magic = SIGPROF_WIRE_MAGIC;
	segment->n_slots = n_slots;
	segment->ring_bytes = ring_bytes;
	return segment;
}

static struct sigprof_segment *segment_new(enum sigprof_hello_kind kind, uint32_t n_slots)
{
	const struct client_options *options = client_options();
	struct sigprof_hello hello = {
		.magic = SIGPROF_WIRE_MAGIC,
		.version = SIGPROF_WIRE_VERSION,
		.session = state.session,
		.parent_session = state.parent_session,
		.time_ns = client_time_ns(),
		.kind = kind,
		.n_slots = n_slots,
		.pid = (uint32_t)getpid(),
	};
	struct sigprof_segment *segment = NULL;
	const int socket_fd = recorder_connect(options->socket_name);
	int memory_fd;

	if (socket_fd < 0)
		return NULL;
	memcpy(hello.token, options->token, sizeof(hello.token));
	memory_fd = (int)syscall(SYS_memfd_create, "tsprof", (long)MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory_fd >= 0)
		segment = segment_map(memory_fd, n_slots, options->ring_bytes);
	if (segment) {
		hello.ring_bytes = segment->ring_bytes;
		if (!recorder_send(socket_fd, memory_fd, &hello, sizeof(hello))) {
			(void)syscall(SYS_munmap, segment,
				      slots_end(n_slots) + n_slots * hello.ring_bytes);
			segment = NULL;
		}
	}
	if (memory_fd >= 0)
		(void)syscall(SYS_close, (long)memory_fd);
	(void)syscall(SYS_close, (long)socket_fd);
	return segment;
}

bool client_memory_is_there(const struct client_thread *thread)
{
	/* A set that cannot be read is EFAULT, else the first argument is EINVAL. */
	return syscall(SYS_rt_sigprocmask, ~0L, thread->slot, NULL, (long)KERNEL_SIGSET_BYTES) <
		       0 &&
	       errno != EFAULT;
}

static bool claim_in(struct client_thread *thread, struct sigprof_segment *segment)
{
	const uint32_t n_slots = segment->n_slots <= SIGPROF_MAX_SLOTS ? segment->n_slots : 0;

	for (uint32_t i = 0; i < n_slots; i++) {
		struct sigprof_slot *slot = slot_at(segment, i);
		uint32_t expected = SIGPROF_SLOT_FREE;

		/* Acquire: pairs with the recorder's release of the slot. */
		if (!atomic_compare_exchange_strong_explicit(&slot->state, &expected,
							     SIGPROF_SLOT_USED,
							     memory_order_acquire,
							     memory_order_relaxed))
			continue;
		thread->segment = segment;
		thread->ring_bytes = segment->ring_bytes;
		thread->ring = (uint8_t *)segment + slots_end(n_slots) + i * thread->ring_bytes;
		thread->head = atomic_load_explicit(&slot->head, memory_order_relaxed);
		thread->slot = slot;
		/* Whoever had it may have ended in the middle of a wait. */
		atomic_store_explicit(
			&slot->wait.sequence,
			(atomic_load_explicit(&slot->wait.sequence, memory_order_relaxed) | 1) + 1,
			memory_order_relaxed);
		return true;
	}
	return false;
}

static bool claim_anywhere(struct client_thread *thread)
{
	const size_t n_segments = atomic_load_explicit(&state.n_segments, memory_order_acquire);

	for (size_t i = n_segments; i > 0; i--) {
		const struct client_thread probed = { .slot = slot_at(state.segments[i - 1], 0) };

		if (!client_memory_is_there(&probed)) {
			client_set_mode(CLIENT_IS_OFF);
			return false;
		}
		if (claim_in(thread, state.segments[i - 1]))
			return true;
	}
	return false;
}

static bool claim_in_new(struct client_thread *thread, enum sigprof_hello_kind kind)
{
	const size_t n = atomic_load_explicit(&state.n_segments, memory_order_relaxed);
	const uint32_t n_slots = n ? N_SLOTS_MORE : N_SLOTS_FIRST;
	struct sigprof_segment *segment;

	if (n == MAX_SEGMENTS)
		return false;
	if (!n && getrandom(&state.session, sizeof(state.session), GRND_NONBLOCK) < 0)
		state.session = client_time_ns() ^ (uint64_t)getpid() << 40;
	segment = segment_new(kind, n_slots);
	if (!segment)
		return false;
	state.segments[n] = segment;
	state.size_bytes[n] = slots_end(n_slots) + n_slots * segment->ring_bytes;
	atomic_store_explicit(&state.n_segments, n + 1, memory_order_release);
	return claim_in(thread, segment);
}

bool client_slot_claim(struct client_thread *thread, enum sigprof_hello_kind kind)
{
	bool is_claimed = claim_anywhere(thread);

	if (is_claimed)
		return true;
	if (pthread_mutex_lock(&state.lock) != 0)
		return false;
	is_claimed = claim_anywhere(thread) ||
		     (client_mode() == CLIENT_RUNS && claim_in_new(thread, kind));
	(void)pthread_mutex_unlock(&state.lock);
	return is_claimed;
}

void client_slots_forget(void)
{
	const size_t n = atomic_load_explicit(&state.n_segments, memory_order_relaxed);

	for (size_t i = 0; i < n; i++)
		(void)syscall(SYS_munmap, state.segments[i], state.size_bytes[i]);
	atomic_store_explicit(&state.n_segments, 0, memory_order_relaxed);
	state.parent_session = state.session;
	state.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

bool client_slots_are_in(const void *start, size_t size_bytes)
{
	const size_t n = atomic_load_explicit(&state.n_segments, memory_order_acquire);
	const uintptr_t from = (uintptr_t)start;

	for (size_t i = 0; i < n; i++) {
		const uintptr_t segment = (uintptr_t)state.segments[i];

		if (from < segment + state.size_bytes[i] && segment < from + size_bytes)
			return true;
	}
	return false;
}
