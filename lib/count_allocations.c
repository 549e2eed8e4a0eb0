/*
 * libtsprof-alloc.so, which `record --count-allocations` preloads: the allocator's
 * functions, with a count of bytes in front.  The bytes of a thread are those that it asked
 * for, by whatever is called; what realloc gives counts whole, and nothing is taken off again.
 *
 * The real functions are looked up when first called, which may itself allocate:
 * what comes meanwhile is served from a small memory of our own and never reused.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lib/allocated_bytes.h"

#define PUBLIC __attribute__((visibility("default")))
#define PUBLIC_AS(name) __attribute__((visibility("default"), alias(#name)))
#define THREAD _Thread_local __attribute__((tls_model("initial-exec")))

enum { EARLY_BYTES = 64 << 10, ALIGNMENT = 16, PAGE_BYTES = 4096 };

static struct {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *memory, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*aligned_alloc)(size_t alignment, size_t size);
	int (*posix_memalign)(void **ret_memory, size_t alignment, size_t size);
	void (*free)(void *memory);
} real;

static _Atomic bool has_real; /* release, pairs with find_real */
static _Atomic bool is_counting;
static THREAD uint64_t n_bytes;
static THREAD bool is_finding;

static _Alignas(ALIGNMENT) char early[EARLY_BYTES];
static _Atomic size_t n_early;

static bool is_early(const void *memory)
{
	return (uintptr_t)memory - (uintptr_t)early < EARLY_BYTES;
}

/* Zeroes; the size lies before them. */
static void *early_get(size_t alignment, size_t size)
{
	size_t end, start, at;

	if (alignment < ALIGNMENT)
		alignment = ALIGNMENT;
	start = atomic_load_explicit(&n_early, memory_order_relaxed);
	do {
		at = (start + ALIGNMENT + alignment - 1) & ~(alignment - 1);
		if (size > EARLY_BYTES || at > EARLY_BYTES - size)
			return NULL;
		end = (at + size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	} while (!atomic_compare_exchange_weak_explicit(&n_early, &start, end, memory_order_relaxed,
							memory_order_relaxed));
	memcpy(early + at - sizeof(size), &size, sizeof(size));
	return early + at;
}

/* C has no conversion between data and functions; POSIX wants them alike. */
static void find(void *ret_function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(ret_function, &found, sizeof(found));
}

/* False while this thread is just looking.  Two threads at once find the same. */
static bool find_real(void)
{
	if (atomic_load_explicit(&has_real, memory_order_acquire))
		return true;
	if (is_finding)
		return false;
	is_finding = true;
	find(&real.malloc, "malloc");
	find(&real.calloc, "calloc");
	find(&real.realloc, "realloc");
	find(&real.memalign, "memalign");
	find(&real.aligned_alloc, "aligned_alloc");
	find(&real.posix_memalign, "posix_memalign");
	find(&real.free, "free");
	atomic_store_explicit(&has_real, true, memory_order_release);
	is_finding = false;
	return true;
}

static void *counted(void *memory, size_t size)
{
	if (memory)
		n_bytes += size;
	return memory;
}

static void *counted_malloc(size_t size)
{
	return find_real() ? counted(real.malloc(size), size) : early_get(0, size);
}

static void *counted_calloc(size_t n, size_t size)
{
	if (find_real())
		return counted(real.calloc(n, size), n * size);
	return size && n > EARLY_BYTES / size ? NULL : early_get(0, n * size);
}

static void *early_move(const void *memory, size_t size)
{
	void *moved = counted_malloc(size);
	size_t old;

	memcpy(&old, (const char *)memory - sizeof(old), sizeof(old));
	if (moved)
		memcpy(moved, memory, old < size ? old : size);
	return moved;
}

static void *counted_realloc(void *memory, size_t size)
{
	if (memory && is_early(memory))
		return early_move(memory, size);
	return find_real() ? counted(real.realloc(memory, size), size) : early_get(0, size);
}

static void *counted_reallocarray(void *memory, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return counted_realloc(memory, total);
}

static void *counted_memalign(size_t alignment, size_t size)
{
	return find_real() ? counted(real.memalign(alignment, size), size)
			   : early_get(alignment, size);
}

static void *counted_aligned_alloc(size_t alignment, size_t size)
{
	return find_real() ? counted(real.aligned_alloc(alignment, size), size)
			   : early_get(alignment, size);
}

static int counted_posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	int r;

	if (!find_real()) {
		*ret_memory = early_get(alignment, size);
		return *ret_memory ? 0 : ENOMEM;
	}
	r = real.posix_memalign(ret_memory, alignment, size);
	if (r == 0)
		n_bytes += size;
	return r;
}

static size_t page_bytes(void)
{
	const long size = sysconf(_SC_PAGESIZE);

	return size > 0 ? (size_t)size : PAGE_BYTES;
}

static void *counted_valloc(size_t size)
{
	return counted_memalign(page_bytes(), size);
}

static void *counted_pvalloc(size_t size)
{
	const size_t page = page_bytes();

	if (size > SIZE_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	return counted_memalign(page, (size + page - 1) & ~(page - 1));
}

static void freed(void *memory)
{
	if (memory && !is_early(memory) && find_real())
		real.free(memory);
}

PUBLIC_AS(counted_malloc) void *malloc(size_t size);
PUBLIC_AS(counted_calloc) void *calloc(size_t n, size_t size);
PUBLIC_AS(counted_realloc) void *realloc(void *memory, size_t size);
PUBLIC_AS(counted_reallocarray) void *reallocarray(void *memory, size_t n, size_t size);
PUBLIC_AS(counted_memalign) void *memalign(size_t alignment, size_t size);
PUBLIC_AS(counted_aligned_alloc) void *aligned_alloc(size_t alignment, size_t size);
PUBLIC_AS(counted_posix_memalign)
int posix_memalign(void **ret_memory, size_t alignment, size_t size);
PUBLIC_AS(counted_valloc) void *valloc(size_t size);
PUBLIC_AS(counted_pvalloc) void *pvalloc(size_t size);
PUBLIC_AS(freed) void free(void *memory);

static const void *object_of(const void *address)
{
	Dl_info info;

	return address && dladdr(address, &info) ? info.dli_fbase : NULL;
}

/*
 * A program with an allocator of its own inside never comes here; and one whose
 * allocator has C++'s operator new as well comes here for a part only.
 */
__attribute__((constructor)) static void see_who_allocates(void)
{
	const void *ours = (const void *)(uintptr_t)counted_malloc;
	const void *used = dlsym(RTLD_DEFAULT, "malloc");
	const void *of_new = object_of(dlsym(RTLD_DEFAULT, "_Znwm"));
	const void *next = NULL;

	if (find_real())
		next = object_of((const void *)(uintptr_t)real.malloc);
	atomic_store_explicit(&is_counting, used == ours && next && of_new != next,
			      memory_order_relaxed);
}

PUBLIC uint64_t tsprof_allocated_bytes_1(void)
{
	return atomic_load_explicit(&is_counting, memory_order_relaxed) ? n_bytes
									: ALLOCATED_BYTES_UNKNOWN;
}
