#ifndef TSPROF_CMD_VIEW_OPTIONS_H
#define TSPROF_CMD_VIEW_OPTIONS_H

#include <stddef.h>

#include "cmd/command.h"
#include "tree/view.h"

/* What every command that looks at a profile lets one choose: the file and the samples. */
struct view_options {
	const char *input; /* NULL: the usual file */
	const char *thread;
	const char *process;
	const char *by;
	const char *state;
	const char *from;
	const char *to;
	const char *phase;
	const char *in_scope;
	const char *category;
};

#define VIEW_OPTIONS_INIT ((struct view_options){ 0 })

/* Entries of an option table; `struct type` has a member `struct view_options view`. */
#define VIEW_OPTION_INPUT(type)                                                                    \
	{                                                                                          \
		"input", 'i', OPTION_STRING, "FILE", "read FILE, or - for standard input",         \
			offsetof(struct type, view.input), NULL                                    \
	}
/* One entry. */
#define VIEW_OPTION(type, name, argument, help, member, choices)                                   \
	{                                                                                          \
		name, 0, OPTION_STRING, argument, help, offsetof(struct type, view.member),        \
			choices                                                                    \
	}
#define VIEW_OPTIONS_CHOICE(type)                                                                  \
	VIEW_OPTION(type, "from", "MILESTONE|TIME", "leave out what was before it", from, NULL),   \
		VIEW_OPTION(type, "to", "MILESTONE|TIME", "leave out what was from it on", to,     \
			    NULL),                                                                 \
		VIEW_OPTION(type, "phase", "A..B", "only what was between milestones A and B",     \
			    phase, NULL),                                                          \
		VIEW_OPTION(type, "in-scope", "NAME", "only inside scopes of that name (a glob)",  \
			    in_scope, NULL),                                                       \
		VIEW_OPTION(type, "category", "NAME",                                              \
			    "only inside scopes of that category (a glob)", category, NULL),       \
		VIEW_OPTION(type, "thread", "NAME|TID", "only the threads of that name or number", \
			    thread, NULL),                                                         \
		VIEW_OPTION(type, "process", "NAME|PID",                                           \
			    "only the processes of that name or number", process, NULL),           \
		VIEW_OPTION(type, "by", "GROUP", "split what is shown by GROUP", by,               \
			    view_by_words),                                                        \
		VIEW_OPTION(type, "state", "STATE",                                                \
			    "only running, waiting or a reason for it; all", state,                \
			    view_state_words)

/*
 * For commands that take options only: the exit status when options_parse said
 * that there is nothing to do, or there are operands, and a message says so; else
 * VIEW_OPTIONS_GO_ON.
 */
enum { VIEW_OPTIONS_GO_ON = -1 };
int view_options_status(struct app *app, const struct command *command, int n_operands);

/* The view that was asked for, with the process names that VIEW_INIT has; not resolved. */
struct view view_options_view(const struct view_options *options);

#endif
