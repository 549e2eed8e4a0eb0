#ifndef TSPROF_EXPORT_MARK_CELLS_H
#define TSPROF_EXPORT_MARK_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/table.h"
#include "model/profile.h"
#include "tree/view.h"

/* What the tables of marks have in common: cells, and who marked. */
struct table_cell mark_text_cell(const struct profile *profile, uint32_t text);

/* "[unnamed]" in place of nothing. */
struct table_cell mark_name_cell(const struct profile *profile, uint32_t name);

/* For text that is not the profile's; NULL, as when memory is short, is an empty cell. */
struct table_cell mark_kept_cell(const char *text);
struct table_cell mark_number_cell(uint64_t number);
struct table_cell mark_known_cell(uint64_t number, bool is_known);
struct table_cell mark_share_cell(uint64_t part, uint64_t whole);

/* "name/pid" or "name/tid", kept in the table; without text when memory is short. */
struct table_cell mark_group_cell(struct table *table, const struct profile *profile,
				  enum view_by by, uint32_t thread);

/* "Thread", process, pid and tid: the columns and the cells, so many. */
enum { MARK_THREAD_CELLS = 4 };

/* In text the thread is shown only where it tells the rows of a table apart. */
struct mark_threads {
	uint32_t first; /* of those seen so far */
	bool is_any;
	bool has_several;
};

void mark_threads_see(struct mark_threads *threads, uint32_t thread);
void mark_threads_add_columns(struct table *table, const struct mark_threads *threads);

/* `thread` may be MARK_NO_THREAD, and then the cells are empty. */
int mark_threads_add_cells(struct table *table, const struct profile *profile, uint32_t thread,
			   struct table_cell *cells);

#endif
