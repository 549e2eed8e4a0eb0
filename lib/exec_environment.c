/*
 * What a program is started with: one that gets an environment of its own, or
 * none, gets the library and the session all the same.  Runs in children of
 * vfork, too: no memory but the caller's.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "lib/client_process.h"
#include "lib/sigprof_client.h"

#define PRELOAD "LD_PRELOAD="

enum { SESSION_MAX_BYTES = 512 };

/* "LD_PRELOAD=" with the path, and the session's variable; empty: not known. */
static char preload[sizeof(PRELOAD) + SIGPROF_PATH_MAX_BYTES];
static char session[sizeof(SIGPROF_ENVIRONMENT) + 1 + SESSION_MAX_BYTES];

void client_environment_keep(const char *session_text)
{
	const size_t session_bytes = strlen(session_text) + 1;
	Dl_info info;
	size_t path_bytes;

	if (!dladdr(preload, &info) || !info.dli_fname || session_bytes > SESSION_MAX_BYTES)
		return;
	path_bytes = strlen(info.dli_fname) + 1;
	if (info.dli_fname[0] != '/' || path_bytes > SIGPROF_PATH_MAX_BYTES)
		return;
	memcpy(preload, PRELOAD, sizeof(PRELOAD) - 1);
	memcpy(preload + sizeof(PRELOAD) - 1, info.dli_fname, path_bytes);
	memcpy(session, SIGPROF_ENVIRONMENT "=", sizeof(SIGPROF_ENVIRONMENT));
	memcpy(session + sizeof(SIGPROF_ENVIRONMENT), session_text, session_bytes);
}

static const char *our_path(void)
{
	return preload + sizeof(PRELOAD) - 1;
}

static bool is_preload(const char *variable)
{
	return strncmp(variable, PRELOAD, sizeof(PRELOAD) - 1) == 0;
}

static bool is_session(const char *variable)
{
	return strncmp(variable, SIGPROF_ENVIRONMENT "=", sizeof(SIGPROF_ENVIRONMENT)) == 0;
}

static bool is_complete(char *const *envp)
{
	bool has_preload = false;
	bool has_session = false;

	for (char *const *at = envp; at && *at; at++) {
		has_preload |= is_preload(*at) && strstr(*at, our_path());
		has_session |= is_session(*at);
	}
	return !preload[0] || (has_preload && has_session);
}

size_t client_environment_bytes(char *const *envp)
{
	size_t n_bytes = 3 * sizeof(*envp) + sizeof(preload);

	if (is_complete(envp))
		return 0;
	for (char *const *at = envp; at && *at; at++)
		n_bytes += sizeof(*at) + (is_preload(*at) ? strlen(*at) : 0);
	return n_bytes;
}

char *const *client_environment_complete(void *room, char *const *envp)
{
	char **to = room;
	char *joined;
	size_t n = 0;

	if (is_complete(envp))
		return envp;
	for (char *const *at = envp; at && *at; at++)
		if (!is_session(*at) && !is_preload(*at))
			to[n++] = *at;
	to[n++] = session;
	to[n] = preload;
	joined = (char *)&to[n + 2];
	/* What else is preloaded stays before ours, as the recorder puts it. */
	for (char *const *at = envp; at && *at; at++)
		if (is_preload(*at) && (*at)[sizeof(PRELOAD) - 1] != '\0') {
			to[n] = joined;
			joined = stpcpy(joined, *at);
			if (!strstr(*at, our_path())) {
				*joined++ = ':';
				(void)stpcpy(joined, our_path());
			}
			break;
		}
	to[n + 1] = NULL;
	return to;
}
