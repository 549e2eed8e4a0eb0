/* Nothing here is certain: a script's interpreter, or what it runs, may still be static. */
#include "os/sigprof_launch.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sigprof_wire.h"

#ifndef TSPROF_LIBDIR
#define TSPROF_LIBDIR "/usr/local/lib"
#endif

#define LIBRARY_NAME "libtsprof.so.1"

#if defined(__x86_64__)
enum { MACHINE_NATIVE = EM_X86_64 };
#else
enum { MACHINE_NATIVE = EM_AARCH64 };
#endif

enum { MAX_PROGRAM_HEADERS = 256 };

static bool join(char ret_path[PATH_MAX], const char *folder, size_t folder_size, const char *name)
{
	const int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)folder_size, folder, name);

	return n > 0 && n < PATH_MAX && access(ret_path, R_OK) == 0;
}

int sigprof_library_find(char ret_path[PATH_MAX], struct error *err)
{
	const char *asked = getenv("TSPROF_LIBRARY");
	char program[PATH_MAX];
	ssize_t size;
	const char *slash;

	if (asked && *asked) {
		const char *last = strrchr(asked, '/');

		if (last && join(ret_path, asked, (size_t)(last - asked), last + 1))
			return 0;
		return error_set(err, -ENOENT, "TSPROF_LIBRARY: no library at %s", asked);
	}
	size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (size > 0) {
		program[size] = '\0';
		slash = strrchr(program, '/');
		if (slash && join(ret_path, program, (size_t)(slash - program), LIBRARY_NAME))
			return 0;
		if (slash &&
		    join(ret_path, program, (size_t)(slash - program), "../lib/" LIBRARY_NAME))
			return 0;
	}
	if (join(ret_path, TSPROF_LIBDIR, strlen(TSPROF_LIBDIR), LIBRARY_NAME))
		return 0;
	return error_set(err, -ENOENT,
			 "no %s beside tsprof or in %s (install tsprof, or set TSPROF_LIBRARY)",
			 LIBRARY_NAME, TSPROF_LIBDIR);
}

int sigprof_environment_init(struct sigprof_environment *environment, const char *library,
			     const struct sigprof_session_text *text, struct error *err)
{
	const char *before = getenv("LD_PRELOAD");
	char token[2 * SIGPROF_TOKEN_BYTES + 1];
	int n_preload;
	int n_session;

	*environment = (struct sigprof_environment){ 0 };
	if (strpbrk(library, " :"))
		return error_set(err, -EINVAL,
				 "%s: LD_PRELOAD cannot hold a path with blanks or colons "
				 "(move it, or set TSPROF_LIBRARY)",
				 library);
	for (size_t i = 0; i < SIGPROF_TOKEN_BYTES; i++)
		(void)snprintf(token + 2 * i, 3, "%02x", text->token[i]);
	n_preload = asprintf(&environment->preload, "LD_PRELOAD=%s%s%s", before ? before : "",
			     before && *before ? ":" : "", library);
	if (n_preload < 0)
		environment->preload = NULL;
	n_session = asprintf(&environment->session,
			     SIGPROF_ENVIRONMENT "=%s:%s:%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%d:%s",
			     text->socket_name, token, text->period_ns, text->stack_bytes,
			     text->ring_bytes, text->with_waits ? 1 : 0, text->triggers);
	if (n_session < 0)
		environment->session = NULL;
	if (n_preload < 0 || n_session < 0)
		return error_set_no_memory(err);
	environment->strings[0] = environment->preload;
	environment->strings[1] = environment->session;
	return 0;
}

void sigprof_environment_release(struct sigprof_environment *environment)
{
	free(environment->preload);
	free(environment->session);
	*environment = (struct sigprof_environment){ 0 };
}

static int open_command(const char *command)
{
	const char *folders = getenv("PATH");
	char path[PATH_MAX];

	if (strchr(command, '/'))
		return open(command, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (folders && *folders) {
		const size_t size = strcspn(folders, ":");

		if (size && join(path, folders, size, command) && access(path, X_OK) == 0)
			return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		folders += size + (folders[size] == ':');
	}
	return -1;
}

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
	for (unsigned int i = 0; i < header->e_phnum && i < MAX_PROGRAM_HEADERS; i++) {
		const off_t at = (off_t)(header->e_phoff + (uint64_t)i * header->e_phentsize);
		Elf64_Phdr segment;

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return true; /* exec will have its own opinion */
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static int check_file(int fd, const char *command, struct error *err)
{
	Elf64_Ehdr header;
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != MACHINE_NATIVE)
		return error_set(err, -ENOEXEC,
				 "%s is for another architecture: the engine sigprof cannot sample "
				 "it (use --engine perf)",
				 command);
	if (!has_interpreter(fd, &header))
		return error_set(
			err, -ENOEXEC,
			"%s is statically linked: the engine sigprof cannot sample it (use "
			"--engine perf)",
			command);
	if (((status.st_mode & S_ISUID) && status.st_uid != geteuid()) ||
	    ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) &&
	     status.st_gid != getegid()))
		return error_set(err, -ENOEXEC,
				 "%s changes user when it starts: the engine sigprof cannot sample "
				 "it (use --engine perf as root)",
				 command);
	return 0;
}

int sigprof_check_command(const char *command, struct error *err)
{
	const int fd = open_command(command);
	int r;

	if (fd < 0)
		return 0;
	r = check_file(fd, command, err);
	(void)close(fd);
	return r;
}
