#ifndef TSPROF_TREE_NAME_LIST_H
#define TSPROF_TREE_NAME_LIST_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/suggest.h"

/*
 * What there is, for a message about something that there is not: so many names
 * in words, and the one that was probably meant.
 */
struct name_list {
	struct buffer text; /* "loaded, ready" */
	size_t n_names;	    /* added so far */
	struct suggestion guess;
};

#define NAME_LIST_INIT(typed)                                                                      \
	((struct name_list){ .text = BUFFER_INIT, .guess = SUGGESTION_INIT(typed) })

/* The name is borrowed; each only once, the most helpful first. */
void name_list_add(struct name_list *list, const char *name);

/* "(did you mean loaded?); there are loaded, ready and 3 more", behind a blank or "; ". */
void name_list_write(const struct name_list *list, struct buffer *out);
void name_list_release(struct name_list *list);

#endif
