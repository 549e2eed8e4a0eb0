#ifndef TSPROF_TREE_COMPONENTS_H
#define TSPROF_TREE_COMPONENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/interner.h"

/*
 * The rules file: which frames belong to which part of a program.
 *
 *	# a comment
 *	Compression:
 *		module: liblzma.so*
 *		Match finder:
 *			lzma_mf_*
 *			func: bt?_find_func
 *	Files and pipes:
 *		path: /build/src/io/?*
 *
 *	Loading:
 *		scope: load*
 *
 * A line that ends in ':' names a component; a deeper indented one is a part
 * of the one above.  Every other line is a pattern of the component it is
 * indented below: "func:", "module:", "path:" (of the source file) or "scope:"
 * (that the program marks) and a glob (tree/glob.h) for the whole name, a bare
 * glob being one for functions.
 * A function pattern without '(' also fits a name less its parameters; a
 * module pattern without '/' is for the file name alone.
 *
 * A component's patterns are alternatives.  Scopes are outside of all frames: what a sample's
 * frames leave unclaimed is its innermost claimed scope's.
 *
 * Parts are asked before what they are a part of, and else the order is the
 * file's: that is the order of `rules`.
 */
enum rule_kind {
	RULE_FUNCTION,
	RULE_MODULE,
	RULE_PATH,
	RULE_SCOPE,
};

enum {
	COMPONENTS_MAX_DEPTH = 8,
	COMPONENTS_MAX = 4096,
	COMPONENTS_MAX_BYTES = 1 << 20, /* of the file */
};

#define COMPONENT_NONE UINT32_MAX

struct component {
	uint32_t name;	   /* string id */
	uint32_t parent;   /* COMPONENT_NONE for a topmost one; else smaller than its own index */
	uint32_t line;	   /* where it is defined */
	uint32_t indent;   /* columns */
	uint32_t n_inside; /* its patterns and parts */
};

struct component_rule {
	uint8_t kind;	    /* enum rule_kind */
	uint32_t pattern;   /* string id */
	uint32_t component; /* index */
	uint32_t line;
};

struct components {
	struct interner strings;
	struct component *items;
	size_t n_items, capacity;
	struct component_rule *rules;
	size_t n_rules, rules_capacity;
	bool has_scopes; /* a rule asks for one */
};

/* What a rule is asked about: one frame.  Empty text where it is not known. */
struct component_subject {
	const char *function;
	const char *module_path;
	const char *path;
};

/*
 * `name` is for messages, which read "FILE:LINE: what was expected".  On
 * failure nothing is left to release.
 */
int components_parse(struct components *components, const char *text, size_t size_bytes,
		     const char *name, struct error *err);
int components_read(struct components *components, const char *path, struct error *err);
void components_release(struct components *components);

/* The component of the first rule that fits, or COMPONENT_NONE. */
uint32_t components_find(const struct components *components,
			 const struct component_subject *subject);

/* The same for a scope's name. */
uint32_t components_find_scope(const struct components *components, const char *name);

#endif
