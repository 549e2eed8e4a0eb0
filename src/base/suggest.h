#ifndef TSPROF_BASE_SUGGEST_H
#define TSPROF_BASE_SUGGEST_H

#include <stddef.h>

/*
 * The best guess at what a misspelt word was meant to be: the candidates are
 * offered one by one, the nearest by edit distance stays.  Words that have
 * little in common with the typed one are never suggested.
 */
struct suggestion {
	const char *typed;   /* borrowed */
	const char *nearest; /* borrowed from the caller of suggestion_offer, or NULL */
	size_t distance;
};

#define SUGGESTION_INIT(word) ((struct suggestion){ .typed = (word) })

/* Candidates over 63 bytes are passed over. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#endif
