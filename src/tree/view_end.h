#ifndef TSPROF_TREE_VIEW_END_H
#define TSPROF_TREE_VIEW_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tree/moments.h"

/* One end of a time window, as it was typed (see tree/view_window.h). */
enum view_end_kind {
	VIEW_END_START,
	VIEW_END_FINISH,
	VIEW_END_TIME,
	VIEW_END_NAME,
};

struct view_end {
	enum view_end_kind kind;
	uint64_t since_ns; /* of a TIME */
	uint32_t name;	   /* string id in the profile */
	uint64_t nth;	   /* from 1; 0: any of the name */
};

/* A moment of one run, where it lies among the milestones. */
struct view_position {
	uint64_t since_ns;
	size_t order; /* 0: a plain time, else 1 + the index of a moment */
	bool is_set;
};

/* Before the first. */
#define VIEW_POSITION_FIRST ((struct view_position){ 0 })

/* Is it a time rather than a milestone?  "" and NULL are not. */
bool view_end_parse_time(uint64_t *ret_ns, const char *text);

/* NULL is `usual`: "start" or "end". */
int view_end_parse(struct view_end *end, const struct moments *moments, const char *text,
		   const char *usual, struct error *err);

/* "A..B"; NULL is everything. */
int view_end_parse_phase(struct view_end *ret_from, struct view_end *ret_to,
			 const struct moments *moments, const char *text, struct error *err);

/* The next position behind `position` that the end names in the run; false after the last. */
bool view_end_next(struct view_position *position, const struct view_end *end,
		   const struct moments *moments, uint32_t run);

bool view_position_is_before(const struct view_position *a, const struct view_position *b);

#endif
