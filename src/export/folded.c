/*
 * A call tree as folded lines.  Frames that look the same once they are
 * written are merged first, in a trie of names.  Each of its nodes then gives
 * up to two pieces of text, "name COUNT\n" and "name;"; with the pieces of
 * every parent sorted, one walk yields all lines in bytewise order without
 * ever holding them.
 */
#include "export/folded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/interner.h"
#include "base/units.h"
#include "model/frame_names.h"
#include "model/stack_trie.h"

struct folded_piece {
	uint32_t parent;
	uint32_t node;
	char tail[24]; /* " COUNT\n", or ";" for what lies below the node */
};

struct folded_writer {
	const struct calltree *tree;
	struct interner names;	 /* as they are written */
	uint32_t *name_of_frame; /* by tree frame */
	struct stack_trie trie;	 /* of ids in `names` */
	uint32_t *place;	 /* by tree node: its node in the trie */
	uint64_t *values;	 /* by trie node: ticks or nanoseconds */
	bool *has_lines_below;	 /* by trie node */
	struct folded_piece *pieces;
	size_t n_pieces;
	size_t *first_piece; /* by trie node: its children's pieces; one more at the end */
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

static char folded_piece_byte(const struct folded_writer *writer, const struct folded_piece *piece,
			      size_t at)
{
	const uint32_t name = writer->trie.nodes[piece->node].location;
	const size_t size = writer->names.sizes[name];

	return at < size ? writer->names.strings[name][at] : piece->tail[at - size];
}

/* By parent, then by the text; two pieces of one parent are never the same. */
static int folded_compare(const void *left, const void *right, void *context)
{
	const struct folded_writer *writer = context;
	const struct folded_piece *a = left;
	const struct folded_piece *b = right;
	const uint32_t name_a = writer->trie.nodes[a->node].location;
	const uint32_t name_b = writer->trie.nodes[b->node].location;
	const size_t size_a = writer->names.sizes[name_a];
	const size_t size_b = writer->names.sizes[name_b];
	size_t at = size_a < size_b ? size_a : size_b;
	int order;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	order = memcmp(writer->names.strings[name_a], writer->names.strings[name_b], at);
	for (; order == 0; at++) {
		const unsigned char byte_a = (unsigned char)folded_piece_byte(writer, a, at);
		const unsigned char byte_b = (unsigned char)folded_piece_byte(writer, b, at);

		if (!byte_a && !byte_b)
			break;
		order = byte_a - byte_b;
	}
	return order;
}

static void folded_cut_pieces(struct folded_writer *writer)
{
	for (uint32_t i = 1; i < writer->trie.n_nodes; i++) {
		struct folded_piece piece = { .parent = writer->trie.nodes[i].parent, .node = i };

		if (writer->values[i]) {
			(void)snprintf(piece.tail, sizeof(piece.tail), " %" PRIu64 "\n",
				       writer->values[i]);
			writer->pieces[writer->n_pieces++] = piece;
		}
		if (writer->has_lines_below[i]) {
			memcpy(piece.tail, ";", 2);
			writer->pieces[writer->n_pieces++] = piece;
		}
	}
}

static bool folded_sort_pieces(struct folded_writer *writer)
{
	const size_t n_nodes = writer->trie.n_nodes;

	writer->has_lines_below = calloc(n_nodes, sizeof(*writer->has_lines_below));
	writer->pieces = calloc(n_nodes, 2 * sizeof(*writer->pieces));
	writer->first_piece = calloc(n_nodes + 1, sizeof(*writer->first_piece));
	if (!writer->has_lines_below || !writer->pieces || !writer->first_piece)
		return false;
	for (size_t i = n_nodes; --i > 0;)
		if (writer->values[i] || writer->has_lines_below[i])
			writer->has_lines_below[writer->trie.nodes[i].parent] = true;
	folded_cut_pieces(writer);
	if (writer->n_pieces)
		qsort_r(writer->pieces, writer->n_pieces, sizeof(*writer->pieces), folded_compare,
			writer);
	for (size_t i = 0, at = 0; i <= n_nodes; i++) {
		while (at < writer->n_pieces && writer->pieces[at].parent < i)
			at++;
		writer->first_piece[i] = at;
	}
	return true;
}

/* Depth first, without recursion: a node's own position is kept in first_piece. */
static void folded_walk(struct folded_writer *writer, struct buffer *out)
{
	struct buffer path = BUFFER_INIT;
	uint32_t node = 0;

	for (;;) {
		const size_t at = writer->first_piece[node];
		const struct folded_piece *piece = &writer->pieces[at];
		const uint32_t name = writer->trie.nodes[node].location;

		if (at == writer->n_pieces || piece->parent != node) {
			if (node == 0)
				break;
			path.size -= writer->names.sizes[name] + 1;
			node = writer->trie.nodes[node].parent;
			continue;
		}
		writer->first_piece[node]++;
		if (piece->tail[0] == ';') {
			node = piece->node;
			buffer_add_string(&path, interner_get(&writer->names,
							      writer->trie.nodes[node].location));
			buffer_add_char(&path, ';');
			if (path.is_failed)
				break;
			continue;
		}
		buffer_add(out, buffer_string(&path), path.size);
		buffer_add_string(out, interner_get(&writer->names,
						    writer->trie.nodes[piece->node].location));
		buffer_add_string(out, piece->tail);
	}
	out->is_failed |= path.is_failed;
	buffer_release(&path);
}

void folded_write(struct buffer *out, const struct calltree *tree, bool as_time)
{
	struct folded_writer writer = { .tree = tree };
	bool is_good;

	writer.name_of_frame = calloc(tree->n_frames + 1, sizeof(*writer.name_of_frame));
	writer.place = calloc(tree->n_nodes, sizeof(*writer.place));
	is_good = writer.name_of_frame && writer.place && interner_init(&writer.names) == 0 &&
		  stack_trie_init(&writer.trie) == 0 && folded_write_names(&writer) &&
		  folded_merge(&writer, as_time) && folded_sort_pieces(&writer);
	if (is_good)
		folded_walk(&writer, out);
	else
		out->is_failed = true;
	free(writer.name_of_frame);
	free(writer.place);
	free(writer.values);
	free(writer.has_lines_below);
	free(writer.pieces);
	free(writer.first_piece);
	interner_release(&writer.names);
	stack_trie_release(&writer.trie);
}
