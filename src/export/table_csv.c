/* RFC 4180 with a header line; numbers are whole and without separators. */
#include "export/table.h"

#include "base/escape.h"

static void csv_add_cell(struct buffer *out, enum column_kind kind, const struct table_cell *cell)
{
	if (cell->is_empty)
		return;
	switch (kind) {
	case COLUMN_TEXT:
	case COLUMN_FUNCTION:
		escape_csv(out, cell->text);
		break;
	case COLUMN_COUNT:
	case COLUMN_DURATION:
	case COLUMN_MICROSECONDS:
	case COLUMN_TIME:
	case COLUMN_BYTES:
		buffer_add_decimal(out, cell->number);
		break;
	case COLUMN_SHARE:
	case COLUMN_SHARE_ERROR:
		buffer_printf(out, "%.6f", cell->share);
		break;
	case COLUMN_SIGNED_BYTES:
		buffer_printf(out, "%.0f", cell->real);
		break;
	case COLUMN_FINE_MICROSECONDS:
		buffer_printf(out, "%.3f", cell->real);
		break;
	case COLUMN_NUMBER:
		buffer_add_real(out, cell->real);
		break;
	}
}

void table_write_csv_rows(struct buffer *out, const struct table *table)
{
	for (size_t row = 0; row < table->n_rows; row++) {
		for (size_t i = 0; i < table->n_columns; i++) {
			buffer_add_string(out, i ? "," : "");
			csv_add_cell(out, table->columns[i].kind,
				     &table->cells[table->rows[row].first_cell + i]);
		}
		buffer_add_char(out, '\n');
	}
}

void table_write_csv(struct buffer *out, const struct table *table)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		buffer_add_string(out, i ? "," : "");
		escape_csv(out, table->columns[i].key);
	}
	buffer_add_char(out, '\n');
	table_write_csv_rows(out, table);
}
