/* A message is one line: names are cut, and so is their number. */
#include "tree/name_list.h"

#include "base/escape.h"

enum {
	LISTED_NAMES = 12,
	LISTED_COLUMNS = 32,
};

void name_list_add(struct name_list *list, const char *name)
{
	suggestion_offer(&list->guess, name);
	if (list->n_names++ >= LISTED_NAMES)
		return;
	buffer_add_string(&list->text, list->text.size ? ", " : "");
	escape_terminal_fit(&list->text, name, LISTED_COLUMNS);
}

void name_list_write(const struct name_list *list, struct buffer *out)
{
	if (list->guess.nearest) {
		buffer_add_string(out, " (did you mean ");
		escape_terminal_fit(out, list->guess.nearest, 2 * LISTED_COLUMNS);
		buffer_add_string(out, "?)");
	}
	if (!list->n_names)
		return;
	buffer_printf(out, "; %s %s", list->n_names > 1 ? "there are" : "there is",
		      buffer_string(&list->text));
	if (list->n_names > LISTED_NAMES)
		buffer_printf(out, " and %zu more", list->n_names - LISTED_NAMES);
}

void name_list_release(struct name_list *list)
{
	buffer_release(&list->text);
}
