#ifndef TSPROF_TREE_MODULE_ALIAS_H
#define TSPROF_TREE_MODULE_ALIAS_H

#include <stdint.h>

#include "model/profile.h"

/*
 * By module: the first of those with the same path, kind and build-id, which
 * are one to a reader; merging keeps several where their code may differ.
 * NULL in `ret_aliases` where no two are alike, as in all profiles of one run.
 * The caller frees it.  Returns 0 or -ENOMEM.
 */
int module_aliases_find(uint32_t **ret_aliases, const struct profile *profile);

#endif
