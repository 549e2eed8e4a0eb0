#ifndef TSPROF_SYMBOL_FUNCTION_STARTS_H
#define TSPROF_SYMBOL_FUNCTION_STARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "symbol/elf_image.h"

/*
 * Where functions begin in a file without symbols: the sorted table of
 * .eh_frame_hdr (LSB 10.6.2), which stripping leaves alone.  With it all the
 * addresses of a nameless function become one frame instead of one each.
 */

/*
 * The start of the function that holds the vaddr; false when the file has no usable table or
 * the vaddr lies before its first entry, or behind the end that the function's entry in
 * .eh_frame tells.
 */
bool function_starts_find(const struct elf_image *image, uint64_t vaddr, uint64_t *ret_start);

#endif
