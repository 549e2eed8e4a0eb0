/* Rows as objects, flat: what a row belongs to is a column of the table. */
#include "export/table.h"

#include <math.h>

static void json_add_cell(struct json_writer *json, const struct table_column *column,
			  const struct table_cell *cell)
{
	if (cell->is_empty)
		return;
	switch (column->kind) {
	case COLUMN_TEXT:
	case COLUMN_FUNCTION:
		json_string(json, column->key, cell->text);
		break;
	case COLUMN_COUNT:
	case COLUMN_DURATION:
	case COLUMN_MICROSECONDS:
	case COLUMN_TIME:
	case COLUMN_BYTES:
		json_unsigned(json, column->key, cell->number);
		break;
	case COLUMN_SHARE:
	case COLUMN_SHARE_ERROR:
		json_number(json, column->key, cell->share);
		break;
	case COLUMN_SIGNED_BYTES:
		json_real(json, column->key, round(cell->real));
		break;
	case COLUMN_FINE_MICROSECONDS:
		json_number(json, column->key, cell->real);
		break;
	case COLUMN_NUMBER:
		json_real(json, column->key, cell->real);
		break;
	}
}

void table_write_json_rows(struct json_writer *json, const struct table *table)
{
	for (size_t row = 0; row < table->n_rows; row++) {
		json_open_object(json, NULL);
		for (size_t i = 0; i < table->n_columns; i++)
			json_add_cell(json, &table->columns[i],
				      &table->cells[table->rows[row].first_cell + i]);
		json_close_object(json);
	}
}

void table_write_json(struct json_writer *json, const struct table *table)
{
	json_open_array(json, table->name);
	table_write_json_rows(json, table);
	json_close_array(json);
}
