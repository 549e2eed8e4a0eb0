/*
 * The one option parser.  It walks argv once; what is an option is stored at
 * the place that its table entry names, what is an operand moves to the front.
 */
#include "cmd/command.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/units.h"

struct option_parse {
	struct app *app;
	const struct command *command;
	char *values;
	int argc;
	char **argv;
	int next;	/* index in argv of the next word */
	int n_operands; /* kept at argv[1…] */
};

/* "tsprof COMMAND: MESSAGE; try …": what was typed is escaped, it may hold anything. */
__attribute__((format(printf, 2, 3))) static int option_fail(const struct option_parse *parse,
							     const char *format, ...)
{
	struct buffer message = BUFFER_INIT;
	char text[1000];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	escape_terminal(&message, text);
	app_say(parse->app, "%s: %s; see '%s %s -h'", parse->command->name, buffer_string(&message),
		parse->app->program, parse->command->name);
	buffer_release(&message);
	return OPTIONS_ERROR;
}

static int option_parse_number(double *ret_value, const char *text, struct error *err)
{
	char *rest;
	double value;

	if ((*text < '0' || *text > '9') && *text != '.')
		return error_set(err, -EINVAL, "'%s' is not a number", text);
	value = strtod(text, &rest);
	if (*rest || rest == text || !isfinite(value))
		return error_set(err, -EINVAL, "'%s' is not a number", text);
	*ret_value = value;
	return 0;
}

static int option_parse_choice(const char **ret_value, const struct option *option,
			       const char *text, struct error *err)
{
	struct suggestion guess = SUGGESTION_INIT(text);
	struct buffer list = BUFFER_INIT;

	for (size_t i = 0; option->choices && option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0)
			goto found;
		suggestion_offer(&guess, option->choices[i]);
		buffer_printf(&list, "%s%s", i ? ", " : "", option->choices[i]);
	}
	if (!option->choices)
		goto found;
	if (guess.nearest)
		buffer_printf(&list, " (did you mean %s?)", guess.nearest);
	(void)error_set(err, -EINVAL, "'%s' is not one of %s", text, buffer_string(&list));
	buffer_release(&list);
	return -EINVAL;
found:
	buffer_release(&list);
	*ret_value = text;
	return 0;
}

static int option_add_string(struct option_strings *list, const char *text, struct error *err)
{
	const char **grown = array_grown(list->strings, &list->capacity, list->n_strings + 1,
					 sizeof(*grown));

	if (!grown)
		return error_set_no_memory(err);
	list->strings = grown;
	grown[list->n_strings++] = text;
	return 0;
}

static int option_store(const struct option *option, void *value, const char *text,
			struct error *err)
{
	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)value = true;
		return 0;
	case OPTION_NO_FLAG:
		*(bool *)value = false;
		return 0;
	case OPTION_STRING:
		return option_parse_choice(value, option, text, err);
	case OPTION_STRINGS:
		return option_add_string(value, text, err);
	case OPTION_COUNT:
		return units_parse_count(value, text, err);
	case OPTION_BYTES:
		return units_parse_bytes(value, text, err);
	case OPTION_RATE:
		return units_parse_rate(value, text, err);
	case OPTION_DURATION:
		return units_parse_duration(value, text, err);
	case OPTION_NUMBER:
		return option_parse_number(value, text, err);
	}
	return error_set(err, -EINVAL, "option table is broken");
}

/* `attached` is what was written in the same word, or NULL; `typed` is how the user named it. */
static int option_apply(struct option_parse *parse, const struct option *option,
			const char *attached, const char *typed)
{
	struct error err = ERROR_INIT;
	const char *text = attached;

	if (option->argument && !text) {
		if (parse->next >= parse->argc)
			return option_fail(parse, "%s needs a value, %s", typed, option->argument);
		text = parse->argv[parse->next++];
	}
	if (!option->argument && attached)
		return option_fail(parse, "%s takes no value", typed);
	if (option_store(option, parse->values + option->offset, text, &err) < 0)
		return option_fail(parse, "%s: %s", typed, err.message);
	return 0;
}

static int option_parse_long(struct option_parse *parse, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	const size_t length = equals ? (size_t)(equals - name) : strlen(name);
	char typed[64];
	struct suggestion guess;

	(void)snprintf(typed, sizeof(typed), "--%.*s", (int)length, name);
	if (strcmp(word, "--help") == 0)
		return OPTIONS_HELP;
	for (const struct option *option = parse->command->options; option->name; option++)
		if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
			return option_apply(parse, option, equals ? equals + 1 : NULL, typed);

	guess = SUGGESTION_INIT(typed + 2);
	for (const struct option *option = parse->command->options; option->name; option++)
		suggestion_offer(&guess, option->name);
	if (guess.nearest)
		return option_fail(parse, "unknown option %s, did you mean --%s?", typed,
				   guess.nearest);
	return option_fail(parse, "unknown option %s", typed);
}

/* One word of letters: flags may share it, the first that takes a value takes the rest. */
static int option_parse_letters(struct option_parse *parse, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct option *option = parse->command->options;
		const char typed[3] = { '-', *letter, '\0' };
		int r;

		if (*letter == 'h')
			return OPTIONS_HELP;
		while (option->name && option->letter != *letter)
			option++;
		if (!option->name)
			return option_fail(parse, "unknown option %s", typed);
		if (option->argument)
			return option_apply(parse, option, letter[1] ? letter + 1 : NULL, typed);
		r = option_apply(parse, option, NULL, typed);
		if (r < 0)
			return r;
	}
	return 0;
}

static void option_take_operands(struct option_parse *parse)
{
	while (parse->next < parse->argc)
		parse->argv[++parse->n_operands] = parse->argv[parse->next++];
}

int options_parse(struct app *app, const struct command *command, void *values, int argc,
		  char **argv, bool stop_at_operand)
{
	struct option_parse parse = { .app = app,
				      .command = command,
				      .values = values,
				      .argc = argc,
				      .argv = argv,
				      .next = 1 };

	while (parse.next < argc) {
		char *word = argv[parse.next++];
		int r = 0;

		if (strcmp(word, "--") == 0) {
			option_take_operands(&parse);
		} else if (word[0] != '-' || word[1] == '\0') {
			argv[++parse.n_operands] = word;
			if (stop_at_operand)
				option_take_operands(&parse);
		} else if (word[1] == '-') {
			r = option_parse_long(&parse, word);
		} else {
			r = option_parse_letters(&parse, word);
		}
		if (r == OPTIONS_HELP)
			options_write_help(app->out, command);
		if (r < 0)
			return r;
	}
	/* argv stays NULL-terminated behind the operands, as exec wants it. */
	if (argc > 0)
		argv[parse.n_operands + 1] = NULL;
	return parse.n_operands;
}
