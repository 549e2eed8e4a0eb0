#ifndef TSPROF_CMD_COMMAND_H
#define TSPROF_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/*
 * A subcommand is one file with an option table and one `const struct command`.
 * Options are parsed into the command's own struct by offset; usage texts,
 * completion and the test of the man pages are made from the same table.
 */
enum option_kind {
	OPTION_FLAG,	 /* bool, set to true */
	OPTION_NO_FLAG,	 /* bool, set to false */
	OPTION_STRING,	 /* const char *, borrowed from argv */
	OPTION_STRINGS,	 /* struct option_strings, one more each time */
	OPTION_COUNT,	 /* uint64_t, units_parse_count */
	OPTION_BYTES,	 /* uint64_t, units_parse_bytes */
	OPTION_RATE,	 /* uint64_t, units_parse_rate */
	OPTION_DURATION, /* uint64_t in ns, units_parse_duration */
	OPTION_NUMBER,	 /* double >= 0 */
};

/* To be freed by the command. */
struct option_strings {
	const char **strings; /* borrowed from argv */
	size_t n_strings, capacity;
};

struct option {
	const char *name; /* without dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *argument;	    /* "FILE"; NULL for flags */
	const char *help;	    /* a short clause, lower case, no full stop */
	size_t offset;		    /* offsetof(struct …_options, member) */
	const char *const *choices; /* NULL-terminated list of allowed strings, or NULL */
};

/* What commands share. */
struct app {
	FILE *out;
	FILE *messages;
	const char *program; /* "tsprof" */
};

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct command {
	const char *name;
	const char *summary;  /* one line for `tsprof --help` */
	const char *operands; /* "[--] COMMAND [ARG…]", or "" */
	const char *details;  /* paragraphs below the options in -h, filled again, or NULL */
	const struct option *options; /* ended by { 0 } */
	/* argv[0] is the command's name; returns the exit status. */
	int (*run)(struct app *app, int argc, char **argv);
};

extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_fold;
extern const struct command command_flame;
extern const struct command command_mark;
extern const struct command command_merge;
extern const struct command command_doctor;
extern const struct command command_completion;

/* All of them, ended by NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);

/*
 * Parse argv[1…] into `values` up to the first operand, "--" or, unless
 * `stop_at_operand`, gathering operands anywhere; operands end up at the front
 * of argv from index 1.  Long options may be written --name=VALUE.  Returns the
 * number of operands, or OPTIONS_HELP after -h/--help was printed, or
 * OPTIONS_ERROR after a message (with the nearest known option for a typo) was.
 */
enum { OPTIONS_HELP = -1, OPTIONS_ERROR = -2 };
int options_parse(struct app *app, const struct command *command, void *values, int argc,
		  char **argv, bool stop_at_operand);

/* "tsprof record [-o FILE] [-F HZ] … [--] COMMAND [ARG…]", wrapped at 80 columns. */
void options_write_usage(FILE *out, const struct command *command);
void options_write_help(FILE *out, const struct command *command);

/* "tsprof: MESSAGE" on app->messages; returns `status` so that it can be returned. */
int app_fail(struct app *app, int status, const struct error *err);
__attribute__((format(printf, 2, 3))) void app_say(struct app *app, const char *format, ...);

/* All of it to app->out, at once. */
int app_write(struct app *app, const void *data, size_t size, struct error *err);

/* Columns to lay text out for: those of the terminal, 80 when it is none (or COLUMNS is set). */
size_t app_columns(const struct app *app);

/* False where LC_ALL, LC_CTYPE or LANG says that the terminal does not know UTF-8. */
bool app_is_utf8(void);

#endif
