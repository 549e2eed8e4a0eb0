/*
 * Runs a program that has no path, from memory of memfd_create.
 *
 *	memfd_exec PROGRAM [ARG…]
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	const int from = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	const int to = memfd_create("no path", MFD_CLOEXEC);
	struct stat status;
	off_t at = 0;

	if (from < 0 || to < 0 || fstat(from, &status) < 0) {
		perror("memfd_exec");
		return 1;
	}
	while (at < status.st_size)
		if (sendfile(to, from, &at, (size_t)(status.st_size - at)) <= 0)
			break;
	(void)fexecve(to, argv + 1, environ);
	perror("fexecve");
	return 1;
}
