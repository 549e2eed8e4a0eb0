#ifndef TSPROF_FLAMEGRAPH_FLAME_SVG_H
#define TSPROF_FLAMEGRAPH_FLAME_SVG_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "flamegraph/flame_layout.h"
#include "tree/calltree.h"

struct flame_svg_options {
	const char *title;    /* borrowed */
	const char *subtitle; /* borrowed; NULL: none */
	const char *footer;   /* borrowed; the quality line; NULL: none */
	unsigned int width_px;
	unsigned int height_px; /* of one box */
	double min_width_px;
	bool is_inverted; /* root at the top */
	bool is_fixed;	  /* keep width_px; else a browser fits the picture to its window */
	bool as_time;	  /* widths and search speak of time, else of samples */
};

#define FLAME_SVG_OPTIONS_INIT                                                                     \
	((struct flame_svg_options){                                                               \
		.title = "Flame Graph", .width_px = 1200, .height_px = 17, .min_width_px = 0.1 })

enum {
	FLAME_WIDTH_MIN_PX = 300,
	FLAME_WIDTH_MAX_PX = 100000,
	FLAME_HEIGHT_MIN_PX = 12,
	FLAME_HEIGHT_MAX_PX = 100,
};

/*
 * One self-contained SVG: script and style are embedded, nothing is fetched.
 * Readable with scripts blocked: every box has a <title> with its full name,
 * total and self.  Sizes outside the limits above are -EINVAL, a tree without
 * samples is -ENODATA.
 */
int flame_svg_write(struct buffer *out, const struct calltree *tree,
		    const struct flame_svg_options *options, struct error *err);

#endif
