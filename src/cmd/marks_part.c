/* Parts are made by those who know the tables; here is what they say about them. */
#include "cmd/marks_part.h"

#include <errno.h>

#include "base/units.h"

uint64_t marks_limit(uint64_t asked, uint64_t usual)
{
	if (asked == UINT64_MAX)
		return usual;
	return asked ? asked : UINT64_MAX;
}

size_t marks_at_most(size_t n, uint64_t max)
{
	return n < max ? n : (size_t)max;
}

struct report_part *marks_part_add(const struct marks_maker *maker, const char *title)
{
	struct report_part *part = report_output_add_part(maker->output);

	if (!part) {
		(void)error_set_no_memory(maker->err);
		return NULL;
	}
	part->is_marks = true;
	part->title = title;
	return part;
}

int marks_part_finish(const struct marks_maker *maker, int r)
{
	return r == -ENOMEM ? error_set_no_memory(maker->err) : r;
}

void marks_part_note(struct report_part *part, const char *text)
{
	if (part->note.size)
		buffer_add_char(&part->note, ' ');
	buffer_add_string(&part->note, text);
}

void marks_part_note_nothing(struct report_part *part, const char *what)
{
	if (part->table.n_rows == 0)
		buffer_printf(&part->note, "There are no %s in what is looked at.", what);
}

void marks_part_note_gap(struct report_part *part, size_t n, struct list_part shown,
			 const char *what)
{
	char all[UNITS_TEXT_BYTES];
	char left_out[UNITS_TEXT_BYTES];

	part->n_left_out = shown.n_last || shown.n_first < n ? n - shown.n_first - shown.n_last : 0;
	marks_part_note_nothing(part, what);
	if (part->n_left_out)
		buffer_printf(&part->note, "%s of %s %s are left out, %s (--max 0 shows all).",
			      units_count(left_out, part->n_left_out), units_count(all, n), what,
			      shown.n_last ? "between the first and the last" : "the later ones");
}

void marks_part_note_rest(struct report_part *part, size_t n_hidden, const char *option)
{
	char count[UNITS_TEXT_BYTES];

	part->n_left_out = n_hidden;
	if (n_hidden)
		buffer_printf(&part->note, "… and %s more (%s 0 shows all).",
			      units_count(count, n_hidden), option);
}
