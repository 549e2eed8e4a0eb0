#ifndef TSPROF_LIBRARY_H
#define TSPROF_LIBRARY_H

/*
 * What is in libtsprof.so and libtsprof.a themselves (`pkg-config --libs tsprof`):
 * marks by name, for languages that have no macros, and recordings that a program
 * begins and ends by itself.  Programs in C and C++ mark with tsprof.h, which costs less
 * and needs no library.
 *
 * -DTSPROF_DISABLE leaves nothing of this: what returns a value then says -ENOSYS, or no.
 */
#include <errno.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef TSPROF_DISABLE
#define TSPROF_CALL_ __attribute__((always_inline, unused)) static inline
#define TSPROF_BODY_(...)                                                                          \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
#else
#define TSPROF_CALL_ extern
#define TSPROF_BODY_(...) ;
#endif

/*
 * Marks by name.  Names, UTF-8, are copied: the library knows up to 2047 different ones of
 * up to TSPROF_NAME_MAX_BYTES, and calls the others "[other names]"; NULL is an empty name.
 * Text may be NULL, and is cut at TSPROF_TEXT_MAX_BYTES.  Nothing fails: what finds no room is
 * dropped and counted by the recorder.  Any thread, any signal handler; errno is kept.
 * While nothing records each is a call, a load and a branch; else some 30 ns.
 */

/* Does anybody record, here and now?  Then it is worth composing data. */
TSPROF_CALL_ int tsprof_is_on(void) TSPROF_BODY_(return 0)

	/* An instant of the program. */
	TSPROF_CALL_ void tsprof_mark(const char *name, const char *data)
		TSPROF_BODY_((void)name, (void)data)

	/*
	 * An interval of this thread.  An end closes the innermost open scope of its name, and
	 * those that are still open inside.
	 */
	TSPROF_CALL_ void tsprof_scope_begin(const char *name) TSPROF_BODY_((void)name) TSPROF_CALL_
	void tsprof_scope_end(const char *name) TSPROF_BODY_((void)name)

	/* Of this thread's innermost open scope: its arguments, and that it failed and why. */
	TSPROF_CALL_ void tsprof_scope_arguments(const char *text)
		TSPROF_BODY_((void)text) TSPROF_CALL_ void tsprof_scope_failed(const char *message)
			TSPROF_BODY_((void)message)

	/* A number as it is now; a copy of bytes, cut at TSPROF_SNAPSHOT_MAX_BYTES, and of text. */
	TSPROF_CALL_ void tsprof_counter(const char *name, double value)
		TSPROF_BODY_((void)name, (void)value) TSPROF_CALL_
	void tsprof_snapshot(const char *name, const void *bytes, size_t size)
		TSPROF_BODY_((void)name, (void)bytes, (void)size) TSPROF_CALL_
	void tsprof_snapshot_text(const char *name, const char *text)
		TSPROF_BODY_((void)name, (void)text)

	/*
	 * Record this program, without `tsprof record` around it: runs `tsprof` ($TSPROF, beside
	 * the library, or of PATH) on the process, and returns when it samples.  The profile is
	 * written to `path`, of the working directory, by tsprof_stop or when the process ends. All
	 * threads are sampled, and children that come later.
	 *
	 * Returns 0 or a negative errno: -EALREADY is being recorded (by `tsprof record`, too),
	 * -ENOENT no tsprof, -EPERM or -EACCES sampling is not permitted, -ETIMEDOUT; others as
	 * what failed.  tsprof_failure says more.  Any thread, no signal handler; waits 10 s at
	 * most.
	 */
	TSPROF_CALL_ int tsprof_start(const char *path) TSPROF_BODY_((void)path; return -ENOSYS)

	/*
	 * End what tsprof_start began, and wait until the profile is complete.  Returns 0, -ESRCH
	 * (there is none: never begun, begun by a parent, or begun by `tsprof record`), -EIO (it
	 * could not be written) or -ETIMEDOUT (after 60 s; it is still being written).
	 */
	TSPROF_CALL_ int tsprof_stop(void) TSPROF_BODY_(return -ENOSYS)

	/*
	 * Take no samples and no marks from now on, and again; whatever recorder it is, and of
	 * everything that it records.  Twice is as once.  What is done after the return is treated
	 * so.  Returns 0, -ESRCH (nobody records) or -ETIMEDOUT (no answer within a second).
	 */
	TSPROF_CALL_ int tsprof_pause(void) TSPROF_BODY_(return -ENOSYS) TSPROF_CALL_
	int tsprof_resume(void) TSPROF_BODY_(return -ENOSYS)

	/*
	 * What the last of these four that failed in this thread had to say: one line, "" when
	 * there was none.  Valid until the thread's next one.
	 */
	TSPROF_CALL_ const char *tsprof_failure(void) TSPROF_BODY_(return "")

#undef TSPROF_CALL_
#undef TSPROF_BODY_

#ifdef __cplusplus
}
#endif

#endif
