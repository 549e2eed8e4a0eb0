/*
 * A message goes through six hands: its envelope is built, the time is taken,
 * the context is written out, the text is formatted, all of it is copied into
 * one line, and the line is queued.  Each is a function of its own that is not
 * inlined, so that samples can be told apart by functions, at no cost; one scope
 * around them says how often and how long.
 */
#include "logger.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tsprof.h"

enum {
	QUEUE_BYTES = 1 << 20, /* a power of two */
	LINE_BYTES = 512,
	WRITER_PAUSE_NS = 1000000,
};

struct logger {
	int fd;
	pthread_t writer;
	pthread_mutex_t mutex; /* of all below but the queue */
	size_t head;	       /* bytes ever queued */
	size_t tail;	       /* … and written */
	uint64_t sequence;
	uint64_t n_dropped;
	bool is_ending;
	char queue[QUEUE_BYTES]; /* lines one behind the other, round and round */
};

/* A message in the making. */
struct message {
	char envelope[64];
	size_t envelope_size;
	char time[48];
	size_t time_size;
	char context[160];
	size_t context_size;
	char text[256];
	size_t text_size;
};

#define STAGE __attribute__((noinline)) static

/* Decimal without the cost of printf; returns the end. */
static char *put_number(char *at, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*at++ = digits[--n];
	return at;
}

static char *put_text(char *at, const char *text)
{
	const size_t size = strlen(text);

	memcpy(at, text, size);
	return at + size;
}

STAGE void build_envelope(struct message *message, struct logger *logger, enum logger_level level)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	char *at = message->envelope;

	at = put_text(at, "{\"seq\":");
	at = put_number(at, __atomic_fetch_add(&logger->sequence, 1, __ATOMIC_RELAXED));
	at = put_text(at, ",\"level\":\"");
	at = put_text(at, names[level]);
	at = put_text(at, "\"");
	message->envelope_size = (size_t)(at - message->envelope);
}

/* The second's text is kept; a race would only have it made twice. */
STAGE void take_time(struct message *message)
{
	static __thread time_t second;
	static __thread char clock[32];
	struct timespec now;
	struct tm parts;
	uint64_t micros;
	char *at;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		(void)gmtime_r(&now.tv_sec, &parts);
		(void)strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%S.", &parts);
		second = now.tv_sec;
	}
	at = put_text(message->time, ",\"time\":\"");
	at = put_text(at, clock);
	micros = (uint64_t)now.tv_nsec / 1000;
	for (uint64_t unit = 100000; unit; unit /= 10)
		*at++ = (char)('0' + micros / unit % 10);
	at = put_text(at, "Z\"");
	message->time_size = (size_t)(at - message->time);
}

STAGE void write_context(struct message *message, const struct logger_context *context)
{
	char *at = message->context;

	at = put_text(at, ",\"service\":\"");
	at = put_text(at, context->service);
	at = put_text(at, "\",\"user\":\"");
	at = put_text(at, context->user);
	at = put_text(at, "\",\"request\":");
	at = put_number(at, context->request);
	at = put_text(at, ",\"worker\":");
	at = put_number(at, context->worker);
	message->context_size = (size_t)(at - message->context);
}

STAGE void format_text(struct message *message, const char *format, va_list values)
{
	const int size = vsnprintf(message->text, sizeof(message->text), format, values);

	message->text_size = size < 0 ? 0 : (size_t)size;
	if (message->text_size >= sizeof(message->text))
		message->text_size = sizeof(message->text) - 1;
}

/* Into one line, where quotes and control bytes of the text are escaped. */
STAGE size_t copy_line(char *line, const struct message *message)
{
	char *at = line;

	memcpy(at, message->envelope, message->envelope_size);
	at += message->envelope_size;
	memcpy(at, message->time, message->time_size);
	at += message->time_size;
	memcpy(at, message->context, message->context_size);
	at += message->context_size;
	at = put_text(at, ",\"text\":\"");
	for (size_t i = 0; i < message->text_size && at < line + LINE_BYTES - 8; i++) {
		const char c = message->text[i];

		if (c == '"' || c == '\\')
			*at++ = '\\';
		*at++ = (unsigned char)c < ' ' ? ' ' : c;
	}
	at = put_text(at, "\"}\n");
	return (size_t)(at - line);
}

STAGE void queue_line(struct logger *logger, const char *line, size_t size)
{
	size_t at;
	size_t to_end;

	pthread_mutex_lock(&logger->mutex);
	if (logger->head - logger->tail > QUEUE_BYTES - size) {
		logger->n_dropped++;
	} else {
		at = logger->head % QUEUE_BYTES;
		to_end = QUEUE_BYTES - at < size ? QUEUE_BYTES - at : size;
		memcpy(logger->queue + at, line, to_end);
		memcpy(logger->queue, line + to_end, size - to_end);
		logger->head += size;
	}
	pthread_mutex_unlock(&logger->mutex);
}

void logger_write(struct logger *logger, enum logger_level level,
		  const struct logger_context *context, const char *format, ...)
{
	TSPROF_SCOPE("log");
	struct message message;
	char line[LINE_BYTES];
	va_list values;

	build_envelope(&message, logger, level);
	take_time(&message);
	write_context(&message, context);
	va_start(values, format);
	format_text(&message, format, values);
	va_end(values);
	queue_line(logger, line, copy_line(line, &message));
}

size_t logger_depth(const struct logger *logger)
{
	return __atomic_load_n(&logger->head, __ATOMIC_RELAXED) -
	       __atomic_load_n(&logger->tail, __ATOMIC_RELAXED);
}

/* What was queued from `from` to `to`, of which the thread that logs touches nothing. */
static void write_lines(const struct logger *logger, size_t from, size_t to)
{
	TSPROF_SCOPE("write");

	while (from < to) {
		const size_t at = from % QUEUE_BYTES;
		const size_t size = to - from < QUEUE_BYTES - at ? to - from : QUEUE_BYTES - at;
		const ssize_t written = write(logger->fd, logger->queue + at, size);

		if (written <= 0)
			return;
		from += (size_t)written;
	}
}

/* Looks at the queue every now and then, so that whoever logs need not wake it. */
static void *writer_run(void *data)
{
	const struct timespec pause = { .tv_nsec = WRITER_PAUSE_NS };
	struct logger *logger = data;
	bool is_ending = false;

	while (!is_ending) {
		size_t head;

		(void)nanosleep(&pause, NULL);
		pthread_mutex_lock(&logger->mutex);
		is_ending = logger->is_ending;
		head = logger->head;
		pthread_mutex_unlock(&logger->mutex);
		TSPROF_COUNTER("queued bytes", head - logger->tail);
		write_lines(logger, logger->tail, head);
		pthread_mutex_lock(&logger->mutex);
		logger->tail = head;
		pthread_mutex_unlock(&logger->mutex);
	}
	return NULL;
}

struct logger *logger_new(int fd)
{
	struct logger *logger = calloc(1, sizeof(*logger));

	if (!logger)
		return NULL;
	logger->fd = fd;
	pthread_mutex_init(&logger->mutex, NULL);
	if (pthread_create(&logger->writer, NULL, writer_run, logger) != 0) {
		free(logger);
		return NULL;
	}
	return logger;
}

uint64_t logger_free(struct logger *logger)
{
	uint64_t n_dropped;

	pthread_mutex_lock(&logger->mutex);
	logger->is_ending = true;
	pthread_mutex_unlock(&logger->mutex);
	pthread_join(logger->writer, NULL);
	n_dropped = logger->n_dropped;
	free(logger);
	return n_dropped;
}
