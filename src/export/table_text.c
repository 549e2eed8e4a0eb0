/*
 * Text: every cell is written once to learn the widths, then text columns are
 * narrowed, the widest first, until the line fits.
 */
#include "export/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/function_label.h"
#include "base/units.h"

enum {
	TEXT_MIN_COLUMNS = 10, /* below that a number goes instead, unless the table says it */
	TREE_STEP_COLUMNS = 3,
	TREE_MAX_DEPTH = 16,
};

struct layout {
	const struct table *table;
	enum table_style style;
	size_t *widths; /* by column; 0: not shown */
	size_t n_shown;
};

static void add_fine_microseconds(struct buffer *out, double ns)
{
	char text[UNITS_TEXT_BYTES];
	const double size = fabs(ns) + 0.5;
	const uint64_t whole_ns = size < (double)UINT64_MAX ? (uint64_t)size : UINT64_MAX;

	buffer_printf(out, "%s%s.%03u", ns < 0 && whole_ns ? "-" : "",
		      units_count(text, whole_ns / NS_PER_US),
		      (unsigned int)(whole_ns % NS_PER_US));
}

static void add_signed_bytes(struct buffer *out, double bytes)
{
	char text[UNITS_TEXT_BYTES];
	const double size = fabs(bytes) + 0.5;
	const uint64_t whole = size < (double)UINT64_MAX ? (uint64_t)size : UINT64_MAX;

	buffer_printf(out, "%s%s", !whole ? "" : bytes < 0 ? "-" : "+", units_bytes(text, whole));
}

/* The cell's text, whole; numbers are ASCII but for "µs". */
static void cell_text(struct buffer *out, enum column_kind kind, const struct table_cell *cell)
{
	char text[UNITS_TEXT_BYTES];
	uint64_t tenths;

	if (cell->is_empty)
		return;
	if (cell->is_estimate)
		buffer_add_char(out, '~');
	switch (kind) {
	case COLUMN_TEXT:
	case COLUMN_FUNCTION:
		escape_terminal(out, cell->text);
		break;
	case COLUMN_COUNT:
		buffer_add_string(out, units_count(text, cell->number));
		break;
	case COLUMN_DURATION:
		buffer_add_string(out, units_duration(text, cell->number));
		break;
	case COLUMN_MICROSECONDS:
		tenths = cell->number / (NS_PER_US / 10) + (cell->number % 100 >= 50);
		buffer_printf(out, "%s.%u", units_count(text, tenths / 10),
			      (unsigned int)(tenths % 10));
		break;
	case COLUMN_SHARE:
	case COLUMN_SHARE_ERROR:
		buffer_printf(out, "%.1f", 100 * cell->share);
		break;
	case COLUMN_TIME:
		buffer_printf(out, "%" PRIu64 ".%06u", cell->number / NS_PER_S,
			      (unsigned int)(cell->number % NS_PER_S / NS_PER_US));
		break;
	case COLUMN_BYTES:
		buffer_add_string(out, units_bytes(text, cell->number));
		break;
	case COLUMN_SIGNED_BYTES:
		add_signed_bytes(out, cell->real);
		break;
	case COLUMN_FINE_MICROSECONDS:
		add_fine_microseconds(out, cell->real);
		break;
	case COLUMN_NUMBER:
		buffer_printf(out, "%.6g", cell->real);
		break;
	}
}

static bool is_text(enum column_kind kind)
{
	return kind == COLUMN_TEXT || kind == COLUMN_FUNCTION;
}

/* "│  ├─ " in front of the first column's text, for so many levels. */
static void add_tree_lines(struct buffer *out, const struct table_row *row, const bool *has_more,
			   unsigned int n_levels)
{
	for (unsigned int level = 1; level < n_levels; level++)
		buffer_add_string(out, has_more[level] ? "│  " : "   ");
	if (n_levels)
		buffer_add_string(out, row->is_last ? "└─ " : "├─ ");
}

