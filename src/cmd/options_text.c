/* Usage and help, written from the option tables. */
#include "cmd/command.h"

#include <string.h>

#include "base/buffer.h"
#include "base/escape.h"

enum {
	TEXT_COLUMNS = 80,
	HELP_COLUMN = 28, /* where the explanations start */
};

/* Words run on from `column`; a new line is indented.  Returns the column reached. */
static size_t text_add_word(FILE *out, size_t column, size_t indent, const char *word)
{
	const size_t width = utf8_columns(word);

	if (column > indent && column + 1 + width > TEXT_COLUMNS) {
		(void)fprintf(out, "\n%*s", (int)indent, "");
		column = indent;
	} else if (column > indent) {
		(void)fputc(' ', out);
		column++;
	}
	(void)fputs(word, out);
	return column + width;
}

/* Text that is broken at its blanks; `column` is where the cursor stands. */
static size_t text_add(FILE *out, size_t column, size_t indent, const char *text)
{
	struct buffer word = BUFFER_INIT;

	while (*text) {
		const size_t length = strcspn(text, " ");

		buffer_clear(&word);
		buffer_add(&word, text, length);
		column = text_add_word(out, column, indent, buffer_string(&word));
		text += length;
		text += strspn(text, " ");
	}
	buffer_release(&word);
	return column;
}

void options_write_usage(FILE *out, const struct command *command)
{
	const size_t indent = strlen("usage: tsprof ") + strlen(command->name) + 1;
	size_t column = indent;
	char word[128];

	(void)fprintf(out, "usage: tsprof %s ", command->name);
	for (const struct option *option = command->options; option->name; option++) {
		const char *dashes = option->letter ? "-" : "--";
		const char letter[2] = { option->letter, '\0' };

		(void)snprintf(word, sizeof(word), "[%s%s%s%s]", dashes,
			       option->letter ? letter : option->name, option->argument ? " " : "",
			       option->argument ? option->argument : "");
		column = text_add_word(out, column, indent, word);
	}
	if (*command->operands)
		(void)text_add(out, column, indent, command->operands);
	(void)fputc('\n', out);
}

static void option_write_help(FILE *out, const struct option *option)
{
	struct buffer left = BUFFER_INIT;
	size_t column;

	if (option->letter)
		buffer_printf(&left, "  -%c, --%s", option->letter, option->name);
	else
		buffer_printf(&left, "      --%s", option->name);
	if (option->argument)
		buffer_printf(&left, " %s", option->argument);
	(void)fputs(buffer_string(&left), out);
	column = utf8_columns(buffer_string(&left));
	if (column + 2 > HELP_COLUMN) {
		(void)fputc('\n', out);
		column = 0;
	}
	(void)fprintf(out, "%*s", (int)(HELP_COLUMN - column), "");
	column = text_add(out, HELP_COLUMN, HELP_COLUMN, option->help);
	for (size_t i = 0; option->choices && option->choices[i]; i++) {
		char word[64];

		(void)snprintf(word, sizeof(word), "%s%s%s", i ? "" : "(", option->choices[i],
			       option->choices[i + 1] ? "," : ")");
		column = text_add_word(out, column, HELP_COLUMN, word);
	}
	(void)fputc('\n', out);
	buffer_release(&left);
}

/* Paragraphs are filled again; a line that starts with a blank is kept as it is. */
static void details_write(FILE *out, const char *details)
{
	struct buffer line = BUFFER_INIT;
	size_t column = 0;

	while (*details) {
		const size_t length = strcspn(details, "\n");

		buffer_clear(&line);
		buffer_add(&line, details, length);
		if (length > 0 && *details != ' ') {
			column = text_add(out, column, 0, buffer_string(&line));
		} else {
			(void)fprintf(out, "%s%s", column ? "\n" : "", buffer_string(&line));
			(void)fputc('\n', out);
			column = 0;
		}
		details += length;
		details += *details == '\n';
	}
	if (column)
		(void)fputc('\n', out);
	buffer_release(&line);
}

void options_write_help(FILE *out, const struct command *command)
{
	static const struct option help = { .name = "help",
					    .letter = 'h',
					    .help = "print this text" };

	options_write_usage(out, command);
	(void)fputc('\n', out);
	(void)text_add(out, 0, 0, command->summary);
	(void)fputs("\n\n", out);
	for (const struct option *option = command->options; option->name; option++)
		option_write_help(out, option);
	option_write_help(out, &help);
	if (command->details) {
		(void)fputc('\n', out);
		details_write(out, command->details);
	}
}
