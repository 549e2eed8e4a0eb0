/* From the outside in: parentheses, "%return", library, type, name. */
#include "record/probe_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETURN_SUFFIX "%return"

static size_t trimmed(const char **text, size_t n_bytes)
{
	while (n_bytes && isspace((unsigned char)**text)) {
		(*text)++;
		n_bytes--;
	}
	while (n_bytes && isspace((unsigned char)(*text)[n_bytes - 1]))
		n_bytes--;
	return n_bytes;
}

/* Where the parameters begin; n_bytes when there are none.  Not at "operator()". */
static size_t parenthesis_at(const char *text, size_t n_bytes)
{
	size_t n_open = 0;

	if (!n_bytes || text[n_bytes - 1] != ')')
		return n_bytes;
	for (size_t i = n_bytes; i > 0; i--) {
		n_open += text[i - 1] == ')';
		if (text[i - 1] == '(' && --n_open == 0)
			return i >= 9 && strncmp(text + i - 9, "operator", 8) == 0 ? n_bytes
										   : i - 1;
	}
	return n_bytes;
}

static int add_argument(struct probe_spec *spec, const char *text, size_t n_bytes)
{
	struct probe_argument *argument = &spec->arguments[spec->n_arguments];
	const char *name;
	size_t name_bytes;
	char numbered[16];
	int r;

	n_bytes = trimmed(&text, n_bytes);
	if (spec->n_arguments == PROBE_MAX_ARGUMENTS)
		return error_set(&spec->types, -EINVAL, "more than %d arguments",
				 PROBE_MAX_ARGUMENTS);
	r = probe_type_parse(&argument->type, &name, &name_bytes, text, n_bytes, &spec->types);
	if (r < 0)
		return r;
	if (argument->type.kind == PROBE_TYPE_VOID)
		return spec->n_arguments ? error_set(&spec->types, -EINVAL, "an argument is void")
					 : 0;
	(void)snprintf(numbered, sizeof(numbered), "arg%zu", spec->n_arguments + 1);
	argument->name = name_bytes ? strndup(name, name_bytes) : strdup(numbered);
	if (!argument->name)
		return -ENOMEM;
	spec->n_arguments++;
	return 0;
}

/* What is wrong with them matters only if they are not the signature of a C++ function. */
static int parse_arguments(struct probe_spec *spec, const char *text, size_t n_bytes)
{
	const char *const end = text + n_bytes;
	int r = 0;

	n_bytes = trimmed(&text, n_bytes);
	while (r == 0 && text < end && n_bytes) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const size_t part = comma ? (size_t)(comma - text) : (size_t)(end - text);

		if (part >= 3 && strstr(text, "...") && strstr(text, "...") < text + part)
			break;
		r = add_argument(spec, text, part);
		text = comma ? comma + 1 : end;
	}
	spec->has_arguments = r == 0;
	return r == -ENOMEM ? r : 0;
}

/* A single colon, as of LIBRARY:NAME; `n_bytes` when there is none. */
static size_t colon_at(const char *text, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++) {
		if (text[i] != ':')
			continue;
		if (i + 1 < n_bytes && text[i + 1] == ':')
			i++;
		else
			return i;
	}
	return n_bytes;
}

/* "unsigned long " in front of a name; 0 when it begins with no type. */
static size_t type_bytes(const char *text, size_t n_bytes)
{
	struct probe_type type;
	const char *name;
	size_t name_bytes;
	size_t at = n_bytes;

	while (at > 0 && text[at - 1] != ' ' && text[at - 1] != '*')
		at--;
	/* A star of a type has a blank before it, of a pattern has none. */
	if (at > 1 && text[at - 1] == '*' && text[at - 2] != ' ' && text[at - 2] != '*')
		return 0;
	if (at == n_bytes)
		return 0;
	if (at == 0 || probe_type_parse(&type, &name, &name_bytes, text, at, NULL) < 0 ||
	    name_bytes)
		return 0;
	return at;
}

static int parse_name(struct probe_spec *spec, const char *option, const char *text, size_t n_bytes,
		      struct error *err)
{
	const size_t suffix = sizeof(RETURN_SUFFIX) - 1;
	const char *name;
	size_t name_bytes;
	size_t at;

	n_bytes = trimmed(&text, n_bytes);
	if (n_bytes > suffix && strncmp(text + n_bytes - suffix, RETURN_SUFFIX, suffix) == 0) {
		if (spec->is_scope)
			return error_set(
				err, -EINVAL,
				"%s: a scope begins where the function does and ends where "
				"it returns (leave out %%return)",
				option);
		spec->is_return = true;
		n_bytes -= suffix;
	}
	at = type_bytes(text, n_bytes);
	if (at && probe_type_parse(&spec->result, &name, &name_bytes, text, at, err) < 0)
		return error_prefix(err, "%s", option);
	spec->has_result = at && spec->result.kind != PROBE_TYPE_VOID;
	text += at;
	n_bytes -= at;
	at = colon_at(text, n_bytes);
	if (at < n_bytes) {
		spec->library = strndup(text, at);
		if (!spec->library)
			return error_set_no_memory(err);
		text += at + 1;
		n_bytes -= at + 1;
	}
	if (!n_bytes || (spec->library && !*spec->library))
		return error_set(err, -EINVAL,
				 "%s: expected [LIBRARY:]NAME or NAME(TYPE NAME, ...)", option);
	spec->function = strndup(text, n_bytes);
	return spec->function ? 0 : error_set_no_memory(err);
}

int probe_spec_parse(struct probe_spec *spec, const char *option, const char *text,
		     struct error *err)
{
	const bool is_scope = spec->is_scope;
	size_t n_bytes = trimmed(&text, strlen(text));
	const size_t at = parenthesis_at(text, n_bytes);
	int r;

	*spec = (struct probe_spec){ .is_scope = is_scope };
	r = parse_name(spec, option, text, at, err);
	if (r == 0 && at < n_bytes) {
		if (asprintf(&spec->signature, "%s%.*s", spec->function, (int)(n_bytes - at),
			     text + at) < 0) {
			spec->signature = NULL;
			r = error_set_no_memory(err);
		} else if (parse_arguments(spec, text + at + 1, n_bytes - at - 2) < 0) {
			r = error_set_no_memory(err);
		}
	}
	if (r == 0 && spec->is_return && spec->n_arguments)
		r = error_set(err, -EINVAL,
			      "%s: where a function returns its arguments are gone (leave out "
			      "them or %%return)",
			      option);
	if (r < 0)
		probe_spec_release(spec);
	return r;
}

void probe_spec_release(struct probe_spec *spec)
{
	for (size_t i = 0; i < spec->n_arguments; i++)
		free(spec->arguments[i].name);
	free(spec->library);
	free(spec->function);
	free(spec->signature);
	*spec = (struct probe_spec){ 0 };
}
