/*
 * A signal that is pending while a program is replaced reaches the new one,
 * which has no handler yet and would be killed: ticks end before exec, and go on
 * when it fails.  A child of vfork is not the thread that its TLS says, and has
 * no ticks to stop.  A new program is sampled whatever environment it is given.
 */
#include <alloca.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include "lib/client_process.h"
#include "lib/sigprof_client.h"
#include "lib/wrapper.h"

/* In the frame of who calls it. */
#define COMPLETED(envp) client_environment_complete(alloca(client_environment_bytes(envp)), (envp))

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *);

static int (*real_execve)(const char *, char *const *, char *const *);
static int (*real_execvpe)(const char *, char *const *, char *const *);
static int (*real_fexecve)(int, char *const *, char *const *);
static int (*real_execveat)(int, const char *, char *const *, char *const *, int);
static spawn_function *real_posix_spawn;
static spawn_function *real_posix_spawnp;

static bool ticks_stop(void)
{
	if (!client_thread.slot || client_mode() != CLIENT_RUNS || !client_thread_is_own())
		return false;
	thread_trigger_stop(&client_thread.trigger);
	return true;
}

static int ticks_resume(bool were_stopped, int r)
{
	const int saved_errno = errno;

	if (were_stopped)
		thread_trigger_start(&client_thread.trigger, client_options());
	errno = saved_errno;
	return r;
}

WRAPPER int execve(const char *path, char *const *argv, char *const *envp)
{
	WRAPPER_FIND(real_execve, "execve");
	const bool were_stopped = ticks_stop();

	return ticks_resume(were_stopped, real_execve(path, argv, COMPLETED(envp)));
}

WRAPPER int execvpe(const char *file, char *const *argv, char *const *envp)
{
	WRAPPER_FIND(real_execvpe, "execvpe");
	const bool were_stopped = ticks_stop();

	return ticks_resume(were_stopped, real_execvpe(file, argv, COMPLETED(envp)));
}

WRAPPER int execv(const char *path, char *const *argv)
{
	return execve(path, argv, environ);
}

WRAPPER int execvp(const char *file, char *const *argv)
{
	return execvpe(file, argv, environ);
}

WRAPPER int fexecve(int fd, char *const *argv, char *const *envp)
{
	WRAPPER_FIND(real_fexecve, "fexecve");
	const bool were_stopped = ticks_stop();

	return ticks_resume(were_stopped, real_fexecve(fd, argv, COMPLETED(envp)));
}

WRAPPER int execveat(int fd, const char *path, char *const *argv, char *const *envp, int flags)
{
	WRAPPER_FIND(real_execveat, "execveat");
	const bool were_stopped = ticks_stop();

	return ticks_resume(were_stopped, real_execveat(fd, path, argv, COMPLETED(envp), flags));
}

/* The arguments of a call of the execl family, up to and with NULL. */
#define COLLECT_ARGUMENTS(argv, arguments, first)                                                  \
	do {                                                                                       \
		size_t n_arguments = 1;                                                            \
		va_list counted;                                                                   \
		va_start(counted, first);                                                          \
		while (va_arg(counted, char *))                                                    \
			n_arguments++;                                                             \
		va_end(counted);                                                                   \
		(argv) = alloca((n_arguments + 1) * sizeof(*(argv)));                              \
		(argv)[0] = (char *)(uintptr_t)(first);                                            \
		va_start(arguments, first);                                                        \
		for (size_t i = 1; i <= n_arguments; i++)                                          \
			(argv)[i] = va_arg(arguments, char *);                                     \
	} while (0)

WRAPPER int execl(const char *path, const char *first, ...)
{
	va_list arguments;
	char **argv;

	COLLECT_ARGUMENTS(argv, arguments, first);
	va_end(arguments);
	return execve(path, argv, environ);
}

WRAPPER int execlp(const char *file, const char *first, ...)
{
	va_list arguments;
	char **argv;

	COLLECT_ARGUMENTS(argv, arguments, first);
	va_end(arguments);
	return execvpe(file, argv, environ);
}

WRAPPER int execle(const char *path, const char *first, ...)
{
	va_list arguments;
	char *const *envp;
	char **argv;

	COLLECT_ARGUMENTS(argv, arguments, first);
	envp = va_arg(arguments, char *const *);
	va_end(arguments);
	return execve(path, argv, envp);
}

WRAPPER int posix_spawn(pid_t *ret_pid, const char *path,
			const posix_spawn_file_actions_t *file_actions,
			const posix_spawnattr_t *attributes, char *const *argv, char *const *envp)
{
	WRAPPER_FIND(real_posix_spawn, "posix_spawn");
	return real_posix_spawn(ret_pid, path, file_actions, attributes, argv, COMPLETED(envp));
}

WRAPPER int posix_spawnp(pid_t *ret_pid, const char *file,
			 const posix_spawn_file_actions_t *file_actions,
			 const posix_spawnattr_t *attributes, char *const *argv, char *const *envp)
{
	WRAPPER_FIND(real_posix_spawnp, "posix_spawnp");
	return real_posix_spawnp(ret_pid, file, file_actions, attributes, argv, COMPLETED(envp));
}
