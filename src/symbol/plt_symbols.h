#ifndef TSPROF_SYMBOL_PLT_SYMBOLS_H
#define TSPROF_SYMBOL_PLT_SYMBOLS_H

#include "symbol/symbol_table.h"

/*
 * Name the entries of .plt, .plt.sec and .plt.got after what they jump to
 * ("qsort@plt"): the GOT slot that an entry's code loads is looked up among the
 * relocations, which holds for lazy, bound-now and IBT/BTI entries alike.  The
 * table must be sorted (it names the targets of IRELATIVE slots) and is sorted
 * again.  Returns 0 or -ENOMEM.
 */
int plt_symbols_add(struct symbol_table *table, const struct elf_image *image);

#endif
