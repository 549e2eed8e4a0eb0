#ifndef TSPROF_BASE_ERROR_H
#define TSPROF_BASE_ERROR_H

/*
 * What went wrong, in words that a user can act on.
 *
 * A fallible function returns 0 or a negative errno value and fills its last
 * parameter, a `struct error *` that may be NULL.  The place that knows the
 * cause writes the message, callers add context in front of it on the way up,
 * and only src/cmd prints it, once: "tsprof: THING: CAUSE (REMEDY)".
 *
 * Not thread-safe: an error belongs to the thread that passed it down.
 */
struct error {
	int code;	    /* negative errno, 0 while nothing failed */
	char message[1000]; /* one line, no trailing newline; cut when too long */
};

#define ERROR_INIT ((struct error){ 0 })

/* Write the message and return `code`, so that callers can `return error_set(…)`. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *err, int code, const char *format,
						    ...);

/* The same with ": strerror(-code)" behind the message. */
__attribute__((format(printf, 3, 4))) int error_set_errno(struct error *err, int code,
							  const char *format, ...);

/* Put "context: " in front of the message that a callee left; returns its code. */
__attribute__((format(printf, 2, 3))) int error_prefix(struct error *err, const char *format, ...);

/* -ENOMEM with the one message for it. */
int error_set_no_memory(struct error *err);

#endif
