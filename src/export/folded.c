/*
 * A call tree as folded lines.  Frames that look the same once they are
 * written are merged first, in a trie of names.  Each of its nodes then gives
 * up to two pieces of text, "name COUNT\n" and "name;"; with the pieces of
 * every parent sorted, one walk yields all lines in bytewise order without
 * ever holding them.
 *
 * Names are sorted once.  Two pieces are in the order of their names unless one
 * name starts with the other: only then what follows it has to be looked at.
 */
#include "export/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/interner.h"
#include "base/units.h"
#include "model/frame_names.h"
#include "model/stack_trie.h"

enum { FOLDED_PUT_BYTES = 256 * 1024 };

/*
 * A piece is 2 × a node of the trie, plus 1 for "name;" and what lies below the
 * node, 0 for "name COUNT\n".
 */
struct folded_writer {
	const struct calltree *tree;
	struct interner names;	 /* as they are written */
	uint32_t *name_of_frame; /* by tree frame */
	struct stack_trie trie;	 /* of ids in `names` */
	uint32_t *place;	 /* by tree node: its node in the trie */
	uint64_t *values;	 /* by trie node: ticks or nanoseconds */
	bool *has_lines_below;	 /* by trie node */
	uint32_t *ranks;	 /* by name: its place in bytewise order … */
	uint32_t *last_ranks;	 /* … and that of the last name that starts with it */
	uint32_t *pieces;
	size_t n_pieces;
	size_t *first_piece;		/* by trie node: its children's pieces */
	const struct folded_sink *sink; /* NULL: all stays in the buffer */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The start of a trailing "12", "12." or "1.5", or the end when there is none. */
static size_t folded_trailing_number(const char *text, size_t size)
{
	size_t at = size;
	size_t fraction;

	while (at && is_digit(text[at - 1]))
		at--;
	if (!at || text[at - 1] != '.')
		return at;
	for (fraction = at - 1; fraction && is_digit(text[fraction - 1]); fraction--)
		;
	return fraction < at - 1 ? fraction : at;
}

/* What a reader would take for a comment, a count or padding. */
static void folded_disarm(char *text, size_t size)
{
	const size_t number_at = folded_trailing_number(text, size);

	if (text[0] == ' ')
		text[0] = '_';
	if (text[0] == '#' && (size == 1 || text[1] == ' '))
		text[0] = '_';
	if (text[size - 1] == ' ')
		text[size - 1] = '_';
	if (number_at < size && number_at && text[number_at - 1] == ' ')
		text[number_at - 1] = '_';
}

static void folded_add_name(struct buffer *out, const char *name)
{
	const char *end = name + strlen(name);

	while (name < end) {
		const uint32_t c = utf8_next(&name, end);

		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
			buffer_add_char(out, '?');
		else
			utf8_add(out, c == ';' ? ':' : c);
	}
}

static void folded_add_address(struct buffer *out, const struct profile *profile,
			       const struct calltree_frame *frame)
{
	struct buffer address = BUFFER_INIT;

	frame_names_add_address(&address, profile, frame->module, frame->vaddr);
	folded_add_name(out, buffer_string(&address));
	out->is_failed |= address.is_failed;
	buffer_release(&address);
}

static void folded_add_frame(struct buffer *out, const struct calltree *tree,
			     const struct calltree_frame *frame)
{
	const char *name = calltree_frame_name(tree, frame);

	if (frame->is_label && frame->label_kind == LABEL_SCOPE)
		buffer_add_string(out, "scope:");
	folded_add_name(out, name[0] ? name : "[unknown]");
	if (frame->vaddr && !(frame->flags & (FRAME_UNRESOLVED | FRAME_PSEUDO))) {
		buffer_add_char(out, ' ');
		folded_add_address(out, tree->profile, frame);
	} else if (frame->line) {
		buffer_add_string(out, " (");
		folded_add_name(out, interner_get(&tree->profile->strings, frame->file));
		buffer_printf(out, ":%" PRIu32 ")", frame->line);
	}
	if (!out->is_failed)
		folded_disarm(out->data, out->size);
	if (frame->flags & FRAME_KERNEL)
		buffer_add_string(out, "_[k]");
	else if (frame->flags & FRAME_JIT)
		buffer_add_string(out, "_[j]");
}

static bool folded_write_names(struct folded_writer *writer)
{
	const struct calltree *tree = writer->tree;
	struct buffer text = BUFFER_INIT;
	bool is_good = true;

	for (size_t i = 0; is_good && i < tree->n_frames; i++) {
		buffer_clear(&text);
		folded_add_frame(&text, tree, &tree->frames[i]);
		is_good = !text.is_failed &&
			  interner_add_sized(&writer->names, &writer->name_of_frame[i], text.data,
					     text.size) == 0;
	}
	buffer_release(&text);
	return is_good;
}

/* Samples without any frame or label still are samples. */
static bool folded_place_rootless(struct folded_writer *writer)
{
	const struct calltree_value *self = &writer->tree->nodes[0].self;
	uint32_t name;

	if (!self->n_ticks && !self->weight_ns)
		return true;
	return interner_add(&writer->names, &name, "[unknown]") == 0 &&
	       stack_trie_add(&writer->trie, &writer->place[0], 0, name) == 0;
}

static bool folded_merge(struct folded_writer *writer, bool as_time)
{
	const struct calltree *tree = writer->tree;

	for (size_t i = 1; i < tree->n_nodes; i++) {
		const struct calltree_node *node = &tree->nodes[i];

		if (stack_trie_add(&writer->trie, &writer->place[i], writer->place[node->parent],
				   writer->name_of_frame[node->frame]) < 0)
			return false;
	}
	if (!folded_place_rootless(writer))
		return false;
	writer->values = calloc(writer->trie.n_nodes, sizeof(*writer->values));
	if (!writer->values)
		return false;
	for (size_t i = 0; i < tree->n_nodes; i++) {
		const struct calltree_value *self = &tree->nodes[i].self;

		writer->values[writer->place[i]] += as_time ? self->weight_ns : self->n_ticks;
	}
	for (size_t i = 0; as_time && i < writer->trie.n_nodes; i++)
		writer->values[i] = (writer->values[i] + NS_PER_US / 2) / NS_PER_US;
	return true;
}

static int folded_compare_names(const void *left, const void *right, void *context)
{
	const struct interner *names = context;
	const uint32_t a = *(const uint32_t *)left;
	const uint32_t b = *(const uint32_t *)right;
	const size_t size = names->sizes[a] < names->sizes[b] ? names->sizes[a] : names->sizes[b];
	const int order = memcmp(names->strings[a], names->strings[b], size);

	return order ? order : names->sizes[a] < names->sizes[b] ? -1 : 1;
}

static bool folded_starts_with(const struct interner *names, uint32_t name, uint32_t start)
{
	return names->sizes[name] >= names->sizes[start] &&
	       memcmp(names->strings[name], names->strings[start], names->sizes[start]) == 0;
}

/* Names that start with another one follow it: `open` holds those that the present one has. */
static bool folded_rank_names(struct folded_writer *writer)
{
	struct interner *names = &writer->names;
	uint32_t *order = calloc(names->n_strings, sizeof(*order));
	uint32_t *open = calloc(names->n_strings, sizeof(*open));
	size_t n_open = 0;

	writer->ranks = calloc(names->n_strings, sizeof(*writer->ranks));
	writer->last_ranks = calloc(names->n_strings, sizeof(*writer->last_ranks));
	if (!order || !open || !writer->ranks || !writer->last_ranks) {
		free(order);
		free(open);
		return false;
	}
	for (size_t i = 0; i < names->n_strings; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, names->n_strings, sizeof(*order), folded_compare_names, names);
	for (size_t i = 0; i < names->n_strings; i++) {
		while (n_open && !folded_starts_with(names, order[i], open[n_open - 1]))
			writer->last_ranks[open[--n_open]] = (uint32_t)i - 1;
		writer->ranks[order[i]] = (uint32_t)i;
		open[n_open++] = order[i];
	}
	while (n_open)
		writer->last_ranks[open[--n_open]] = (uint32_t)names->n_strings - 1;
	free(order);
	free(open);
	return true;
}

/* What follows the name in the piece. */
static void folded_tail(char tail[24], const struct folded_writer *writer, uint32_t piece)
{
	if (piece & 1)
		memcpy(tail, ";", 2);
	else
		(void)snprintf(tail, 24, " %" PRIu64 "\n", writer->values[piece >> 1]);
}

/* Is the rest of the longer name, with its tail, before the tail of the shorter one? */
static int folded_compare_rest(const struct folded_writer *writer, uint32_t shorter,
			       uint32_t longer)
{
	const uint32_t short_name = writer->trie.nodes[shorter >> 1].location;
	const uint32_t long_name = writer->trie.nodes[longer >> 1].location;
	const char *rest = writer->names.strings[long_name] + writer->names.sizes[short_name];
	const size_t rest_size = writer->names.sizes[long_name] - writer->names.sizes[short_name];
	char tails[2][24];
	size_t tail_size;
	int order;

	folded_tail(tails[0], writer, shorter);
	folded_tail(tails[1], writer, longer);
	tail_size = strlen(tails[0]);
	order = memcmp(tails[0], rest, tail_size < rest_size ? tail_size : rest_size);
	return order ? order : strcmp(tails[0] + rest_size, tails[1]);
}

/* Two pieces of one parent, which are never the same. */
static int folded_compare(const void *left, const void *right, void *context)
{
	const struct folded_writer *writer = context;
	const uint32_t a = *(const uint32_t *)left;
	const uint32_t b = *(const uint32_t *)right;
	const uint32_t name_a = writer->trie.nodes[a >> 1].location;
	const uint32_t name_b = writer->trie.nodes[b >> 1].location;
	const uint32_t rank_a = writer->ranks[name_a];
	const uint32_t rank_b = writer->ranks[name_b];

	if (rank_a == rank_b)
		return a < b ? -1 : a > b;
	if (rank_a < rank_b && rank_b <= writer->last_ranks[name_a])
		return folded_compare_rest(writer, a, b);
	if (rank_b < rank_a && rank_a <= writer->last_ranks[name_b])
		return -folded_compare_rest(writer, b, a);
	return rank_a < rank_b ? -1 : 1;
}

/* The pieces of each parent together, in any order. */
static void folded_cut_pieces(struct folded_writer *writer)
{
	const struct stack_node *nodes = writer->trie.nodes;
	size_t *const first = writer->first_piece;
	const uint32_t n_nodes = (uint32_t)writer->trie.n_nodes;

	for (uint32_t i = 1; i < n_nodes; i++)
		first[nodes[i].parent + 2] += (writer->values[i] ? 1u : 0) +
					      (writer->has_lines_below[i] ? 1u : 0);
	for (uint32_t i = 1; i < n_nodes + 1; i++)
		first[i + 1] += first[i];
	writer->n_pieces = first[n_nodes + 1];
	for (uint32_t i = 1; i < n_nodes; i++) {
		if (writer->values[i])
			writer->pieces[first[nodes[i].parent + 1]++] = 2 * i;
		if (writer->has_lines_below[i])
			writer->pieces[first[nodes[i].parent + 1]++] = 2 * i + 1;
	}
}

static bool folded_sort_pieces(struct folded_writer *writer)
{
	const size_t n_nodes = writer->trie.n_nodes;

	if (n_nodes > UINT32_MAX / 2)
		return false;
	writer->has_lines_below = calloc(n_nodes, sizeof(*writer->has_lines_below));
	writer->pieces = calloc(n_nodes, 2 * sizeof(*writer->pieces));
	writer->first_piece = calloc(n_nodes + 2, sizeof(*writer->first_piece));
	if (!writer->has_lines_below || !writer->pieces || !writer->first_piece)
		return false;
	for (size_t i = n_nodes; --i > 0;)
		if (writer->values[i] || writer->has_lines_below[i])
			writer->has_lines_below[writer->trie.nodes[i].parent] = true;
	folded_cut_pieces(writer);
	for (size_t i = 0; i < n_nodes; i++) {
		const size_t at = writer->first_piece[i];
		const size_t n = writer->first_piece[i + 1] - at;

		if (n > 1)
			qsort_r(&writer->pieces[at], n, sizeof(*writer->pieces), folded_compare,
				writer);
	}
	return true;
}

static int folded_put(const struct folded_writer *writer, struct buffer *out, size_t at_least)
{
	int r;

	if (!writer->sink || out->is_failed || out->size < at_least)
		return 0;
	r = writer->sink->put(writer->sink->context, buffer_string(out), out->size);
	buffer_clear(out);
	return r;
}

/* Depth first, without recursion: a node's own position is kept in first_piece. */
static int folded_walk(struct folded_writer *writer, struct buffer *out)
{
	const struct interner *names = &writer->names;
	const struct stack_node *nodes = writer->trie.nodes;
	struct buffer path = BUFFER_INIT;
	uint32_t node = 0;
	int r = 0;

	while (r == 0 && !path.is_failed) {
		const size_t at = writer->first_piece[node];
		const uint32_t piece = at < writer->n_pieces ? writer->pieces[at] : 0;
		const uint32_t name = nodes[piece >> 1].location;

		if (!piece || nodes[piece >> 1].parent != node) {
			if (node == 0)
				break;
			path.size -= names->sizes[nodes[node].location] + 1;
			node = nodes[node].parent;
			continue;
		}
		writer->first_piece[node]++;
		if (piece & 1) {
			node = piece >> 1;
			buffer_add(&path, names->strings[name], names->sizes[name]);
			buffer_add_char(&path, ';');
			continue;
		}
		buffer_add(out, buffer_string(&path), path.size);
		buffer_add(out, names->strings[name], names->sizes[name]);
		buffer_add_char(out, ' ');
		buffer_add_decimal(out, writer->values[piece >> 1]);
		buffer_add_char(out, '\n');
		r = folded_put(writer, out, FOLDED_PUT_BYTES);
	}
	if (r == 0)
		r = folded_put(writer, out, 1);
	out->is_failed |= path.is_failed;
	buffer_release(&path);
	return r;
}

static int folded_write_lines(struct buffer *out, const struct calltree *tree, bool as_time,
			      const struct folded_sink *sink)
{
	struct folded_writer writer = { .tree = tree, .sink = sink };
	int r = 0;

	writer.name_of_frame = calloc(tree->n_frames + 1, sizeof(*writer.name_of_frame));
	writer.place = calloc(tree->n_nodes, sizeof(*writer.place));
	if (writer.name_of_frame && writer.place && interner_init(&writer.names) == 0 &&
	    stack_trie_init(&writer.trie) == 0 && folded_write_names(&writer) &&
	    folded_merge(&writer, as_time) && folded_rank_names(&writer) &&
	    folded_sort_pieces(&writer))
		r = folded_walk(&writer, out);
	else
		out->is_failed = true;
	free(writer.name_of_frame);
	free(writer.place);
	free(writer.values);
	free(writer.has_lines_below);
	free(writer.ranks);
	free(writer.last_ranks);
	free(writer.pieces);
	free(writer.first_piece);
	interner_release(&writer.names);
	stack_trie_release(&writer.trie);
	return r;
}

void folded_write(struct buffer *out, const struct calltree *tree, bool as_time)
{
	(void)folded_write_lines(out, tree, as_time, NULL);
}

int folded_put_all(const struct folded_sink *sink, const struct calltree *tree, bool as_time)
{
	struct buffer out = BUFFER_INIT;
	int r = folded_write_lines(&out, tree, as_time, sink);

	if (r == 0 && out.is_failed)
		r = -ENOMEM;
	buffer_release(&out);
	return r;
}
