/* Messages are of one size, but for a milestone's name and data behind the fixed part. */
#include "os/marks_socket.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/marks_wire.h"
#include "os/sigprof_launch.h"

static_assert((int)HELLO_TOKEN_BYTES == (int)MARKS_TOKEN_BYTES, "tokens are alike");

enum {
	MESSAGE_MAX_BYTES = sizeof(struct marks_hello) + TSPROF_NAME_MAX_BYTES +
			    TSPROF_TEXT_MAX_BYTES,
};

struct taking {
	struct marks_socket *socket;
	bool (*take)(void *context, const struct marks_message *message);
	void *context;
};

int marks_socket_open(struct marks_socket *socket, uint64_t ring_bytes, struct error *err)
{
	char token[2 * MARKS_TOKEN_BYTES + 1];
	char library[PATH_MAX];
	int r;

	*socket = MARKS_SOCKET_INIT;
	r = hello_socket_open(&socket->hello, err);
	if (r < 0)
		return r;
	if (sigprof_library_find(library, NULL) < 0)
		library[0] = '\0';
	for (size_t i = 0; i < MARKS_TOKEN_BYTES; i++)
		(void)snprintf(token + 2 * i, 3, "%02x", socket->hello.token[i]);
	if (asprintf(&socket->environment, MARKS_ENVIRONMENT "=%s:%s:%" PRIu64 ":%s",
		     socket->hello.name, token, ring_bytes, library) < 0) {
		socket->environment = NULL;
		return error_set_no_memory(err);
	}
	return 0;
}

void marks_socket_close(struct marks_socket *socket)
{
	hello_socket_close(&socket->hello);
	free(socket->environment);
	*socket = MARKS_SOCKET_INIT;
}

/* Of another version the token is where it always was, but little else. */
static bool is_welcome(struct marks_socket *socket, const struct marks_hello *hello)
{
	if (hello->magic != MARKS_WIRE_MAGIC ||
	    memcmp(hello->token, socket->hello.token, sizeof(hello->token)) != 0)
		return false;
	if (hello->version != MARKS_WIRE_VERSION)
		socket->n_other_versions++;
	return hello->version == MARKS_WIRE_VERSION;
}

static bool is_milestone(const struct hello_message *message, const struct marks_hello *hello)
{
	return hello->name_bytes >= 1 && hello->name_bytes <= TSPROF_NAME_MAX_BYTES &&
	       hello->data_bytes <= TSPROF_TEXT_MAX_BYTES &&
	       message->size_bytes ==
		       sizeof(*hello) + (size_t)hello->name_bytes + hello->data_bytes;
}

static bool greet(void *context, const struct hello_message *message)
{
	const struct taking *taking = context;
	const char *texts = (const char *)message->bytes + sizeof(struct marks_hello);
	struct marks_hello hello;
	struct marks_message told;

	if (message->is_cut || message->size_bytes < sizeof(hello))
		return false;
	memcpy(&hello, message->bytes, sizeof(hello));
	if (!is_welcome(taking->socket, &hello))
		return false;
	told = (struct marks_message){
		.kind = hello.kind,
		.pid = message->pid,
		.time_ns = hello.time_ns,
		.session = hello.session,
		.ring_bytes = hello.ring_bytes,
		.n_slots = hello.n_slots,
		.request = hello.n_slots,
		.fd = message->fd,
	};
	if (hello.kind == MARKS_HELLO_MILESTONE && is_milestone(message, &hello)) {
		told.name = texts;
		told.name_bytes = hello.name_bytes;
		told.data = texts + hello.name_bytes;
		told.data_bytes = hello.data_bytes;
	} else if ((hello.kind != MARKS_HELLO_SEGMENT && hello.kind != MARKS_HELLO_REQUEST) ||
		   message->size_bytes != sizeof(hello) || message->fd < 0) {
		return false;
	}
	return taking->take(taking->context, &told);
}

void marks_socket_update(struct marks_socket *socket,
			 bool (*take)(void *context, const struct marks_message *message),
			 void *context)
{
	struct taking taking = { .socket = socket, .take = take, .context = context };
	_Alignas(struct marks_hello) char buffer[MESSAGE_MAX_BYTES];

	hello_socket_update(&socket->hello, buffer, sizeof(buffer), greet, &taking);
}

int marks_reply_keep(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* What is no socket gets no answer: a pipe could be full. */
void marks_reply(int fd, bool is_done)
{
	if (is_done)
		(void)send(fd, "1", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}
