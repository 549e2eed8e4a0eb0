/* The words of a type, in any order that C allows. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "record/probe_spec.h"

struct type_words {
	unsigned int n_long, n_pointers;
	bool is_unsigned, is_signed, is_short, is_char, is_int, is_bool, is_void, is_tagged,
		is_float, is_enum;
	struct probe_type named; /* size_t and the like */
	const char *other;	 /* a word that is none of C's: a type's or the argument's name */
	size_t other_bytes;
	const char *last;
	size_t last_bytes;
};

struct named_type {
	const char *name;
	struct probe_type type;
};

static const struct named_type named_types[] = {
	{ "size_t", { PROBE_TYPE_UNSIGNED, 8 } },    { "ssize_t", { PROBE_TYPE_SIGNED, 8 } },
	{ "off_t", { PROBE_TYPE_SIGNED, 8 } },	     { "time_t", { PROBE_TYPE_SIGNED, 8 } },
	{ "ptrdiff_t", { PROBE_TYPE_SIGNED, 8 } },   { "intptr_t", { PROBE_TYPE_SIGNED, 8 } },
	{ "uintptr_t", { PROBE_TYPE_UNSIGNED, 8 } }, { "pid_t", { PROBE_TYPE_SIGNED, 4 } },
	{ "uid_t", { PROBE_TYPE_UNSIGNED, 4 } },     { "gid_t", { PROBE_TYPE_UNSIGNED, 4 } },
	{ "mode_t", { PROBE_TYPE_UNSIGNED, 4 } },    { "int8_t", { PROBE_TYPE_SIGNED, 1 } },
	{ "int16_t", { PROBE_TYPE_SIGNED, 2 } },     { "int32_t", { PROBE_TYPE_SIGNED, 4 } },
	{ "int64_t", { PROBE_TYPE_SIGNED, 8 } },     { "uint8_t", { PROBE_TYPE_UNSIGNED, 1 } },
	{ "uint16_t", { PROBE_TYPE_UNSIGNED, 2 } },  { "uint32_t", { PROBE_TYPE_UNSIGNED, 4 } },
	{ "uint64_t", { PROBE_TYPE_UNSIGNED, 8 } },  { "socklen_t", { PROBE_TYPE_UNSIGNED, 4 } },
};

static bool is_word(const char *word, size_t n_bytes, const char *expected)
{
	return strlen(expected) == n_bytes && memcmp(word, expected, n_bytes) == 0;
}

static bool take_named(struct type_words *words, const char *word, size_t n_bytes)
{
	for (size_t i = 0; i < sizeof(named_types) / sizeof(named_types[0]); i++) {
		if (!is_word(word, n_bytes, named_types[i].name))
			continue;
		words->named = named_types[i].type;
		return true;
	}
	return false;
}

static bool take_keyword(struct type_words *words, const char *word, size_t n_bytes)
{
	static const char *const qualifiers[] = { "const",    "volatile",   "restrict",
						  "register", "__restrict", "__restrict__",
						  "static",   "extern" };

	for (size_t i = 0; i < sizeof(qualifiers) / sizeof(qualifiers[0]); i++)
		if (is_word(word, n_bytes, qualifiers[i]))
			return true;
	words->n_long += is_word(word, n_bytes, "long");
	words->is_unsigned |= is_word(word, n_bytes, "unsigned");
	words->is_signed |= is_word(word, n_bytes, "signed");
	words->is_short |= is_word(word, n_bytes, "short");
	words->is_char |= is_word(word, n_bytes, "char");
	words->is_int |= is_word(word, n_bytes, "int");
	words->is_void |= is_word(word, n_bytes, "void");
	words->is_enum |= is_word(word, n_bytes, "enum");
	words->is_bool |= is_word(word, n_bytes, "bool") || is_word(word, n_bytes, "_Bool");
	words->is_float |= is_word(word, n_bytes, "float") || is_word(word, n_bytes, "double");
	words->is_tagged |= is_word(word, n_bytes, "struct") || is_word(word, n_bytes, "union") ||
			    is_word(word, n_bytes, "class");
	return is_word(word, n_bytes, "long") || is_word(word, n_bytes, "unsigned") ||
	       is_word(word, n_bytes, "signed") || is_word(word, n_bytes, "short") ||
	       is_word(word, n_bytes, "char") || is_word(word, n_bytes, "int") ||
	       is_word(word, n_bytes, "void") || is_word(word, n_bytes, "enum") ||
	       is_word(word, n_bytes, "bool") || is_word(word, n_bytes, "_Bool") ||
	       is_word(word, n_bytes, "float") || is_word(word, n_bytes, "double") ||
	       is_word(word, n_bytes, "struct") || is_word(word, n_bytes, "union") ||
	       is_word(word, n_bytes, "class");
}

