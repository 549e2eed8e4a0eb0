/* From argv to one of the commands, and from its result to an exit status. */
#include "cmd/command.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/suggest.h"

static void main_write_usage(FILE *out)
{
	(void)fputs("usage: tsprof COMMAND [OPTION…]\n"
		    "       tsprof help [COMMAND]\n"
		    "       tsprof --version\n",
		    out);
}

static void main_write_help(FILE *out)
{
	main_write_usage(out);
	(void)fputs("\nA sampling profiler for native Linux programs.\n\n", out);
	for (size_t i = 0; commands[i]; i++)
		(void)fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	(void)fputs("\n"
		    "  tsprof record -- ./app        sample a program\n"
		    "  tsprof report --breakdown     where its time went, by component\n"
		    "  tsprof flame > out.svg        the flame graph\n"
		    "  tsprof doctor                 what is permitted here\n"
		    "\n"
		    "'tsprof COMMAND -h' tells about one command, 'man tsprof' about all.\n",
		    out);
}

static int main_unknown_command(struct app *app, const char *name)
{
	struct suggestion guess = SUGGESTION_INIT(name);
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; commands[i]; i++)
		suggestion_offer(&guess, commands[i]->name);
	escape_terminal(&text, name);
	if (guess.nearest)
		app_say(app, "'%s' is not a command, did you mean '%s'?; see 'tsprof --help'",
			buffer_string(&text), guess.nearest);
	else
		app_say(app, "'%s' is not a command; see 'tsprof --help'", buffer_string(&text));
	buffer_release(&text);
	return EXIT_USAGE;
}

static int main_unknown_option(struct app *app, const char *word)
{
	struct buffer text = BUFFER_INIT;

	escape_terminal(&text, word);
	app_say(app, "unknown option '%s'; see 'tsprof --help'", buffer_string(&text));
	buffer_release(&text);
	return EXIT_USAGE;
}

static int main_help(struct app *app, const char *name)
{
	const struct command *command;

	if (!name) {
		main_write_help(app->out);
		return EXIT_OK;
	}
	command = command_find(name);
	if (!command)
		return main_unknown_command(app, name);
	options_write_help(app->out, command);
	return EXIT_OK;
}

static int main_run(struct app *app, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct command *command;

	if (!word) {
		main_write_usage(app->messages);
		return EXIT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return main_help(app, NULL);
	if (strcmp(word, "help") == 0)
		return main_help(app, argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		(void)fprintf(app->out, "tsprof %s\n", PACKAGE_VERSION);
		return EXIT_OK;
	}
	if (word[0] == '-')
		return main_unknown_option(app, word);
	command = command_find(word);
	if (!command)
		return main_unknown_command(app, word);
	return command->run(app, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct app app = { .out = stdout, .messages = stderr, .program = "tsprof" };
	struct error err = ERROR_INIT;
	int status = main_run(&app, argc, argv);

	/* A table that did not reach its reader is a failure, whatever the command thinks. */
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_OK) {
		(void)error_set_errno(&err, errno ? -errno : -EIO, "cannot write standard output");
		status = app_fail(&app, EXIT_FAILED, &err);
	}
	return status;
}
