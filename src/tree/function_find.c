/* Ways of fitting are tried from the strictest on; the first that fits anything decides. */
#include "tree/function_find.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

enum {
	LISTED_NAMES = 5,
	LISTED_COLUMNS = 60,
	NEAREST_MAX_BYTES = 200, /* of a name or text that is compared by likeness */
};

enum fit {
	FIT_NAME,
	FIT_WITHOUT_PARAMETERS,
	FIT_PART,
	FIT_REGEX,
	N_FITS,
};

struct candidate {
	const char *name;
	uint64_t rank;
};

static bool is_code(const struct calltree *tree, size_t frame)
{
	return !tree->frames[frame].is_label;
}

static const char *name_of(const struct calltree *tree, size_t frame)
{
	return calltree_frame_name(tree, &tree->frames[frame]);
}

static bool is_fit(const char *name, const char *text, enum fit fit, const regex_t *regex)
{
	switch (fit) {
	case FIT_NAME:
		return strcmp(name, text) == 0;
	case FIT_WITHOUT_PARAMETERS:
		return strncmp(name, text, strlen(text)) == 0 && name[strlen(text)] == '(';
	case FIT_PART:
		return strstr(name, text) != NULL;
	case FIT_REGEX:
		return regex && regexec(regex, name, 0, NULL, 0) == 0;
	case N_FITS:
		break;
	}
	return false;
}

/* Mark what fits; the answer is how many distinct names do, counted up to 2. */
static int mark_fits(const struct calltree *tree, const char *text, enum fit fit,
		     const regex_t *regex, bool *is_wanted)
{
	const char *first = NULL;
	int n_names = 0;

	for (size_t i = 0; i < tree->n_frames; i++) {
		is_wanted[i] = is_code(tree, i) && is_fit(name_of(tree, i), text, fit, regex);
		if (!is_wanted[i])
			continue;
		if (!first)
			first = name_of(tree, i);
		if (n_names == 0 || (n_names == 1 && strcmp(first, name_of(tree, i)) != 0))
			n_names++;
	}
	return n_names;
}

/* The length of the longest run of letters that both have, case aside. */
static uint64_t likeness(const char *a, const char *b)
{
	uint8_t lengths[NEAREST_MAX_BYTES + 1] = { 0 };
	const size_t b_size = strnlen(b, NEAREST_MAX_BYTES);
	uint64_t longest = 0;

	for (size_t i = 0; a[i] && i < NEAREST_MAX_BYTES; i++) {
		uint8_t before = 0;

		for (size_t j = 0; j < b_size; j++) {
			const uint8_t length = lengths[j + 1];

			lengths[j + 1] = tolower((unsigned char)a[i]) ==
							 tolower((unsigned char)b[j])
						 ? (uint8_t)(before + 1)
						 : 0;
			if (lengths[j + 1] > longest)
				longest = lengths[j + 1];
			before = length;
		}
	}
	return longest;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add_names(struct buffer *list, const struct candidate *candidates, size_t n_candidates)
{
	size_t n_listed = 0;

	for (size_t i = 0; i < n_candidates; i++) {
		if (i > 0 && strcmp(candidates[i].name, candidates[i - 1].name) == 0)
			continue;
		if (n_listed++ == LISTED_NAMES) {
			buffer_add_string(list, ", …");
			return;
		}
		buffer_add_string(list, n_listed > 1 ? ", '" : "'");
		escape_terminal_fit(list, candidates[i].name, LISTED_COLUMNS);
		buffer_add_char(list, '\'');
	}
}

/* A frame's self weight: of several candidates the heaviest are listed. */
static void weigh(const struct calltree *tree, uint64_t *weights)
{
	for (size_t i = 1; i < tree->n_nodes; i++)
		weights[tree->nodes[i].frame] += calltree_weight(tree, &tree->nodes[i].total);
}

static int list_candidates(const struct calltree *tree, const char *text, const bool *is_wanted,
			   struct buffer *list)
{
	struct candidate *candidates = calloc(tree->n_frames + 1, sizeof(*candidates));
	uint64_t *weights = calloc(tree->n_frames + 1, sizeof(*weights));
	const uint64_t least = strlen(text) > 3 ? 3 : 2;
	size_t n = 0;

	if (candidates && weights) {
		weigh(tree, weights);
		for (size_t i = 0; i < tree->n_frames; i++) {
			const char *const name = name_of(tree, i);
			const uint64_t rank = is_wanted ? weights[i] : likeness(text, name);

			if (is_code(tree, i) && (is_wanted ? is_wanted[i] : rank >= least))
				candidates[n++] = (struct candidate){ name, rank };
		}
		qsort(candidates, n, sizeof(*candidates), compare_candidates);
		add_names(list, candidates, n);
	}
	free(candidates);
	free(weights);
	return list->is_failed ? -ENOMEM : 0;
}

static int fail_unknown(const struct calltree *tree, const char *text, struct error *err)
{
	struct buffer list = BUFFER_INIT;
	int r = list_candidates(tree, text, NULL, &list);

	if (r < 0)
		r = error_set_no_memory(err);
	else if (list.size)
		r = error_set(err, -ENOENT, "no function is called '%s'; the nearest are %s", text,
			      buffer_string(&list));
	else
		r = error_set(err, -ENOENT, "no function is called '%s' or nearly so", text);
	buffer_release(&list);
	return r;
}

static int fail_ambiguous(const struct calltree *tree, const char *text, const bool *is_wanted,
			  struct error *err)
{
	struct buffer list = BUFFER_INIT;
	int r = list_candidates(tree, text, is_wanted, &list);

	r = r < 0 ? error_set_no_memory(err)
		  : error_set(err, -EINVAL, "'%s' fits several functions (name one): %s", text,
			      buffer_string(&list));
	buffer_release(&list);
	return r;
}

int function_find(const struct calltree *tree, const char *text, bool *is_wanted, struct error *err)
{
	regex_t regex;
	const bool is_regex = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) == 0;
	int n_names = 0;

	for (int fit = FIT_NAME; text[0] && fit < N_FITS && n_names == 0; fit++)
		n_names = mark_fits(tree, text, (enum fit)fit, is_regex ? &regex : NULL, is_wanted);
	if (is_regex)
		regfree(&regex);
	if (n_names == 0)
		return fail_unknown(tree, text, err);
	return n_names > 1 ? fail_ambiguous(tree, text, is_wanted, err) : 0;
}
