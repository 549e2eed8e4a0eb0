#ifndef TSPROF_EXPORT_TABLE_H
#define TSPROF_EXPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * A table of typed cells, rendered as text, CSV or JSON: every report builds
 * one of these, so that all formats say the same.
 */
enum column_kind {
	COLUMN_TEXT, /* shortened in the middle when the terminal is narrow */
	COLUMN_COUNT,
	COLUMN_DURATION,     /* nanoseconds */
	COLUMN_MICROSECONDS, /* nanoseconds, shown as microseconds with one decimal */
	COLUMN_SHARE,	     /* 0…1, shown as percent */
	COLUMN_SHARE_ERROR,  /* 0…1, shown as "± 1.2" */
};

struct table_column {
	const char *title; /* the text header */
	const char *key;   /* the JSON key and CSV header, with its unit: "self_ns" */
	enum column_kind kind;
};

struct table_cell {
	const char *text; /* borrowed until the table is released by its builder; COLUMN_TEXT */
	uint64_t number;  /* COLUMN_COUNT, COLUMN_DURATION, COLUMN_MICROSECONDS */
	double share;	  /* COLUMN_SHARE* */
	bool is_empty;
};

struct table_row {
	size_t first_cell;
	unsigned int depth; /* indented below the row before it with a smaller depth */
	bool is_last;	    /* of its siblings: └─ instead of ├─ */
	bool is_footer;	    /* below a rule: TOTAL, UNEXPLAINED */
};

struct table {
	const char *name; /* the JSON key of the rows: "functions" */
	const struct table_column *columns;
	size_t n_columns;
	struct table_row *rows;
	size_t n_rows, rows_capacity;
	struct table_cell *cells;
	size_t n_cells, cells_capacity;
};

void table_release(struct table *table);

/* `cells` has n_columns entries, copied.  Returns 0 or -ENOMEM. */
int table_add_row(struct table *table, struct table_row row, const struct table_cell *cells);

enum table_style {
	TABLE_PLAIN, /* columns parted by two spaces, a rule below the header */
	TABLE_BOXED, /* box-drawing characters around everything */
};

/* Lines of at most `columns` columns, terminal-safe. */
void table_write_text(struct buffer *out, const struct table *table, enum table_style style,
		      size_t columns);
void table_write_csv(struct buffer *out, const struct table *table);

#endif
