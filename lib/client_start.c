/* How the client comes into a process: by the constructor, and again after fork. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client_process.h"
#include "lib/client_waits.h"
#include "lib/sigprof_client.h"

static struct client_options options;
static bool has_options;
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end_key;
static bool has_thread_end_key;
static _Atomic enum client_mode mode; /* relaxed: only says what not to do */

static bool parse_token(uint8_t *token, const char *at, const char *end)
{
	if (end - at != 2 * SIGPROF_TOKEN_BYTES)
		return false;
	for (size_t i = 0; i < 2 * SIGPROF_TOKEN_BYTES; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, at[i]);

		if (!digit)
			return false;
		token[i / 2] = (uint8_t)(token[i / 2] << 4 | (uint8_t)(digit - digits));
	}
	return true;
}

/* The number up to the next colon; 0 when there is none. */
static uint64_t parse_field(const char **at)
{
	char *end;
	const uint64_t value = strtoull(*at, &end, 10);

	if (*end != ':')
		return 0;
	*at = end + 1;
	return value;
}

static bool parse_options(struct client_options *to, const char *text)
{
	const char *name_end = strchr(text, ':');
	const char *token_end = name_end ? strchr(name_end + 1, ':') : NULL;
	const char *at;

	if (!token_end || (size_t)(name_end - text) >= sizeof(to->socket_name) ||
	    !parse_token(to->token, name_end + 1, token_end))
		return false;
	memcpy(to->socket_name, text, (size_t)(name_end - text));
	at = token_end + 1;
	to->period_ns = parse_field(&at);
	to->stack_bytes = parse_field(&at);
	to->ring_bytes = parse_field(&at);
	to->with_waits = parse_field(&at) == 1;
	if (strlen(at) >= sizeof(to->triggers))
		return false;
	memcpy(to->triggers, at, strlen(at) + 1);
	return to->period_ns && to->stack_bytes <= SIGPROF_STACK_MAX_BYTES &&
	       to->ring_bytes >= SIGPROF_RING_MIN_BYTES &&
	       to->ring_bytes <= SIGPROF_RING_MAX_BYTES &&
	       (to->ring_bytes & (to->ring_bytes - 1)) == 0;
}

const struct client_options *client_options(void)
{
	return has_options ? &options : NULL;
}

enum client_mode client_mode(void)
{
	return atomic_load_explicit(&mode, memory_order_relaxed);
}

void client_set_mode(enum client_mode worse)
{
	if (worse > client_mode())
		atomic_store_explicit(&mode, worse, memory_order_relaxed);
}

static void thread_end(void *thread)
{
	(void)thread;
	client_thread_end();
}

static void fork_child(void)
{
	const int saved_errno = errno;

	client_thread_fork_child();
	client_thread_start_as(SIGPROF_HELLO_FORK, 0);
	errno = saved_errno;
}

static void start(void)
{
	const char *text = getenv(SIGPROF_ENVIRONMENT);
	const int saved_errno = errno;

	has_options = text && parse_options(&options, text);
	if (has_options) {
		client_environment_keep(text);
		has_thread_end_key = pthread_key_create(&thread_end_key, thread_end) == 0;
		client_signal_install();
		if (options.with_waits)
			client_waits_enable();
		client_thread_start_as(SIGPROF_HELLO_EXEC, 0);
		client_maps_send();
		(void)pthread_atfork(NULL, NULL, fork_child);
	}
	errno = saved_errno;
}

void client_start(void)
{
	(void)pthread_once(&start_once, start);
}

void client_thread_end_expect(void)
{
	if (has_thread_end_key)
		(void)pthread_setspecific(thread_end_key, &thread_end_key);
}

__attribute__((constructor)) static void construct(void)
{
	client_start();
}
