/* tsprof completion: what a shell needs to complete the others. */
#include "cmd/command.h"

#include <string.h>

#include "cmd/completion_script.h"

static const struct option completion_options[] = {
	{ 0 },
};

static int completion_run(struct app *app, int argc, char **argv)
{
	const int n_operands = options_parse(app, &command_completion, NULL, argc, argv, false);

	if (n_operands == OPTIONS_HELP)
		return EXIT_OK;
	if (n_operands < 0)
		return EXIT_USAGE;
	if (n_operands == 1 && strcmp(argv[1], "bash") == 0) {
		completion_write_bash(app->out, commands);
		return EXIT_OK;
	}
	if (n_operands == 1 && strcmp(argv[1], "zsh") == 0) {
		completion_write_zsh(app->out, commands);
		return EXIT_OK;
	}
	app_say(app, "completion: expected one shell, bash or zsh; see 'tsprof completion -h'");
	return EXIT_USAGE;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "print a completion script for a shell",
	.operands = "bash|zsh",
	.details = "For one session: source <(tsprof completion bash).  'make install' puts both\n"
		   "scripts where the shells look for them.",
	.options = completion_options,
	.run = completion_run,
};