static size_t tree_columns(const struct table_row *row)
{
	const unsigned int depth = row->depth < TREE_MAX_DEPTH ? row->depth : TREE_MAX_DEPTH;

	return (size_t)depth * TREE_STEP_COLUMNS;
}

/* The levels that leave room for a name; of a row that is deeper the number tells. */
static unsigned int shown_levels(const struct table_row *row, const char *name, size_t width)
{
	const size_t wanted = utf8_columns(name);
	const size_t needed = wanted < TEXT_MIN_COLUMNS ? wanted : TEXT_MIN_COLUMNS;
	const size_t room = width > needed ? (width - needed) / TREE_STEP_COLUMNS : 0;
	const unsigned int depth = row->depth < TREE_MAX_DEPTH ? row->depth : TREE_MAX_DEPTH;

	return depth < room ? depth : (unsigned int)room;
}

/* What the style adds around all columns and between two of them. */
static size_t line_columns(const struct layout *layout)
{
	const size_t n_between = layout->style == TABLE_BOXED ? 3 : 2;
	const size_t n_around = layout->style == TABLE_BOXED ? 4 : 0;
	size_t n_columns = n_around + (layout->n_shown ? (layout->n_shown - 1) * n_between : 0);

	for (size_t i = 0; i < layout->table->n_columns; i++)
		n_columns += layout->widths[i];
	return n_columns;
}

static bool is_column_empty(const struct table *table, size_t column)
{
	for (size_t row = 0; row < table->n_rows; row++)
		if (!table->cells[table->rows[row].first_cell + column].is_empty)
			return false;
	return table->n_rows > 0;
}

/* A share or a count that nothing has is news; what nothing is called is not. */
static bool can_leave_out(enum column_kind kind)
{
	return is_text(kind) || kind == COLUMN_DURATION;
}

static void layout_measure(struct layout *layout)
{
	const struct table *table = layout->table;
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < table->n_columns; i++) {
		size_t width;

		if (!table->columns[i].title)
			continue;
		if (i > 0 && can_leave_out(table->columns[i].kind) && is_column_empty(table, i))
			continue;
		layout->n_shown++;
		width = utf8_columns(table->columns[i].title);
		for (size_t row = 0; row < table->n_rows; row++) {
			size_t cell_width = i == 0 ? tree_columns(&table->rows[row]) : 0;

			buffer_clear(&text);
			cell_text(&text, table->columns[i].kind,
				  &table->cells[table->rows[row].first_cell + i]);
			cell_width += utf8_columns(buffer_string(&text));
			width = cell_width > width ? cell_width : width;
		}
		layout->widths[i] = width > 0 ? width : 1;
	}
	buffer_release(&text);
}

/*
 * The text column over `min_width` that is to be narrowed next, or n_columns:
 * the widest, where those behind the first count twice, since the first one is
 * what the row is about.
 */
static size_t widest_text(const struct layout *layout, size_t min_width)
{
	const size_t none = layout->table->n_columns;
	size_t widest = none;
	size_t largest = 0;
	size_t n_texts = 0;

	for (size_t i = 0; i < none; i++) {
		const size_t width = layout->widths[i];
		size_t size;

		if (!is_text(layout->table->columns[i].kind) || !width)
			continue;
		size = n_texts++ ? 2 * width : width;
		if (width <= min_width || size <= largest)
			continue;
		widest = i;
		largest = size;
	}
	return widest;
}

static size_t last_number(const struct layout *layout)
{
	for (size_t i = layout->table->n_columns; i-- > 0;)
		if (!is_text(layout->table->columns[i].kind) && layout->widths[i])
			return i;
	return layout->table->n_columns;
}

static void layout_narrow(struct layout *layout, size_t columns)
{
	const size_t none = layout->table->n_columns;
	const size_t min_width = layout->table->min_text_columns ? layout->table->min_text_columns
								 : TEXT_MIN_COLUMNS;
	size_t at;

	while (line_columns(layout) > columns) {
		at = widest_text(layout, min_width);
		if (at != none) {
			layout->widths[at]--;
			continue;
		}
		at = last_number(layout);
		if (at != none) {
			layout->widths[at] = 0;
			layout->n_shown--;
			continue;
		}
		at = widest_text(layout, 1);
		if (at == none)
			return;
		layout->widths[at]--;
	}
}

