/* The tables of memory, and what is said about them. */
#include "cmd/report_memory.h"

#include <errno.h>

#include "base/units.h"
#include "export/memory_table.h"

enum {
	MEMORY_TOP = 20, /* processes, unless --top says another number */
	MEMORY_MAX_HINTS = 3,
};

static void note_sizes(struct report_part *part, const struct memory_rows *rows, size_t n_hidden)
{
	char count[UNITS_TEXT_BYTES];

	part->n_left_out = n_hidden;
	if (rows->n_rows == 0) {
		buffer_add_string(&part->note, "There are no readings in what is looked at.");
		return;
	}
	if (n_hidden)
		buffer_printf(&part->note, "… and %s more (--top 0 shows all). ",
			      units_count(count, n_hidden));
	buffer_add_string(&part->note, "Resident memory (RSS).");
	if (rows->has_whole)
		buffer_add_string(&part->note,
				  " In the sum, what processes share is counted in each.");
}

/* "app/10: anonymous memory grows steadily, …" */
static void add_hint(struct buffer *out, const struct profile *profile,
		     const struct memory_row *row)
{
	char rate[UNITS_TEXT_BYTES];

	memory_table_add_name(out, profile, row);
	buffer_printf(out,
		      ": anonymous memory grows steadily, by %s a second in the second half of "
		      "the time: a leak? ",
		      units_bytes(rate, (uint64_t)row->half.slope));
}

static void note_growth(struct report_part *part, const struct profile *profile,
			const struct memory_rows *rows)
{
	size_t n_hints = 0;
	char count[UNITS_TEXT_BYTES];

	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].is_leak_suspected && n_hints++ < MEMORY_MAX_HINTS)
			add_hint(&part->note, profile, &rows->rows[i]);
	if (n_hints > MEMORY_MAX_HINTS)
		buffer_printf(&part->note, "%s more processes grow like that. ",
			      units_count(count, n_hints - MEMORY_MAX_HINTS));
	buffer_add_string(&part->note,
			  "per s: least squares, ± half its 95 % interval; late: of anonymous "
			  "memory in the second half of the time, whose line has this r².");
}

static struct report_part *add_part(struct report_output *output, const char *title,
				    struct error *err)
{
	struct report_part *part = report_output_add_part(output);

	if (!part) {
		(void)error_set_no_memory(err);
		return NULL;
	}
	part->is_marks = true;
	part->title = title;
	return part;
}

static int add_growth(struct report_output *output, const struct memory_rows *rows, size_t top,
		      struct error *err)
{
	struct report_part *part = add_part(output, "Growth of memory", err);

	if (!part)
		return -ENOMEM;
	note_growth(part, output->profile, rows);
	return memory_table_growth(&part->table, output->profile, rows, top);
}

static int add_tables(struct report_output *output, const struct memory_rows *rows, size_t top,
		      struct error *err)
{
	const size_t n_processes = rows->n_rows - rows->has_whole;
	struct report_part *part = add_part(output, "Memory over time", err);
	int r;

	if (!part)
		return -ENOMEM;
	note_sizes(part, rows, top < n_processes ? n_processes - top : 0);
	if (output->format != REPORT_TEXT)
		return memory_table_all(&part->table, output->profile, rows, top);
	r = memory_table_sizes(&part->table, output->profile, rows, top);
	return r == 0 && rows->n_rows ? add_growth(output, rows, top, err) : r;
}

int report_memory_add(struct report_output *output, uint64_t top, struct error *err)
{
	struct memory_rows rows;
	int r;

	if (!output->profile->marks.n_resources)
		return error_set(err, -ENODATA,
				 "no memory was recorded (record --resources reads it from a "
				 "command or -p, in what runs for 100 ms or longer)");
	r = memory_rows_build(&rows, output->profile, &output->view, err);
	if (r < 0)
		return r;
	top = top == UINT64_MAX ? MEMORY_TOP : top ? top : UINT64_MAX;
	r = add_tables(output, &rows, top < SIZE_MAX ? (size_t)top : SIZE_MAX, err);
	memory_rows_release(&rows);
	return r == -ENOMEM ? error_set_no_memory(err) : r;
}
