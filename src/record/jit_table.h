#ifndef TSPROF_RECORD_JIT_TABLE_H
#define TSPROF_RECORD_JIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/sampler_record.h"
#include "symbol/jit_symbols.h"

/*
 * The programs of a run that made code themselves, and what they tell about it in
 * perf maps and jitdumps.  Their files are opened while the process lives, through
 * its own root, and read a piece at a time: a runtime may remove them when it
 * ends.
 *
 * A program is known by its owner number (see struct live_process).  When a
 * jitdump tells that code was replaced, samples from then on belong to another
 * owner number of the same program, so that an ip keeps one meaning for each.
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
	uint32_t n_unread;	 /* programs past a limit below */
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

/*
 * Before a sample of that time: read what was told until then.  Sets
 * `ret_is_replaced` when code was replaced since the last sample: then samples
 * need a new owner, to be told by jit_table_continue.  Returns 0 or -ENOMEM.
 */
int jit_table_poll(struct jit_table *table, uint32_t owner, uint64_t time_ns,
		   bool *ret_is_replaced);
int jit_table_continue(struct jit_table *table, uint32_t owner, uint32_t next_owner);

/* The program has ended: read the rest and close its files.  Returns 0 or -ENOMEM. */
int jit_table_end(struct jit_table *table, uint32_t owner);

/* The same for all that are left. */
int jit_table_end_all(struct jit_table *table);

/* Borrowed: what is known about an owner's code, and until when; NULL: nothing. */
const struct jit_symbols *jit_table_find(const struct jit_table *table, uint32_t owner,
					 uint64_t *ret_until_ns);

#endif