static void layout_fit(struct layout *layout, size_t columns)
{
	const size_t none = layout->table->n_columns;
	size_t wanted;
	size_t at;

	for (at = widest_text(layout, 4096); at != none; at = widest_text(layout, 4096))
		layout->widths[at] = 4096;
	if (!none || !is_text(layout->table->columns[0].kind)) {
		layout_narrow(layout, columns);
		return;
	}
	/* The room of a number that went is the name's. */
	wanted = layout->widths[0];
	layout_narrow(layout, columns);
	while (layout->widths[0] && layout->widths[0] < wanted && line_columns(layout) < columns)
		layout->widths[0]++;
}

static void add_repeated(struct buffer *out, const char *text, size_t n_times)
{
	while (n_times-- > 0)
		buffer_add_string(out, text);
}

/* "┌──┬──┐" and its like; a plain table has only the inner part. */
static void add_rule(struct buffer *out, const struct layout *layout, const char *left,
		     const char *cross, const char *right)
{
	const bool is_boxed = layout->style == TABLE_BOXED;
	size_t n_done = 0;

	if (is_boxed)
		buffer_add_string(out, left);
	for (size_t i = 0; i < layout->table->n_columns; i++) {
		if (!layout->widths[i])
			continue;
		if (n_done++)
			buffer_add_string(out, is_boxed ? cross : "  ");
		add_repeated(out, "─", layout->widths[i] + (is_boxed ? 2 : 0));
	}
	if (is_boxed)
		buffer_add_string(out, right);
	buffer_add_char(out, '\n');
}

/* One line of fields; `add_field` writes column `i` and returns its columns. */
struct line_source {
	const struct layout *layout;
	const bool *has_more;
	size_t row; /* SIZE_MAX: the header */
};

/* The lines of the tree in front of the first field, and the depth where they end too soon. */
static void add_levels(struct buffer *field, const char *name, const struct line_source *source,
		       size_t width)
{
	const struct table_row *row = &source->layout->table->rows[source->row];
	const unsigned int n_levels = shown_levels(row, name, width);

	add_tree_lines(field, row, source->has_more, n_levels);
	if (n_levels < row->depth)
		buffer_printf(field, "[%u] ", row->depth);
}

static void add_text_fit(struct buffer *field, const char *text, enum column_kind kind,
			 size_t columns)
{
	struct buffer label = BUFFER_INIT;

	if (kind == COLUMN_FUNCTION && columns >= FUNCTION_LABEL_MIN_COLUMNS) {
		function_label_fit(&label, text, columns);
		text = buffer_string(&label);
	}
	escape_terminal_fit(field, text, columns);
	field->is_failed |= label.is_failed;
	buffer_release(&label);
}

static void add_field(struct buffer *out, const struct line_source *source, size_t i)
{
	const struct table *table = source->layout->table;
	const size_t width = source->layout->widths[i];
	const enum column_kind kind = table->columns[i].kind;
	struct buffer text = BUFFER_INIT;
	struct buffer field = BUFFER_INIT;
	size_t used;

	if (source->row == SIZE_MAX) {
		buffer_add_string(&text, table->columns[i].title);
	} else {
		const struct table_row *row = &table->rows[source->row];

		cell_text(&text, kind, &table->cells[row->first_cell + i]);
		if (i == 0)
			add_levels(&field, buffer_string(&text), source, width);
	}
	used = utf8_columns(buffer_string(&field));
	add_text_fit(&field, buffer_string(&text), kind, width > used ? width - used : 0);
	used = utf8_columns(buffer_string(&field));
	if (!is_text(kind))
		add_repeated(out, " ", width > used ? width - used : 0);
	buffer_add(out, buffer_string(&field), field.size);
	if (is_text(kind))
		add_repeated(out, " ", width > used ? width - used : 0);
	buffer_release(&field);
	buffer_release(&text);
}

