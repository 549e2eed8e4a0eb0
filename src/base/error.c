/*
 * Error messages are built in place; an error that nobody asked for (NULL)
 * costs nothing but the return code.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	return code;
}

int error_set_errno(struct error *err, int code, const char *format, ...)
{
	va_list args;
	size_t used;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", strerror(-code));
	return code;
}

int error_prefix(struct error *err, const char *format, ...)
{
	char cause[sizeof(err->message)];
	va_list args;
	size_t used;

	if (!err)
		return 0;
	memcpy(cause, err->message, sizeof(cause));
	va_start(args, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	used = strlen(err->message);
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s", cause);
	return err->code;
}

int error_set_no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}
