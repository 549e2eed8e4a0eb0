#ifndef TSPROF_RECORD_PROBE_SPEC_H
#define TSPROF_RECORD_PROBE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * What the user wrote behind --mark-function and --trace-function:
 *
 *	[TYPE] [LIBRARY:]NAME[%return][(TYPE NAME, ...)]
 *
 * "parse", "libc.so.6:malloc", "int /usr/lib/plugin.so:run(char *file, size_t n)",
 * "app::load%return".  Types are those of C that fit into a register for integers: integers,
 * bool, enum, pointers; char pointers are texts.
 */
enum probe_type_kind {
	PROBE_TYPE_VOID,
	PROBE_TYPE_SIGNED,
	PROBE_TYPE_UNSIGNED,
	PROBE_TYPE_BOOL,
	PROBE_TYPE_CHAR,
	PROBE_TYPE_POINTER,
	PROBE_TYPE_TEXT,
};

struct probe_type {
	enum probe_type_kind kind;
	uint8_t size_bytes; /* 1, 2, 4 or 8 */
};

struct probe_argument {
	struct probe_type type;
	char *name;
};

enum { PROBE_MAX_ARGUMENTS = 12 };

struct probe_spec {
	bool is_scope;	/* else a milestone … */
	bool is_return; /* … and that where it returns */
	char *library;	/* NULL: the program */
	char *function;
	char *signature; /* the function with its parentheses; NULL without any */
	bool has_arguments;
	struct probe_argument arguments[PROBE_MAX_ARGUMENTS];
	size_t n_arguments;
	bool has_result;
	struct probe_type result;
	struct error types; /* set when the parentheses hold no types that can be fetched */
};

/* Is it asked when the function returns?  Then its entry has to be known, too. */
static inline bool probe_spec_has_return(const struct probe_spec *spec)
{
	return spec->is_scope || spec->is_return;
}

/* `option` begins the messages.  -EINVAL for what cannot be meant. */
int probe_spec_parse(struct probe_spec *spec, const char *option, const char *text,
		     struct error *err);
void probe_spec_release(struct probe_spec *spec);

/* A type as in C, and the name behind it if there is one (borrowed, not ended by NUL). */
int probe_type_parse(struct probe_type *ret_type, const char **ret_name, size_t *ret_name_bytes,
		     const char *text, size_t n_bytes, struct error *err);

#endif
