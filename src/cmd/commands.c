/* The list of subcommands: a new one is a file and a line here. */
#include "cmd/command.h"

#include <string.h>

const struct command *const commands[] = {
	&command_record, &command_flame,      &command_merge,
	&command_report, &command_fold,	      &command_mark,
	&command_doctor, &command_completion, NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
