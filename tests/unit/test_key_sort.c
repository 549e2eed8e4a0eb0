/* Sorting by digits against sorting by comparing. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/key_sort.h"

enum { N_KEYS = 5000 };

static struct sort_key keys[N_KEYS], scratch[N_KEYS], wanted[N_KEYS];

static int compare(const void *a, const void *b)
{
	const struct sort_key *left = a;
	const struct sort_key *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static void assert_is_sorted(size_t n_keys)
{
	memcpy(wanted, keys, sizeof(keys));
	qsort(wanted, n_keys, sizeof(wanted[0]), compare);
	key_sort(keys, scratch, n_keys);
	for (size_t i = 0; i < N_KEYS; i++) {
		assert_int_equal(keys[i].key, wanted[i].key);
		assert_int_equal(keys[i].index, wanted[i].index);
	}
}

/* Any bits of the key may be those that differ, and few or all of them. */
static void key_sort__sorts_as_qsort_does(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned int shift = 0; shift < 64; shift += 3) {
		for (unsigned int n_bits = 1; n_bits <= 64; n_bits += 7) {
			for (uint32_t i = 0; i < N_KEYS; i++) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				keys[i].key = (seed ^ seed >> 32) >> (64 - n_bits) << shift;
				keys[i].index = i;
			}
			assert_is_sorted(N_KEYS);
		}
	}
}

static void key_sort__sorts_few(void **state)
{
	(void)state;
	for (size_t n = 0; n < 5; n++) {
		for (uint32_t i = 0; i < N_KEYS; i++)
			keys[i] = (struct sort_key){ UINT64_MAX - i % 3, i };
		assert_is_sorted(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_sort__sorts_as_qsort_does),
		cmocka_unit_test(key_sort__sorts_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
