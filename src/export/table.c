/* The table as data; its renderings are in table_text.c, table_csv.c and table_json.c. */
#include "export/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void table_release(struct table *table)
{
	free(table->rows);
	free(table->cells);
	interner_release(&table->texts);
	*table = (struct table){ .name = table->name };
}

void table_add_column(struct table *table, struct table_column column)
{
	assert(table->n_columns < TABLE_MAX_COLUMNS && table->n_rows == 0);
	table->columns[table->n_columns++] = column;
}

int table_add_row(struct table *table, struct table_row row, const struct table_cell *cells)
{
	struct table_row *rows = array_grown(table->rows, &table->rows_capacity, table->n_rows + 1,
					     sizeof(*rows));
	struct table_cell *grown;

	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	grown = array_grown(table->cells, &table->cells_capacity, table->n_cells + table->n_columns,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->cells = grown;
	row.first_cell = table->n_cells;
	memcpy(&grown[table->n_cells], cells, table->n_columns * sizeof(*cells));
	table->n_cells += table->n_columns;
	rows[table->n_rows++] = row;
	return 0;
}

const char *table_keep_text(struct table *table, const char *text)
{
	uint32_t id;

	if (!table->texts.n_strings && interner_init(&table->texts) < 0)
		return NULL;
	if (interner_add(&table->texts, &id, text) < 0)
		return NULL;
	return interner_get(&table->texts, id);
}
