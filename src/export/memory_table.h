#ifndef TSPROF_EXPORT_MEMORY_TABLE_H
#define TSPROF_EXPORT_MEMORY_TABLE_H

#include <stddef.h>

#include "export/table.h"
#include "model/profile.h"
#include "tree/memory_rows.h"

/*
 * Memory over time as tables: in text one of sizes and one of growth, in JSON and
 * CSV all of it as one.  Of processes the first `top` are told, and all together.  They
 * return 0 or -ENOMEM, and then the table is released; texts are borrowed from the profile.
 */
int memory_table_sizes(struct table *table, const struct profile *profile,
		       const struct memory_rows *rows, size_t top);
int memory_table_growth(struct table *table, const struct profile *profile,
			const struct memory_rows *rows, size_t top);
int memory_table_all(struct table *table, const struct profile *profile,
		     const struct memory_rows *rows, size_t top);

/* "name/pid", or "all processes". */
void memory_table_add_name(struct buffer *out, const struct profile *profile,
			   const struct memory_row *row);

#endif
