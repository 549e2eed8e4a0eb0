#ifndef TSPROF_TREE_GLOB_H
#define TSPROF_TREE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the whole text match?  '*' stands for any run of bytes, '/' included,
 * '?' for one byte, and a backslash makes the next byte plain.  Brackets are
 * plain, because "[kernel]", "operator[]" and "[libfoo.so+0x12]" are names.
 * Time is at most the product of both lengths.
 */
bool glob_match(const char *pattern, const char *text, size_t text_size);

#endif
