#ifndef TSPROF_CMD_VIEW_OPTIONS_H
#define TSPROF_CMD_VIEW_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/command.h"
#include "tree/view.h"

/* What every command that looks at a profile lets one choose: the file and the samples. */
struct view_options {
	const char *input; /* NULL: the usual file */
	const char *thread;
	const char *process;
	const char *by;
	const char *state;
	uint64_t from_ns;
	uint64_t to_ns;
};

#define VIEW_OPTIONS_INIT                                                                          \
	{                                                                                          \
		.to_ns = UINT64_MAX                                                                \
	}

/* Entries of an option table; `struct type` has a member `struct view_options view`. */
#define VIEW_OPTION_INPUT(type)                                                                    \
	{                                                                                          \
		"input", 'i', OPTION_STRING, "FILE", "read FILE, or - for standard input",         \
			offsetof(struct type, view.input), NULL                                    \
	}
#define VIEW_OPTIONS_CHOICE(type)                                                                  \
	{ "from",                                                                                  \
	  0,                                                                                       \
	  OPTION_DURATION,                                                                         \
	  "TIME",                                                                                  \
	  "leave out what was before TIME",                                                        \
	  offsetof(struct type, view.from_ns),                                                     \
	  NULL },                                                                                  \
		{ "to",                                                                            \
		  0,                                                                               \
		  OPTION_DURATION,                                                                 \
		  "TIME",                                                                          \
		  "leave out what was from TIME on",                                               \
		  offsetof(struct type, view.to_ns),                                               \
		  NULL },                                                                          \
		{ "thread",                                                                        \
		  0,                                                                               \
		  OPTION_STRING,                                                                   \
		  "NAME|TID",                                                                      \
		  "only the threads of that name or number",                                       \
		  offsetof(struct type, view.thread),                                              \
		  NULL },                                                                          \
		{ "process",                                                                       \
		  0,                                                                               \
		  OPTION_STRING,                                                                   \
		  "NAME|PID",                                                                      \
		  "only the processes of that name or number",                                     \
		  offsetof(struct type, view.process),                                             \
		  NULL },                                                                          \
		{ "by",                                                                            \
		  0,                                                                               \
		  OPTION_STRING,                                                                   \
		  "GROUP",                                                                         \
		  "split by process, thread, comm (thread name) or state",                         \
		  offsetof(struct type, view.by),                                                  \
		  view_by_words },                                                                 \
	{                                                                                          \
		"state", 0, OPTION_STRING, "STATE",                                                \
			"only running, waiting or a reason for it; all",                           \
			offsetof(struct type, view.state), view_state_words                        \
	}

/*
 * For commands that take options only: the exit status when options_parse said
 * that there is nothing to do, or there are operands, and a message says so; else
 * VIEW_OPTIONS_GO_ON.
 */
enum { VIEW_OPTIONS_GO_ON = -1 };
int view_options_status(struct app *app, const struct command *command, int n_operands);

/* The view that was asked for, with the process names that VIEW_INIT has. */
struct view view_options_view(const struct view_options *options);

#endif
