#ifndef TSPROF_EXPORT_TABLE_H
#define TSPROF_EXPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/interner.h"
#include "base/json_writer.h"

/*
 * A table of typed cells, rendered as text, CSV or JSON: every report builds
 * one of these, so that all formats say the same.  A zeroed one with a name is
 * an empty table.
 */
enum { TABLE_MAX_COLUMNS = 32 };

enum column_kind {
	COLUMN_TEXT,	 /* shortened in the middle when the terminal is narrow */
	COLUMN_FUNCTION, /* the same, as function_label_fit does */
	COLUMN_COUNT,
	COLUMN_DURATION,     /* nanoseconds */
	COLUMN_MICROSECONDS, /* nanoseconds, shown as microseconds with one decimal */
	COLUMN_SHARE,	     /* 0…1, shown as percent */
	COLUMN_SHARE_ERROR,  /* 0…1, shown as percent: "1.2" */
	COLUMN_TIME,	     /* nanoseconds, shown as seconds with six decimals */
	COLUMN_BYTES,
	COLUMN_NUMBER,		  /* any; shown with six significant digits */
	COLUMN_SIGNED_BYTES,	  /* of any sign, shown with it: "+1.5 MiB" */
	COLUMN_FINE_MICROSECONDS, /* nanoseconds and parts of them, shown as "1,234.567" µs */
};

struct table_column {
	const char *title; /* the text header; NULL: only in CSV and JSON */
	const char *key;   /* the JSON key and CSV header, with its unit: "self_ns" */
	enum column_kind kind;
};

struct table_cell {
	const char *text; /* borrowed until the table is released; COLUMN_TEXT, COLUMN_FUNCTION */
	uint64_t number;  /* all that are whole */
	double share;	  /* COLUMN_SHARE* */
	double real;	  /* COLUMN_NUMBER, _SIGNED_BYTES, _FINE_MICROSECONDS; may be negative */
	bool is_empty;
	bool is_estimate; /* "~" in front of it, in text */
};

struct table_row {
	size_t first_cell;
	unsigned int depth; /* indented below the row before it with a smaller depth */
	bool is_last;	    /* of its siblings: └─ instead of ├─ */
	bool is_footer;	    /* below a rule: TOTAL, UNEXPLAINED */
};

struct table {
	const char *name; /* the JSON key of the rows: "functions" */
	struct table_column columns[TABLE_MAX_COLUMNS];
	size_t n_columns;
	size_t min_text_columns; /* before a text column gets narrower a number goes; 0: 10 */
	struct table_row *rows;
	size_t n_rows, rows_capacity;
	struct table_cell *cells;
	size_t n_cells, cells_capacity;
	struct interner texts; /* what cells say that nobody else keeps */
};

void table_release(struct table *table);

void table_add_column(struct table *table, struct table_column column);

/* `cells` has n_columns entries, copied.  Returns 0 or -ENOMEM. */
int table_add_row(struct table *table, struct table_row row, const struct table_cell *cells);

/* Borrowed until the table is released: a copy of the text; NULL when memory is short. */
const char *table_keep_text(struct table *table, const char *text);

enum table_style {
	TABLE_PLAIN, /* columns parted by two spaces, a rule below the header */
	TABLE_BOXED, /* box-drawing characters around everything */
};

/*
 * Lines of at most `columns` columns, terminal-safe; 40 are enough for any
 * table.  Text columns share what the numbers leave; where that is too little,
 * the numbers furthest to the right go.
 */
void table_write_text(struct buffer *out, const struct table *table, enum table_style style,
		      size_t columns);
void table_write_csv(struct buffer *out, const struct table *table);

/* The rows without the header line, for another table with the same columns. */
void table_write_csv_rows(struct buffer *out, const struct table *table);

/*
 * An array of objects under table->name, into the object that is open.  Empty
 * cells are left out; what a row belongs to is for the columns to say.
 */
void table_write_json(struct json_writer *json, const struct table *table);

/* The same objects into the array that is open. */
void table_write_json_rows(struct json_writer *json, const struct table *table);

/*
 * The same text for terminals that know only ASCII: lines and corners become
 * "|", "-" and "+", "μ" becomes "u", "…" "~", "±" "+", all else "?".  Columns
 * stay as many as they were.
 */
void table_add_ascii(struct buffer *out, const char *text);

#endif
