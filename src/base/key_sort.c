/* By digits, the last one first; digits in which no two keys differ are passed over. */
#include "base/key_sort.h"

#include <string.h>

enum { DIGIT_BITS = 11, N_DIGITS = 1 << DIGIT_BITS, KEY_BITS = 64 };

static size_t digit_of(uint64_t key, unsigned int shift)
{
	return (size_t)(key >> shift) & (N_DIGITS - 1);
}

static void sort_by_digit(const struct sort_key *from, struct sort_key *to, size_t n_keys,
			  unsigned int shift)
{
	size_t places[N_DIGITS] = { 0 };
	size_t next = 0;

	for (size_t i = 0; i < n_keys; i++)
		places[digit_of(from[i].key, shift)]++;
	for (size_t i = 0; i < N_DIGITS; i++) {
		const size_t n = places[i];

		places[i] = next;
		next += n;
	}
	for (size_t i = 0; i < n_keys; i++)
		to[places[digit_of(from[i].key, shift)]++] = from[i];
}

void key_sort(struct sort_key *keys, struct sort_key *scratch, size_t n_keys)
{
	struct sort_key *from = keys;
	struct sort_key *to = scratch;
	uint64_t differences = 0;

	for (size_t i = 1; i < n_keys; i++)
		differences |= keys[i].key ^ keys[0].key;
	for (unsigned int shift = 0; shift < KEY_BITS; shift += DIGIT_BITS) {
		struct sort_key *const sorted = to;

		if (!digit_of(differences, shift))
			continue;
		sort_by_digit(from, to, n_keys, shift);
		to = from;
		from = sorted;
	}
	if (from != keys)
		memcpy(keys, from, n_keys * sizeof(*keys));
}
