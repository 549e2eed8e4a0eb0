/* What bash and zsh are told; both scripts are made of plain echoes of the tables. */
#include "cmd/completion_script.h"

#include <string.h>

static bool command_runs_programs(const struct command *command)
{
	return strstr(command->operands, "COMMAND") != NULL;
}

/* "bash|zsh": words that stand for themselves. */
static bool command_has_choices(const struct command *command)
{
	return strchr(command->operands, '|') && !strpbrk(command->operands, "[]");
}

static void write_translated(FILE *out, const char *text, char from, char to)
{
	for (; *text; text++)
		(void)fputc(*text == from ? to : *text, out);
}

static void write_choices(FILE *out, const struct option *option)
{
	for (size_t i = 0; option->choices[i]; i++)
		(void)fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
}

static void bash_write_values(FILE *out, const struct command *command)
{
	for (const struct option *option = command->options; option->name; option++) {
		if (!option->choices)
			continue;
		(void)fprintf(out, "\t%s:--%s", command->name, option->name);
		if (option->letter)
			(void)fprintf(out, "|%s:-%c", command->name, option->letter);
		(void)fputs(") words='", out);
		write_choices(out, option);
		(void)fputs("' ;;\n", out);
	}
}

/* The options that take a value which is not one of a few words: files, readline's default. */
static void bash_write_free_values(FILE *out, const struct command *command)
{
	bool is_first = true;

	for (const struct option *option = command->options; option->name; option++) {
		if (option->choices || !option->argument)
			continue;
		(void)fprintf(out, "%s%s:--%s", is_first ? "\t" : "|", command->name, option->name);
		if (option->letter)
			(void)fprintf(out, "|%s:-%c", command->name, option->letter);
		is_first = false;
	}
	if (!is_first)
		(void)fputs(") return ;;\n", out);
}

static void bash_write_command(FILE *out, const struct command *command)
{
	(void)fprintf(out, "\t%s)\n\t\toptions='", command->name);
	for (const struct option *option = command->options; option->name; option++) {
		(void)fprintf(out, "--%s ", option->name);
		if (option->letter)
			(void)fprintf(out, "-%c ", option->letter);
	}
	(void)fputs("--help -h'\n", out);
	if (command_runs_programs(command))
		(void)fputs("\t\tprograms=yes\n", out);
	if (command_has_choices(command)) {
		(void)fputs("\t\twords='", out);
		write_translated(out, command->operands, '|', ' ');
		(void)fputs("'\n", out);
	}
	(void)fputs("\t\t;;\n", out);
}

void completion_write_bash(FILE *out, const struct command *const *list)
{
	(void)fputs(
		"# bash completion of tsprof, written by 'tsprof completion bash'\n"
		"_tsprof()\n"
		"{\n"
		"\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tlocal command=${COMP_WORDS[1]} words='' options='' programs=''\n"
		"\n"
		"\tCOMPREPLY=()\n"
		"\tif [[ $COMP_CWORD -eq 1 || ( $command == help && $COMP_CWORD -eq 2 ) ]]; then\n"
		"\t\twords='help",
		out);
	for (size_t i = 0; list[i]; i++)
		(void)fprintf(out, " %s", list[i]->name);
	(void)fputs(" --help --version'\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "\t\treturn\n"
		    "\tfi\n"
		    "\tcase $command:$previous in\n",
		    out);
	for (size_t i = 0; list[i]; i++) {
		bash_write_values(out, list[i]);
		bash_write_free_values(out, list[i]);
	}
	(void)fputs("\tesac\n"
		    "\tif [[ $words ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "\t\treturn\n"
		    "\tfi\n"
		    "\tcase $command in\n",
		    out);
	for (size_t i = 0; list[i]; i++)
		bash_write_command(out, list[i]);
	(void)fputs("\tesac\n"
		    "\tif [[ $current == -* ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
		    "\telif [[ $words ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "\telif [[ $programs ]]; then\n"
		    "\t\tCOMPREPLY=($(compgen -c -- \"$current\") $(compgen -f -- \"$current\"))\n"
		    "\tfi\n"
		    "}\n"
		    "complete -o bashdefault -o default -F _tsprof tsprof\n",
		    out);
}

/* Text inside '…[TEXT]:…' of _arguments. */
static void zsh_write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			(void)fprintf(out, "\\%c", *text);
		else
			(void)fputc(*text, out);
	}
}

static void zsh_write_option(FILE *out, const struct option *option)
{
	const char *value = option->argument ? "=" : "";

	(void)fputs("\t\t", out);
	if (option->letter)
		(void)fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name,
			      option->letter, option->argument ? "+" : "", option->name, value);
	else
		(void)fprintf(out, "'--%s%s[", option->name, value);
	zsh_write_escaped(out, option->help);
	(void)fputc(']', out);
	if (option->argument) {
		(void)fputc(':', out);
		zsh_write_escaped(out, option->argument);
		(void)fputc(':', out);
		if (option->choices) {
			(void)fputc('(', out);
			write_choices(out, option);
			(void)fputc(')', out);
		} else if (option->kind == OPTION_STRING) {
			(void)fputs("_files", out);
		}
	}
	(void)fputs("' \\\n", out);
}

static void zsh_write_command(FILE *out, const struct command *command)
{
	(void)fprintf(out, "\t%s)\n\t\t_arguments -s \\\n", command->name);
	for (const struct option *option = command->options; option->name; option++)
		zsh_write_option(out, option);
	(void)fputs("\t\t'(- *)'{-h,--help}'[print help]' \\\n", out);
	if (command_runs_programs(command)) {
		(void)fputs("\t\t'(-)1:command:_command_names -e' '*::arguments:_normal'\n", out);
	} else if (command_has_choices(command)) {
		(void)fputs("\t\t'1:word:(", out);
		write_translated(out, command->operands, '|', ' ');
		(void)fputs(")'\n", out);
	} else {
		(void)fputs("\t\t'*:file:_files'\n", out);
	}
	(void)fputs("\t\t;;\n", out);
}

void completion_write_zsh(FILE *out, const struct command *const *list)
{
	(void)fputs("#compdef tsprof\n"
		    "# zsh completion of tsprof, written by 'tsprof completion zsh'\n"
		    "_tsprof()\n"
		    "{\n"
		    "\tlocal -a commands=(\n",
		    out);
	for (size_t i = 0; list[i]; i++) {
		(void)fprintf(out, "\t\t'%s:", list[i]->name);
		zsh_write_escaped(out, list[i]->summary);
		(void)fputs("'\n", out);
	}
	(void)fputs("\t\t'help:tell about a command'\n"
		    "\t)\n"
		    "\tif (( CURRENT == 2 )); then\n"
		    "\t\t_describe command commands\n"
		    "\t\treturn\n"
		    "\tfi\n"
		    "\tshift words\n"
		    "\t(( CURRENT-- ))\n"
		    "\tcase $words[1] in\n"
		    "\thelp)\n"
		    "\t\t_describe command commands\n"
		    "\t\t;;\n",
		    out);
	for (size_t i = 0; list[i]; i++)
		zsh_write_command(out, list[i]);
	(void)fputs("\tesac\n"
		    "}\n"
		    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
		    "\t_tsprof \"$@\"\n"
		    "else\n"
		    "\tcompdef _tsprof tsprof\n"
		    "fi\n",
		    out);
}
