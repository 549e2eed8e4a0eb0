#ifndef TSPROF_SYMBOL_FUNCTION_SEARCH_H
#define TSPROF_SYMBOL_FUNCTION_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"

/*
 * From a function's name to its places in a file.  Unlike a symbol_table this
 * knows every name of an address, and which of them are not what they seem.
 *
 * A name fits as it is in the file, without its version ("memcpy@@GLIBC_2.14"),
 * as a programmer would write it ("app::parse", or with all its parameters' types), and as a
 * pattern of * ? [ ].  What compilers make of a function besides, such as
 * "parse.constprop.0", is found with it and marked.
 */
struct function_match {
	char *name; /* demangled */
	uint64_t vaddr;
	uint64_t file_offset;
	uint64_t size_bytes; /* 0: not known */
	bool is_resolver;    /* STT_GNU_IFUNC: the code there chooses the function, once */
	bool is_clone;	     /* its parameters may have been rearranged */
};

struct function_search {
	struct function_match *matches; /* by address, one for each */
	size_t n_matches, capacity;
	size_t n_functions; /* in the file; few and none named: it is stripped */
	char *part;	    /* "parse.part.0", whose beginning is inlined elsewhere; or NULL */
	char *nearest;	    /* a name that looks like the one asked for, or NULL */
	bool has_symtab;    /* names of static functions are known */
};

/*
 * `debug` is the separate debug file, or NULL.  Only lack of memory fails, with -ENOMEM.
 */
int function_search_run(struct function_search *search, const struct elf_image *image,
			const struct elf_image *debug, const char *name);
void function_search_release(struct function_search *search);

#endif
