/*
 * The one door to libiberty's demanglers.  C++ and Rust go through the callback
 * interfaces, which neither allocate (libiberty's allocator ends the process
 * when memory is short) nor insist on finishing: a name of a hundred bytes can
 * stand for terabytes of text through its back references, so the callback
 * leaves by longjmp when the text passes its limit.
 */
#include "symbol/demangle.h"

#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* libiberty's D demangler has no limit of its own. */
	DEMANGLE_D_MAX_BYTES = 512,
	DEMANGLE_OPTIONS = DMGL_PARAMS | DMGL_ANSI | DMGL_NO_RECURSE_LIMIT,
};

struct demangle_sink {
	struct buffer *out;
	size_t limit; /* of out->size */
	jmp_buf too_long;
};

static void demangle_sink_add(const char *text, size_t size, void *opaque)
{
	struct demangle_sink *sink = opaque;

	if (size > sink->limit - sink->out->size)
		longjmp(sink->too_long, 1);
	buffer_add(sink->out, text, size);
}

/* True when `out` got a name; else `out` is as before. */
static bool demangle_with_callback(struct buffer *out, const char *name)
{
	struct demangle_sink sink = { .out = out, .limit = out->size + DEMANGLE_MAX_OUTPUT_BYTES };
	const size_t size_before = out->size;

	if (setjmp(sink.too_long) == 0) {
		if (rust_demangle_callback(name, DEMANGLE_OPTIONS, demangle_sink_add, &sink))
			return true;
		out->size = size_before;
		if (name[1] == 'Z' &&
		    cplus_demangle_v3_callback(name, DEMANGLE_OPTIONS, demangle_sink_add, &sink))
			return true;
	}
	out->size = size_before;
	return false;
}

static bool demangle_d(struct buffer *out, const char *name)
{
	char *text;

	if (strlen(name) > DEMANGLE_D_MAX_BYTES)
		return false;
	text = dlang_demangle(name, DMGL_PARAMS | DMGL_ANSI);
	if (!text)
		return false;
	buffer_add_string(out, text);
	free(text);
	return true;
}

/* Whether what follows ".part." is a number, and what follows ".cold" the end or a dot. */
static bool is_clone_word(const char *word, const char *behind)
{
	if (word[strlen(word) - 1] == '.')
		return isdigit((unsigned char)*behind);
	return *behind == '\0' || *behind == '.';
}

/*
 * Where ".cold", ".part.0", ".isra.0.constprop.2" begin; NULL when there is no such suffix,
 * as in Go's "runtime.clone.abi0".
 */
static const char *clone_suffix(const char *name)
{
	static const char *const words[] = { ".cold",	".part.",     ".isra.",	    ".constprop.",
					     ".clone.", ".lto_priv.", ".localalias" };
	const char *first = NULL;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *found = strstr(name, words[i]);

		if (found && found != name && (!first || found < first) &&
		    is_clone_word(words[i], found + strlen(words[i])))
			first = found;
	}
	return first;
}

/* A name without "@plt" and ".llvm.N". */
static void demangle_base(struct buffer *out, const char *name)
{
	const char *suffix;

	if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R') &&
	    demangle_with_callback(out, name))
		return;
	if (name[0] == '_' && name[1] == 'D' &&
	    (isdigit((unsigned char)name[2]) || name[2] == 'm') && demangle_d(out, name))
		return;
	suffix = clone_suffix(name);
	if (!suffix) {
		buffer_add_string(out, name);
		return;
	}
	buffer_add(out, name, (size_t)(suffix - name));
	buffer_printf(out, " [clone %s]", suffix);
}

void demangle_add(struct buffer *out, const char *name)
{
	static const char plt[] = "@plt";
	const size_t size = strlen(name);
	const size_t plt_size = sizeof(plt) - 1;
	const bool is_plt = size > plt_size && strcmp(name + size - plt_size, plt) == 0;
	char base[DEMANGLE_MAX_BYTES + 1];
	char *llvm;

	if (size > DEMANGLE_MAX_BYTES) {
		buffer_add_string(out, name);
		return;
	}
	memcpy(base, name, size + 1);
	if (is_plt)
		base[size - plt_size] = '\0';
	llvm = strstr(base, ".llvm.");
	if (llvm && llvm != base && isdigit((unsigned char)llvm[6]))
		*llvm = '\0';
	demangle_base(out, base);
	if (is_plt)
		buffer_add_string(out, plt);
}