static void add_line(struct buffer *out, const struct line_source *source)
{
	const struct layout *layout = source->layout;
	const bool is_boxed = layout->style == TABLE_BOXED;
	size_t n_done = 0;

	if (is_boxed)
		buffer_add_string(out, "│ ");
	for (size_t i = 0; i < layout->table->n_columns; i++) {
		if (!layout->widths[i])
			continue;
		if (n_done++)
			buffer_add_string(out, is_boxed ? " │ " : "  ");
		add_field(out, source, i);
	}
	if (is_boxed)
		buffer_add_string(out, " │");
	while (!is_boxed && out->size && out->data[out->size - 1] == ' ')
		out->data[--out->size] = '\0';
	buffer_add_char(out, '\n');
}

static void add_rows(struct buffer *out, const struct layout *layout)
{
	const struct table *table = layout->table;
	bool has_more[TREE_MAX_DEPTH + 1] = { false };

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct table_row *row = &table->rows[i];

		if (row->depth <= TREE_MAX_DEPTH)
			has_more[row->depth] = !row->is_last;
		if (row->is_footer && row->depth == 0)
			add_rule(out, layout, "├", "┼", "┤");
		add_line(out, &(struct line_source){ layout, has_more, i });
	}
}

void table_write_text(struct buffer *out, const struct table *table, enum table_style style,
		      size_t columns)
{
	struct layout layout = { .table = table, .style = style };

	layout.widths = calloc(table->n_columns + 1, sizeof(*layout.widths));
	if (!layout.widths) {
		out->is_failed = true;
		return;
	}
	layout_measure(&layout);
	layout_fit(&layout, columns);
	if (style == TABLE_BOXED)
		add_rule(out, &layout, "┌", "┬", "┐");
	add_line(out, &(struct line_source){ &layout, NULL, SIZE_MAX });
	add_rule(out, &layout, "├", "┼", "┤");
	add_rows(out, &layout);
	if (style == TABLE_BOXED)
		add_rule(out, &layout, "└", "┴", "┘");
	free(layout.widths);
}

static char ascii_of(uint32_t c)
{
	static const struct {
		uint32_t c;
		char ascii;
	} known[] = {
		{ 0x2192, '>' }, /* → */
		{ 0x2500, '-' }, /* ─ */
		{ 0x2502, '|' }, /* │ */
		{ 0x2514, '`' }, /* └ */
		{ 0x251c, '|' }, /* ├ */
		{ 0x2026, '~' }, /* … */
		{ 0x2581, '_' }, /* ▁, and so on to the full block */
		{ 0x2582, '.' }, { 0x2583, ':' }, { 0x2584, '-' }, { 0x2585, '=' },
		{ 0x2586, '+' }, { 0x2587, '*' }, { 0x2588, '#' }, /* █ */
		{ 0x00b1, '+' },				   /* ± */
		{ 0x00b2, '2' },				   /* ² */
		{ 0x00b5, 'u' },				   /* µ, the micro sign */
		{ 0x03bc, 'u' },				   /* μ, the letter */
	};

	if (c < 0x80)
		return (char)c;
	if (c > 0x2500 && c < 0x2580 && c != 0x2502 && c != 0x2514 && c != 0x251c)
		return '+';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].c == c)
			return known[i].ascii;
	return '?';
}

void table_add_ascii(struct buffer *out, const char *text)
{
	const char *const end = text + strlen(text);

	while (text < end) {
		const char *const start = text;
		const char ascii = ascii_of(utf8_next(&text, end));
		char character[8] = { 0 };

		memcpy(character, start, (size_t)(text - start));
		if (*start == '\n')
			buffer_add_char(out, '\n');
		else
			for (size_t n = utf8_columns(character); n > 0; n--)
				buffer_add_char(out, ascii);
	}
}
