#ifndef TSPROF_LIB_MARKS_HELLO_WIRE_H
#define TSPROF_LIB_MARKS_HELLO_WIRE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * How a program finds the recorder: in its environment, fields divided by ':',
 *	NAME of an abstract socket:TOKEN in hexadecimal:RING_BYTES:PATH of libtsprof.so
 * It connects (SOCK_SEQPACKET), sends one struct marks_hello, closes, and never waits for
 * an answer.  One that sends nothing only wanted to know whether the recorder is there.
 */
#define MARKS_ENVIRONMENT "TSPROF_MARKS"

enum marks_hello_kind {
	MARKS_HELLO_SEGMENT =
		1, /* with a memfd, sealed against shrinking: a struct marks_segment */
	MARKS_HELLO_MILESTONE = 2, /* of `tsprof mark`; followed by its name and its data */
	/*
	 * Of a program's, about the recording as a whole.  With one end of a pair of sockets, on
	 * which the recorder says that it is done, with one byte, or closes it if it will not.
	 */
	MARKS_HELLO_REQUEST = 3,
};

enum marks_request {
	MARKS_REQUEST_PAUSE = 1,
	MARKS_REQUEST_RESUME = 2,
	MARKS_REQUEST_STOP = 3, /* of the program that had itself recorded; done: is written */
};

enum { MARKS_TOKEN_BYTES = 16, MARKS_SOCKET_NAME_MAX_BYTES = 100 };

/* The sender's pid is asked of the socket. */
struct marks_hello {
	uint32_t magic;
	uint32_t version;
	uint8_t token[MARKS_TOKEN_BYTES];
	uint64_t session;    /* SEGMENT: random; one for each program, exec or fork makes another */
	uint64_t time_ns;    /* CLOCK_MONOTONIC */
	uint64_t ring_bytes; /* SEGMENT */
	uint32_t kind;	     /* enum marks_hello_kind */
	uint32_t n_slots;    /* SEGMENT; of a REQUEST: which */
	uint32_t name_bytes; /* MILESTONE: at most TSPROF_NAME_MAX_BYTES */
	uint32_t data_bytes; /* … and TSPROF_TEXT_MAX_BYTES */
};
static_assert(sizeof(struct marks_hello) == 64, "wire layout");

/* What the environment says. */
struct marks_address {
	char socket_name[MARKS_SOCKET_NAME_MAX_BYTES + 1];
	uint8_t token[MARKS_TOKEN_BYTES];
	uint64_t ring_bytes; /* as written */
};

static inline bool marks_token_parse(uint8_t *token, const char *at, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	if (size != 2 * MARKS_TOKEN_BYTES)
		return false;
	for (size_t i = 0; i < size; i++) {
		const char *digit = (const char *)memchr(digits, at[i], sizeof(digits) - 1);

		if (!digit)
			return false;
		token[i / 2] = (uint8_t)(token[i / 2] << 4 | (uint8_t)(digit - digits));
	}
	return true;
}

/* False, and nothing sure of `address`, when the text is no such thing. */
static inline bool marks_address_parse(struct marks_address *address, const char *text)
{
	const char *name_end = strchr(text, ':');
	const char *token_end = name_end ? strchr(name_end + 1, ':') : NULL;
	const size_t name_bytes = name_end ? (size_t)(name_end - text) : 0;
	char *end;

	if (!token_end || !name_bytes || name_bytes > MARKS_SOCKET_NAME_MAX_BYTES ||
	    !marks_token_parse(address->token, name_end + 1, (size_t)(token_end - name_end) - 1))
		return false;
	memcpy(address->socket_name, text, name_bytes);
	address->socket_name[name_bytes] = '\0';
	if (token_end[1] < '0' || token_end[1] > '9')
		return false;
	address->ring_bytes = strtoull(token_end + 1, &end, 10);
	return *end == ':';
}

#endif
