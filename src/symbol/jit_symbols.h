#ifndef TSPROF_SYMBOL_JIT_SYMBOLS_H
#define TSPROF_SYMBOL_JIT_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/interner.h"

/*
 * What the runtimes of one program said about code that they made: functions at
 * addresses, in the order in which they said it.  Addresses are used again, so
 * the same ip may mean several functions one after the other; where a time is
 * known with each (jitdump) the right one can be told, else the last one wins
 * (perf maps).
 */
struct jit_symbol {
	uint64_t start; /* ip */
	uint64_t end;
	uint64_t time_ns;    /* CLOCK_MONOTONIC, since when; 0: not known */
	uint32_t name;	     /* id in `strings` */
	uint32_t first_line; /* into `lines`, ascending by offset */
	uint32_t n_lines;
};

struct jit_line {
	uint64_t offset; /* from the symbol's start */
	uint32_t file;	 /* id in `strings` */
	uint32_t line;
};

struct jit_symbols {
	struct interner strings;
	struct jit_symbol *symbols;
	size_t n_symbols, symbols_capacity;
	struct jit_line *lines;
	size_t n_lines, lines_capacity;
	/* When code with a time replaced other code, ascending; at most one in each ms. */
	uint64_t *replaced_ns;
	size_t n_replaced, replaced_capacity;
	size_t text_bytes; /* of all names, as they came */
	bool is_full;	   /* a limit below was reached: later ones were dropped */
	struct jit_pages {
		struct jit_page *pages;
		size_t n_pages, pages_capacity;
		struct jit_page_link *links;
		size_t n_links, links_capacity;
		struct hash_index index;
	} pages;
};

/* Of one program.  A hostile one can have tsprof spend this much, and no more. */
#define JIT_SYMBOLS_MAX ((size_t)1 << 20)
#define JIT_LINES_MAX ((size_t)1 << 22)
#define JIT_TEXT_MAX_BYTES ((size_t)128 << 20)
enum {
	JIT_NAME_MAX_BYTES = 4096, /* longer names are cut here */
	JIT_REPLACED_MAX = 256,
};

/* Returns 0 or -ENOMEM. */
int jit_symbols_init(struct jit_symbols *symbols);
void jit_symbols_release(struct jit_symbols *symbols);

struct jit_function {
	uint64_t start;
	uint64_t size_bytes;
	uint64_t time_ns;
	const char *name; /* `name_bytes` bytes, borrowed */
	size_t name_bytes;
	uint32_t first_line; /* of those added before, `n_lines` belong to it */
	uint32_t n_lines;
	bool is_tracked; /* may be replaced at a time, or moved */
};

/*
 * Append a function.  An empty range, an empty name and everything past the
 * limits is dropped.  Returns 0 or -ENOMEM.
 */
int jit_symbols_add(struct jit_symbols *symbols, const struct jit_function *function);

/* Append a line, for a function to come.  Returns 0 or -ENOMEM. */
int jit_symbols_add_line(struct jit_symbols *symbols, uint64_t offset, const char *file,
			 size_t file_bytes, uint32_t line);

/* Borrowed until the next is added: the last tracked symbol that starts there, or NULL. */
const struct jit_symbol *jit_symbols_at(const struct jit_symbols *symbols, uint64_t start);

/*
 * The symbols of `n_ips` ascending ips, as they were at `until_ns`: of those that
 * hold an ip the youngest not younger than that, else the oldest.  `ret_symbols[i]`
 * is borrowed, NULL when nothing is known.  Returns 0 or -ENOMEM.
 */
int jit_symbols_resolve(const struct jit_symbols *symbols, const uint64_t *ips, size_t n_ips,
			uint64_t until_ns, const struct jit_symbol **ret_symbols);

/* The line of an ip inside `symbol`, borrowed; NULL when not known. */
const struct jit_line *jit_symbols_line(const struct jit_symbols *symbols,
					const struct jit_symbol *symbol, uint64_t ip);

#endif
