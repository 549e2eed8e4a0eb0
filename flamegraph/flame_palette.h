#ifndef TSPROF_FLAMEGRAPH_FLAME_PALETTE_H
#define TSPROF_FLAMEGRAPH_FLAME_PALETTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "tree/calltree.h"

/* What a colour says about a frame. */
enum flame_kind {
	FLAME_KIND_APP,	    /* the program itself */
	FLAME_KIND_LIBRARY, /* shared objects and the vDSO */
	FLAME_KIND_INLINED,
	FLAME_KIND_KERNEL,
	FLAME_KIND_JIT,
	FLAME_KIND_WAIT,	/* code in which nothing but waiting was seen, … */
	FLAME_KIND_WAIT_KERNEL, /* … and the kernel's */
	FLAME_KIND_UNKNOWN,	/* no name, or a cut stack */
	FLAME_KIND_SCOPE,	/* what the program said of itself: a scope, a category, a phase */
	FLAME_KIND_LABEL,	/* "all", a process, a thread */
	FLAME_KIND_N
};

enum { FLAME_N_SHADES = 16 };

/*
 * The kind gives the range of hues, the name's hash the shade in it: a function
 * has one colour in every picture, whatever else is in it.
 */
struct flame_color {
	enum flame_kind kind;
	uint8_t shade; /* below FLAME_N_SHADES */
};

/*
 * `frame` is NULL for the root.  Where a thread `only_waits` colours are cold:
 * no code is on two scales but for what it does.
 */
struct flame_color flame_palette_color(const struct calltree *tree,
				       const struct calltree_frame *frame, bool only_waits);

/* "program", "library", …: the words of the legend. */
const char *flame_kind_name(enum flame_kind kind);

/* The CSS class of a colour: a letter and a hexadecimal digit. */
void flame_palette_add_class(struct buffer *out, struct flame_color color);

/* Rules for all classes: light, and dark below `@media (prefers-color-scheme: dark)`. */
void flame_palette_write_css(struct buffer *out);

#endif
