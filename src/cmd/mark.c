/* tsprof mark: a milestone from a shell, or any other child of `tsprof record`. */
#include "cmd/command.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "os/mark_sender.h"

static const struct option mark_options[] = {
	{ 0 },
};

/* The operands behind the name, with blanks between them. */
static void mark_join(struct buffer *data, char *const *operands)
{
	for (const char *separator = ""; *operands; operands++, separator = " ") {
		buffer_add_string(data, separator);
		buffer_add_string(data, *operands);
	}
}

static int mark_run(struct app *app, int argc, char **argv)
{
	char unused;
	const int n_operands = options_parse(app, &command_mark, &unused, argc, argv, true);
	struct buffer data = BUFFER_INIT;
	struct error err = ERROR_INIT;
	int r;

	if (n_operands < 0)
		return n_operands == OPTIONS_HELP ? EXIT_OK : EXIT_USAGE;
	if (n_operands == 0 || !*argv[1]) {
		app_say(app, "mark: name the milestone; see 'tsprof mark -h'");
		return EXIT_USAGE;
	}
	mark_join(&data, argv + 2);
	r = data.is_failed ? error_set_no_memory(&err)
			   : mark_send(argv[1], buffer_string(&data), &err);
	buffer_release(&data);
	if (r == 0)
		return EXIT_OK;
	(void)error_prefix(&err, "mark");
	return app_fail(app, r == -E2BIG ? EXIT_USAGE : EXIT_FAILED, &err);
}

const struct command command_mark = {
	.name = "mark",
	.summary = "set a milestone in the recording that this is part of",
	.operands = "NAME [KEY=VALUE...]",
	.details = "For scripts and programs that 'tsprof record' runs, directly or not:\n"
		   "    tsprof record -- sh -c 'make; tsprof mark built; make check'",
	.options = mark_options,
	.run = mark_run,
};
