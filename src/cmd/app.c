/* What every command needs to talk to its user. */
#include "cmd/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/escape.h"

enum {
	COLUMNS_WITHOUT_TERMINAL = 80,
	COLUMNS_MIN = 40,
	COLUMNS_MAX = 1000,
};

int app_fail(struct app *app, int status, const struct error *err)
{
	struct buffer message = BUFFER_INIT;

	/* Messages repeat names that somebody else chose. */
	escape_terminal(&message, err->message[0] ? err->message : "failed for an unknown reason");
	app_say(app, "%s", buffer_string(&message));
	buffer_release(&message);
	return status;
}

void app_say(struct app *app, const char *format, ...)
{
	va_list args;

	/* Standard output first, so that both read in order on one terminal. */
	(void)fflush(app->out);
	(void)fprintf(app->messages, "%s: ", app->program);
	va_start(args, format);
	(void)vfprintf(app->messages, format, args);
	va_end(args);
	(void)fputc('\n', app->messages);
}

int app_write(struct app *app, const void *data, size_t size, struct error *err)
{
	errno = 0;
	if (fwrite(data, 1, size, app->out) != size || fflush(app->out) != 0)
		return error_set_errno(err, errno ? -errno : -EIO, "cannot write standard output");
	return 0;
}

size_t app_columns(const struct app *app)
{
	const char *columns_text = getenv("COLUMNS");
	struct winsize size = { 0 };
	unsigned long columns = COLUMNS_WITHOUT_TERMINAL;

	if (columns_text && *columns_text >= '1' && *columns_text <= '9')
		columns = strtoul(columns_text, NULL, 10);
	else if (ioctl(fileno(app->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	return columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
}

/*
 * Where nothing is set nothing is known about the terminal, and today's know
 * UTF-8; LANG=C says that this one does not.
 */
bool app_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *const value = getenv(names[i]);

		if (value && value[0])
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return true;
}
