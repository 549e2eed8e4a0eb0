#ifndef TSPROF_RECORD_JIT_TABLE_H
#define TSPROF_RECORD_JIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/sampler_record.h"
#include "symbol/symbolizer.h"

/*
 * The programs of a run that made code themselves, and what they tell about it in
 * perf maps and jitdumps.  Their files are opened while the process lives, through
 * its own root, and read a piece at a time: a runtime may remove them when it
 * ends.
 *
 * A program is known by its owner number (see struct live_process).  When a
 * jitdump tells that code was replaced, samples from then on belong to another
 * owner number of the same program, so that an ip keeps one meaning for each.
 * A forked child takes over its parent's memory with its functions; when it tells
 * of code of its own, that memory becomes its own too.
 */
struct jit_table {
	struct jit_program **programs; /* in the order in which they were found */
	size_t n_programs, programs_capacity;
	struct jit_owner {
		struct jit_program *program; /* NULL: it makes no code that we know of */
		uint64_t until_ns;	     /* when its code was replaced; UINT64_MAX: not yet */
	} * owners;			     /* by owner number */
	size_t n_owners, owners_capacity;
	size_t n_symbols;	 /* of all programs */
	uint64_t start_epoch_ns; /* of the recording: the age of maps of processes that are gone */
	uint32_t n_open;	 /* programs whose files are held open */
};

enum {
	JIT_TABLE_MAX_OPEN = 128, /* programs at the same time: each holds some descriptors */
	JIT_TABLE_MAX_DUMPS = 8,  /* of one program */
};
#define JIT_TABLE_MAX_SYMBOLS ((size_t)1 << 22) /* of all programs */

void jit_table_init(struct jit_table *table);
void jit_table_release(struct jit_table *table);

/* `owner` maps executable memory without a file.  Returns 0 or -ENOMEM. */
int jit_table_add(struct jit_table *table, uint32_t owner, uint32_t pid);

/* … and here its jitdump.  Returns 0 or -ENOMEM. */
int jit_table_add_dump(struct jit_table *table, uint32_t owner, uint32_t pid,
		       const struct sampler_mapping *map);

/* `child`, of process `pid`, was forked from `parent`.  Returns 0 or -ENOMEM. */
int jit_table_fork(struct jit_table *table, uint32_t parent, uint32_t child, uint32_t pid,
		   uint64_t time_ns);

/* What changed since the last sample. */
enum jit_change {
	JIT_SAME,
	JIT_REPLACED, /* code: samples need a new owner, to be told by jit_table_continue */
	JIT_PARTED,   /* a child from its parent: what it took over is its own from now on */
};

/*
 * Before a sample of that time: read what was told until then.  Returns 0 or
 * -ENOMEM.
 */
int jit_table_poll(struct jit_table *table, uint32_t owner, uint64_t time_ns,
		   enum jit_change *ret_change);
int jit_table_continue(struct jit_table *table, uint32_t owner, uint32_t next_owner);

/* The program has ended: read the rest and close its files.  Returns 0 or -ENOMEM. */
int jit_table_end(struct jit_table *table, uint32_t owner);

/* The same for all that are left. */
int jit_table_end_all(struct jit_table *table);

/* What is known about an owner's code, borrowed from the table. */
struct symbolizer_jit jit_table_find(const struct jit_table *table, uint32_t owner);

/* Programs of which not all is known, because of a limit. */
uint32_t jit_table_n_limited(const struct jit_table *table);

#endif
