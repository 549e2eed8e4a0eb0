/* From argv to one of the commands. */
#include "cmd/command.h"

#include <string.h>

int main(int argc, char **argv)
{
	struct app app = { .out = stdout, .messages = stderr, .program = "tsprof" };
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

	if (!command) {
		fprintf(stderr, "usage: tsprof COMMAND\n");
		return EXIT_USAGE;
	}
	return command->run(&app, argc - 1, argv + 1);
}
