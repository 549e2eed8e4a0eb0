/* Every macro once; PLAIN: the same program as if it had never heard of marks. */
#ifdef PLAIN
#define MARK(...)
#else
#include "tsprof.h"
#include "tsprof_library.h"
#define MARK(...) __VA_ARGS__
MARK(TSPROF_SITE(whole, "whole");)
#endif

int all_marks(int n, char **texts);

int all_marks(int n, char **texts)
{
	MARK(TSPROF_SCOPE("scope");)
	MARK(TSPROF_SCOPE_FULL("full");)
	MARK(TSPROF_SCOPE_CATEGORY("category", "io");)
	MARK(TSPROF_SCOPE_SAMPLED("sampled", 10);)
	MARK(TSPROF_SCOPE_ARGUMENTS("arguments", "n=%d", n);)
	MARK(TSPROF_FUNCTION;)
	MARK(tsprof_begin(&whole);)
	MARK(TSPROF_MILESTONE("milestone");)
	MARK(TSPROF_MILESTONE_DATA("data", "n=%d", n);)
	MARK(TSPROF_COUNTER("counter", n);)
	MARK(TSPROF_SNAPSHOT("snapshot", texts, sizeof(texts));)
	MARK(TSPROF_SNAPSHOT_TEXT("text", "%d texts", n);)
	MARK(tsprof_scope_error("error %d", n);)
	MARK(tsprof_end(&whole);)
#ifndef ONLY_MACROS
	MARK(tsprof_scope_begin("name");)
	MARK(tsprof_scope_arguments("n");)
	MARK(tsprof_scope_failed("why");)
	MARK(tsprof_scope_end("name");)
	MARK(tsprof_mark("name", NULL);)
	MARK(tsprof_counter("name", 2.5);)
	MARK(tsprof_snapshot("name", texts, sizeof(texts));)
	MARK(tsprof_snapshot_text("name", "text");)
	MARK(if (!tsprof_is_on() && tsprof_start("profile") == 0) {
		(void)tsprof_pause();
		(void)tsprof_resume();
		(void)tsprof_stop();
		(void)tsprof_failure();
	})
#endif
	return n > 3 && texts[0][0];
}
