#include "os/stack_end.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

enum {
	STAT_BYTES = 1024,
	LINE_BYTES = 512,
	MAPS_MAX_LINES = 1 << 20,
	START_STACK_FIELD = 28, /* man 5 proc */
	STATE_FIELD = 3,	/* the first behind the name */
	/* argc and the first of argv, by which a program's entry is known. */
	ARGUMENTS_BYTES = 128,
	MAX_LOOKS = 20,
};

static FILE *open_file(uint32_t tid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", tid, name);
	return fopen(path, "re");
}

/* Where the kernel put argc; 0 for who may not debug the process. */
static uint64_t start_of_arguments(uint32_t tid)
{
	char stat[STAT_BYTES] = "";
	FILE *file = open_file(tid, "stat");
	const char *at;

	if (!file)
		return 0;
	if (!fgets(stat, sizeof(stat), file))
		stat[0] = '\0';
	(void)fclose(file);
	at = strrchr(stat, ')');
	for (int field = STATE_FIELD - 1; at && field < START_STACK_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

/* The mapping's line; false when the address is in none. */
static bool find_mapping(char line[LINE_BYTES], uint64_t *ret_end, uint32_t tid, uint64_t address)
{
	FILE *file = open_file(tid, "maps");
	bool is_found = false;
	uint64_t start;
	int n_lines = 0;

	/* What does not fit is the rest of a path, which begins with no range. */
	while (file && !is_found && n_lines++ < MAPS_MAX_LINES && fgets(line, LINE_BYTES, file))
		is_found = sscanf(line, "%" SCNx64 "-%" SCNx64, &start, ret_end) == 2 &&
			   address >= start && address < *ret_end;
	if (file)
		(void)fclose(file);
	return is_found;
}

uint64_t stack_end_find(uint32_t tid, uint64_t sp)
{
	char line[LINE_BYTES];
	uint64_t arguments;
	uint64_t end;

	if (!find_mapping(line, &end, tid, sp))
		return 0;
	if (!strstr(line, "[stack]"))
		return end;
	arguments = start_of_arguments(tid);
	return arguments > sp && arguments < end && end - arguments > ARGUMENTS_BYTES
		       ? arguments + ARGUMENTS_BYTES
		       : end;
}

uint64_t stack_end_of_program(uint32_t pid)
{
	const struct timespec a_while = { .tv_nsec = 100 * NS_PER_US };
	uint64_t arguments = 0;

	for (int i = 0; !arguments && i < MAX_LOOKS; i++) {
		if (i)
			(void)nanosleep(&a_while, NULL);
		arguments = start_of_arguments(pid);
	}
	return arguments ? arguments + ARGUMENTS_BYTES : 0;
}
