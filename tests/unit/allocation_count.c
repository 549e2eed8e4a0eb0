/* Counting in front of glibc's allocator, or behind AddressSanitizer's. */
#include "allocation_count.h"

#include <stddef.h>
#include <stdlib.h>

static uint64_t n_allocations;

uint64_t allocation_count(void)
{
	return n_allocations;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_SANITIZER)

/* From sanitizer/allocator_interface.h, which gcc does not install. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *memory,
								size_t size),
					      void (*on_free)(const volatile void *memory));

static void count_allocation(const volatile void *memory, size_t size)
{
	(void)memory;
	(void)size;
	n_allocations++;
}

static void ignore_free(const volatile void *memory)
{
	(void)memory;
}

__attribute__((constructor)) static void count_from_now_on(void)
{
	(void)__sanitizer_install_malloc_and_free_hooks(count_allocation, ignore_free);
}

#else

/* glibc's names for what a program may replace (its manual, "Replacing malloc"). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n_items, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	n_allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n_items, size_t size)
{
	n_allocations++;
	return __libc_calloc(n_items, size);
}

void *realloc(void *memory, size_t size)
{
	n_allocations++;
	return __libc_realloc(memory, size);
}

#endif
