#ifndef TSPROF_UNWIND_UNWINDER_H
#define TSPROF_UNWIND_UNWINDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address_space.h"
#include "model/location_table.h"
#include "model/raw_sample.h"
#include "model/stack.h"
#include "symbol/elf_image.h"

/*
 * From registers and stack bytes to a stack.  A walk reads nothing but the
 * sample, the address space and the images' bytes, so it can be replayed from
 * a recorded dump.
 *
 * The backends are one table of functions each:
 *	cfi        our own, fast path plus complete interpreter (the default)
 *	fp         frame pointers only
 *	libunwind  libunwind's remote accessors over the dump
 *	libdw      libdwfl over the dump
 *	verify     cfi, compared frame by frame with libunwind and libdw; counts differences
 *
 * An unwinder belongs to one thread.
 */

/* What a walk may look at; the recorder keeps one for each process. */
struct unwind_process {
	struct address_space space;
	struct unwind_cache
		*cache; /* the backend's own, made on first use; see unwind_process_release */
	uint32_t pid;
	uint32_t unmapped_module; /* for an innermost ip outside all mappings; 0: leave it out */
	void (*release_cache)(struct unwind_cache *cache);
};

void unwind_process_release(struct unwind_process *process);

/* The modules' files by module id, shared by all processes; grows while recording. */
struct unwind_images {
	struct elf_image *const *images; /* NULL entries: not readable */
	size_t n_images;
};

struct unwinder;

struct unwind_backend {
	const char *name;
	const char *summary; /* half a line for -h */
	/* `locations` is borrowed and must outlive the unwinder. */
	int (*new)(struct unwinder **ret_unwinder, struct location_table *locations,
		   struct error *err);
	/*
	 * Fills `stack`, whose outer frames may be borrowed.  Never fails: what cannot
	 * be walked is an `end`.  Allocates only to cache what it sees for the first
	 * time (a module's tables, a location); returns -ENOMEM when that was not
	 * possible.
	 */
	int (*walk)(struct unwinder *unwinder, struct unwind_process *process,
		    const struct unwind_images *images, const struct raw_sample *sample,
		    struct stack *stack);
	void (*free)(struct unwinder *unwinder);
	/* One line of figures after a run (differences found by verify), or NULL. */
	const char *(*statement)(struct unwinder *unwinder);
};

/*
 * For a backend whose struct begins with the location table and owns nothing:
 * `unwinder_bytes` of zeros but for that; and its end.
 */
int unwinder_new(struct unwinder **ret_unwinder, size_t unwinder_bytes,
		 struct location_table *locations, struct error *err);
void unwinder_free(struct unwinder *unwinder);

extern const struct unwind_backend unwind_backend_cfi;
extern const struct unwind_backend unwind_backend_fp;
extern const struct unwind_backend unwind_backend_libunwind;
extern const struct unwind_backend unwind_backend_libdw;
extern const struct unwind_backend unwind_backend_verify;

/* All of them, ended by NULL; the first is the default. */
extern const struct unwind_backend *const unwind_backends[];

/* NULL when there is no such backend. */
const struct unwind_backend *unwind_backend_find(const char *name);

#endif