static bool is_basic(const struct type_words *words)
{
	return words->n_long || words->is_unsigned || words->is_signed || words->is_short ||
	       words->is_char || words->is_int || words->is_void || words->is_bool ||
	       words->is_float || words->named.size_bytes;
}

/* False for what cannot be part of a type. */
static bool split(struct type_words *words, const char *text, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes;) {
		const size_t start = i;

		if (text[i] == '*' || (text[i] == '[' && words->last)) {
			words->n_pointers++;
			while (text[i] == '[' && i + 1 < n_bytes && text[i + 1] != ']')
				i++;
			i += text[start] == '[' && i + 1 < n_bytes ? 2 : 1;
			continue;
		}
		if (isspace((unsigned char)text[i])) {
			i++;
			continue;
		}
		while (i < n_bytes &&
		       (isalnum((unsigned char)text[i]) || text[i] == '_' || text[i] == ':'))
			i++;
		if (i == start)
			return false;
		if (take_keyword(words, text + start, i - start) ||
		    (!is_basic(words) && take_named(words, text + start, i - start)))
			continue;
		if (words->last && words->other)
			return false;
		words->other = words->last;
		words->other_bytes = words->last_bytes;
		words->last = text + start;
		words->last_bytes = i - start;
	}
	return true;
}

static struct probe_type type_of(const struct type_words *words)
{
	const uint8_t int_bytes = words->n_long ? 8 : words->is_short ? 2 : 4;

	if (words->n_pointers == 1 && words->is_char)
		return (struct probe_type){ PROBE_TYPE_TEXT, 8 };
	if (words->n_pointers)
		return (struct probe_type){ PROBE_TYPE_POINTER, 8 };
	if (words->named.size_bytes)
		return words->named;
	if (words->is_bool)
		return (struct probe_type){ PROBE_TYPE_BOOL, 1 };
	if (words->is_char && !words->is_unsigned && !words->is_signed)
		return (struct probe_type){ PROBE_TYPE_CHAR, 1 };
	if (words->is_char)
		return (struct probe_type){ words->is_unsigned ? PROBE_TYPE_UNSIGNED
							       : PROBE_TYPE_SIGNED,
					    1 };
	if (words->is_void)
		return (struct probe_type){ PROBE_TYPE_VOID, 0 };
	return (struct probe_type){ words->is_unsigned ? PROBE_TYPE_UNSIGNED : PROBE_TYPE_SIGNED,
				    words->is_enum ? 4 : int_bytes };
}

int probe_type_parse(struct probe_type *ret_type, const char **ret_name, size_t *ret_name_bytes,
		     const char *text, size_t n_bytes, struct error *err)
{
	struct type_words words = { 0 };
	const bool is_split = split(&words, text, n_bytes);
	bool has_type = is_basic(&words) || words.is_enum || words.is_tagged;

	/* Of two unknown words the first is the type; of a tag's the first is the tag. */
	if (words.is_enum || words.is_tagged) {
		if (!words.other)
			words.last_bytes = 0;
	} else if (!is_basic(&words) && words.last) {
		if (!words.other)
			words.last_bytes = 0;
		has_type = words.n_pointers > 0;
	} else if (words.other) {
		has_type = false;
	}
	if (!is_split || !has_type)
		return error_set(err, -EINVAL,
				 "'%.*s' is not a type that is known (integers, bool, pointers and "
				 "char * are)",
				 (int)n_bytes, text);
	if (words.is_float && !words.n_pointers)
		return error_set(err, -EINVAL,
				 "'%.*s': floating-point numbers are in registers that the kernel "
				 "does not hand out (leave the arguments out)",
				 (int)n_bytes, text);
	if (words.is_tagged && !words.n_pointers)
		return error_set(err, -EINVAL,
				 "'%.*s': a struct is in no register of its own (only pointers to "
				 "it can be recorded)",
				 (int)n_bytes, text);
	*ret_type = type_of(&words);
	*ret_name = words.last;
	*ret_name_bytes = words.last ? words.last_bytes : 0;
	return 0;
}
