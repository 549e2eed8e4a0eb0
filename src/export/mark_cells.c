/* Cells of the tables of marks; all text in them comes from the target. */
#include "export/mark_cells.h"

#include <errno.h>

#include "base/buffer.h"

struct table_cell mark_text_cell(const struct profile *profile, uint32_t text)
{
	return mark_kept_cell(interner_get(&profile->strings, text));
}

struct table_cell mark_name_cell(const struct profile *profile, uint32_t name)
{
	const char *const text = interner_get(&profile->strings, name);

	return mark_kept_cell(text[0] ? text : "[unnamed]");
}

struct table_cell mark_kept_cell(const char *text)
{
	return (struct table_cell){ .text = text, .is_empty = !text || !text[0] };
}

struct table_cell mark_number_cell(uint64_t number)
{
	return (struct table_cell){ .number = number };
}

struct table_cell mark_known_cell(uint64_t number, bool is_known)
{
	return (struct table_cell){ .number = is_known ? number : 0, .is_empty = !is_known };
}

struct table_cell mark_share_cell(uint64_t part, uint64_t whole)
{
	return (struct table_cell){
		.share = whole ? (double)part / (double)whole : 0,
		.is_empty = !whole,
	};
}

void mark_threads_see(struct mark_threads *threads, uint32_t thread)
{
	threads->has_several |= threads->is_any && threads->first != thread;
	threads->first = thread;
	threads->is_any = true;
}

void mark_threads_add_columns(struct table *table, const struct mark_threads *threads)
{
	table_add_column(table, (struct table_column){ threads->has_several ? "Thread" : NULL,
						       "thread", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "process", COLUMN_TEXT });
	table_add_column(table, (struct table_column){ NULL, "pid", COLUMN_COUNT });
	table_add_column(table, (struct table_column){ NULL, "tid", COLUMN_COUNT });
}

struct table_cell mark_group_cell(struct table *table, const struct profile *profile,
				  enum view_by by, uint32_t thread)
{
	struct buffer text = BUFFER_INIT;
	const char *kept = NULL;

	view_add_group(&text, by, profile, thread);
	if (!text.is_failed)
		kept = table_keep_text(table, buffer_string(&text));
	buffer_release(&text);
	return mark_kept_cell(kept);
}

int mark_threads_add_cells(struct table *table, const struct profile *profile, uint32_t thread,
			   struct table_cell *cells)
{
	if (thread >= profile->n_threads) {
		for (size_t i = 0; i < MARK_THREAD_CELLS; i++)
			cells[i] = (struct table_cell){ .is_empty = true };
		return 0;
	}
	cells[0] = mark_group_cell(table, profile, VIEW_BY_THREAD, thread);
	cells[1] = mark_text_cell(profile, profile->threads[thread].process_name);
	cells[2] = mark_known_cell(profile->threads[thread].pid, profile->threads[thread].pid);
	cells[3] = mark_known_cell(profile->threads[thread].tid, profile->threads[thread].tid);
	return cells[0].text ? 0 : -ENOMEM;
}
