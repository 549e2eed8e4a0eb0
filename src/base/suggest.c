/*
 * Nearest word by optimal string alignment: insertions, deletions,
 * replacements and swaps of neighbours count one each.
 */
#include "base/suggest.h"

#include <string.h>

enum { WORD_MAX_BYTES = 63 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both words are at most WORD_MAX_BYTES long. */
static size_t word_distance(const char *a, const char *b)
{
	size_t cost[WORD_MAX_BYTES + 1][WORD_MAX_BYTES + 1];
	const size_t n_a = strlen(a);
	const size_t n_b = strlen(b);

	for (size_t i = 0; i <= n_a; i++)
		cost[i][0] = i;
	for (size_t j = 0; j <= n_b; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t j = 1; j <= n_b; j++) {
			size_t best = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = least(best, cost[i - 1][j] + 1);
			best = least(best, cost[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, cost[i - 2][j - 2] + 1);
			cost[i][j] = best;
		}
	}
	return cost[n_a][n_b];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
	const size_t typed_length = strlen(suggestion->typed);
	size_t distance;

	if (typed_length > WORD_MAX_BYTES || strlen(candidate) > WORD_MAX_BYTES)
		return;
	/* A started word is a better guess than any misspelling. */
	if (typed_length >= 2 && strncmp(suggestion->typed, candidate, typed_length) == 0)
		distance = 0;
	else
		distance = word_distance(suggestion->typed, candidate);
	if (distance * 3 > typed_length + 1)
		return;
	if (suggestion->nearest && distance >= suggestion->distance)
		return;
	suggestion->nearest = candidate;
	suggestion->distance = distance;
}
