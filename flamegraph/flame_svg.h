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
	double min_width_px;
	bool is_inverted; /* root at the top */
	bool as_time;	  /* tooltips and search speak of time, else of samples */
};

#define FLAME_SVG_OPTIONS_INIT                                                                     \
	((struct flame_svg_options){                                                               \
		.title = "Flame Graph", .width_px = 1200, .min_width_px = 0.1 })

/*
 * One self-contained SVG: script and style are embedded, nothing is fetched.
 * Readable with scripts blocked: every box has a <title>.
 */
int flame_svg_write(struct buffer *out, const struct calltree *tree,
		    const struct flame_svg_options *options, struct error *err);

#endif
