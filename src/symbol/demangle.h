#ifndef TSPROF_SYMBOL_DEMANGLE_H
#define TSPROF_SYMBOL_DEMANGLE_H

#include "base/buffer.h"

/* Longer names are left as they are: demangling is recursive, and a file may hold any name. */
enum { DEMANGLE_MAX_BYTES = 8192, DEMANGLE_MAX_OUTPUT_BYTES = 64 * 1024 };

/*
 * Append the name that a programmer would write for `name`, a symbol or linkage
 * name of C++, Rust (both schemes, without the hash) or D; anything else is
 * appended as it is.  Suffixes that compilers add are set apart, as in
 * "parse(char const*) [clone .cold]"; ".llvm.123" is dropped and "@plt" kept.
 *
 * Some microseconds a name: callers cache by string.  Safe in any thread; needs
 * some 4 MiB of stack for the worst names.
 */
void demangle_add(struct buffer *out, const char *name);

#endif
