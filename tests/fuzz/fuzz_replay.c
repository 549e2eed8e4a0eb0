/* Feeds stored inputs to a fuzzer, one after the other. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mapped_file.h"

#include "fuzz.h"

/* A copy of exactly that size on the heap, so that ASan sees a read past the end. */
static int replay_file(const char *path)
{
	struct mapped_file file;
	struct error err = ERROR_INIT;
	uint8_t *copy;

	if (mapped_file_open(&file, path, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	copy = malloc(file.size_bytes ? file.size_bytes : 1);
	if (!copy)
		return 1;
	memcpy(copy, file.bytes, file.size_bytes);
	(void)fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(copy, file.size_bytes);
	free(copy);
	mapped_file_release(&file);
	return 0;
}

static int replay_folder(const char *path)
{
	struct dirent **entries;
	const int n = scandir(path, &entries, NULL, alphasort);
	int failed = n < 3;

	for (int i = 0; i < n; i++) {
		char *name;

		if (entries[i]->d_name[0] != '.' &&
		    asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
			failed |= replay_file(name);
			free(name);
		}
		free(entries[i]);
	}
	if (n < 3)
		(void)fprintf(stderr, "%s: no corpus there\n", path);
	if (n >= 0)
		free(entries);
	return failed;
}

static int replay(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(path)
							   : replay_file(path);
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (argc < 2)
		return replay(FUZZ_CORPUS);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
