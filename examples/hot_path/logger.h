#ifndef LOGGER_H
#define LOGGER_H

#include <stddef.h>
#include <stdint.h>

/*
 * A logger as servers have one: a thread that logs makes a record and queues it,
 * another thread writes.  What a call of logger_write costs the thread that logs is
 * what this example measures.
 */
enum logger_level { LOGGER_DEBUG, LOGGER_INFO, LOGGER_WARNING, LOGGER_ERROR };

/* What every message of a request says of it. */
struct logger_context {
	const char *service;
	const char *user;
	uint64_t request;
	uint32_t worker;
};

struct logger;

/* Writes to `fd`.  NULL when there is no memory or no thread to be had. */
struct logger *logger_new(int fd);

/* Everything that was queued is written.  Returns how many messages found no room. */
uint64_t logger_free(struct logger *logger);

/* Never waits: with a full queue the message is dropped, and counted. */
__attribute__((format(printf, 4, 5))) void logger_write(struct logger *logger,
							enum logger_level level,
							const struct logger_context *context,
							const char *format, ...);

/* Bytes that wait to be written. */
size_t logger_depth(const struct logger *logger);

#endif
