/*
 * Memory that the recorder is sent.  It has no need to answer: one that is
 * stopped holds up nothing, and when there is none all marking ends, for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "lib/marks_client.h"
#include "lib/recorder_socket.h"

static struct marks_address address;	/* before can_connect */
static _Atomic bool can_connect;	/* release, pairs with marks_can_connect */
static uint64_t session;		/* under the lock; 0: none yet */
static _Atomic enum marks_clock clock_; /* relaxed; 0 until chosen, always alike */

uint64_t marks_monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
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

uint64_t marks_time(const struct marks_segment *segment)
{
	return segment->clock == MARKS_CLOCK_COUNTER ? tsprof_time_() : marks_monotonic_ns();
}

void marks_clock_set(struct marks_segment *segment)
{
	enum marks_clock chosen = atomic_load_explicit(&clock_, memory_order_relaxed);

	if (!chosen) {
		chosen = has_even_counter() ? MARKS_CLOCK_COUNTER : MARKS_CLOCK_MONOTONIC;
		atomic_store_explicit(&clock_, chosen, memory_order_relaxed);
	}
	segment->clock = chosen;
	segment->start_ns = marks_monotonic_ns();
	segment->start_time = marks_time(segment);
}

bool marks_can_connect(void)
{
	return atomic_load_explicit(&can_connect, memory_order_acquire);
}

bool marks_open(const char *text)
{
	struct marks_address parsed;
	uint64_t signals;

	if (!marks_address_parse(&parsed, text) || parsed.ring_bytes < MARKS_RING_MIN_BYTES ||
	    parsed.ring_bytes > MARKS_RING_MAX_BYTES ||
	    (parsed.ring_bytes & (parsed.ring_bytes - 1)) || !marks_lock(&signals))
		return false;
	/* Of a recorder that was killed, or ended by itself. */
	marks_segments_leave();
	marks_segments_give_back();
	address = parsed;
	session = 0;
	atomic_store_explicit(&can_connect, true, memory_order_release);
	marks_links_update();
	marks_unlock(&signals);
	return true;
}

void marks_environment_read(void)
{
	const char *text = secure_getenv(MARKS_ENVIRONMENT);

	if (text)
		(void)marks_open(text);
}

void marks_gone(void)
{
	atomic_store_explicit(&can_connect, false, memory_order_relaxed);
}

void marks_connect_fork_child(void)
{
	session = 0;
}

/*
 * Sealed, so that the recorder can read it without fear of SIGBUS.  Under a
 * limit of address space, or of the size of files, smaller rings have to do, and then fewer.
 */
static struct marks_segment *segment_map(int memory_fd, uint32_t *n_slots, uint64_t *ring_bytes)
{
	struct marks_segment *segment;
	void *memory = MAP_FAILED;

	while (*n_slots) {
		const size_t size_bytes = marks_segment_bytes(*n_slots, *ring_bytes);

		if (recorder_memory_resize(memory_fd, size_bytes))
			memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_NORESERVE, memory_fd, 0);
		if (memory != MAP_FAILED)
			break;
		if (*ring_bytes > MARKS_RING_MIN_BYTES)
			*ring_bytes /= 2;
		else
			*n_slots /= 2;
	}
	if (memory == MAP_FAILED)
		return NULL;
	if (fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		(void)syscall(SYS_munmap, memory, marks_segment_bytes(*n_slots, *ring_bytes));
		return NULL;
	}
	segment = memory;
	segment->n_slots = *n_slots;
	segment->ring_bytes = *ring_bytes;
	return segment;
}

static bool segment_send(int socket_fd, int memory_fd, const struct marks_segment *segment)
{
	struct marks_hello hello = {
		.magic = MARKS_WIRE_MAGIC,
		.version = MARKS_WIRE_VERSION,
		.time_ns = marks_monotonic_ns(),
		.ring_bytes = segment->ring_bytes,
		.kind = MARKS_HELLO_SEGMENT,
		.n_slots = segment->n_slots,
	};

	if (!session && getrandom(&session, sizeof(session), GRND_NONBLOCK) < 0)
		session = hello.time_ns ^ (uint64_t)getpid() << 40;
	hello.session = session;
	memcpy(hello.token, address.token, sizeof(hello.token));
	return recorder_send(socket_fd, memory_fd, &hello, sizeof(hello));
}

bool marks_is_recorder_there(void)
{
	const int socket_fd = marks_can_connect() ? recorder_connect(address.socket_name) : -1;

	if (socket_fd >= 0)
		(void)syscall(SYS_close, (long)socket_fd);
	return socket_fd >= 0;
}

bool marks_ask(uint32_t request, int reply_fd)
{
	struct marks_hello hello = {
		.magic = MARKS_WIRE_MAGIC,
		.version = MARKS_WIRE_VERSION,
		.time_ns = marks_monotonic_ns(),
		.kind = MARKS_HELLO_REQUEST,
		.n_slots = request,
	};
	const int socket_fd = marks_can_connect() ? recorder_connect(address.socket_name) : -1;
	bool is_sent;

	if (socket_fd < 0)
		return false;
	memcpy(hello.token, address.token, sizeof(hello.token));
	is_sent = recorder_send(socket_fd, reply_fd, &hello, sizeof(hello));
	(void)syscall(SYS_close, (long)socket_fd);
	return is_sent;
}

bool marks_recorder_is_gone(void)
{
	const int socket_fd = marks_can_connect() ? recorder_connect(address.socket_name) : -1;

	if (socket_fd < 0)
		return marks_can_connect() && errno == ECONNREFUSED;
	(void)syscall(SYS_close, (long)socket_fd);
	return false;
}

struct marks_segment *marks_segment_new(uint32_t n_slots, size_t *ret_size_bytes)
{
	uint64_t ring_bytes = address.ring_bytes;
	struct marks_segment *segment = NULL;
	const int socket_fd = recorder_connect(address.socket_name);
	int memory_fd;

	if (socket_fd < 0)
		return NULL;
	memory_fd = (int)syscall(SYS_memfd_create, "tsprof-marks",
				 (long)MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory_fd >= 0)
		segment = segment_map(memory_fd, &n_slots, &ring_bytes);
	if (segment) {
		*ret_size_bytes = marks_segment_bytes(n_slots, ring_bytes);
		segment->magic = MARKS_WIRE_MAGIC;
		segment->version = MARKS_WIRE_VERSION;
		marks_clock_set(segment);
		if (!segment_send(socket_fd, memory_fd, segment)) {
			(void)syscall(SYS_munmap, segment, *ret_size_bytes);
			segment = NULL;
		}
	}
	if (memory_fd >= 0)
		(void)syscall(SYS_close, (long)memory_fd);
	(void)syscall(SYS_close, (long)socket_fd);
	return segment;
}
