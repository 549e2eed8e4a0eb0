#ifndef TSPROF_LIB_RECORDER_SPAWN_H
#define TSPROF_LIB_RECORDER_SPAWN_H

/*
 * A recorder for the program that asks, which the program has no trouble with:
 * it is no child that wait() would find, sends no SIGCHLD, has none of its descriptors or
 * its terminal's signals, and lives on to write the profile when the program ends.
 */
struct recorder_spawn {
	const char *profile_path;
	int ready_fd;	/* told as --ready-fd says */
	int message_fd; /* its standard error */
};

/*
 * Run `tsprof record` on the calling process.  Returns 0 or a negative errno; -ENOENT: no
 * tsprof was found.  Any thread.
 */
int recorder_spawn(const struct recorder_spawn *spawn);

#endif
