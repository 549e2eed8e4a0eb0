#ifndef TSPROF_CMD_COMPLETION_SCRIPT_H
#define TSPROF_CMD_COMPLETION_SCRIPT_H

#include <stdio.h>

#include "cmd/command.h"

/*
 * Completion scripts written from a NULL-terminated list of commands and their
 * option tables.  A command whose operands mention COMMAND completes programs,
 * one whose operands are "a|b" those words, every other one files; an option
 * completes its choices, or files.
 */
void completion_write_bash(FILE *out, const struct command *const *list);
void completion_write_zsh(FILE *out, const struct command *const *list);

#endif
