/*
 * Folded lines as a profile.  A name is a location of a module that has only
 * names, or of the kernel; a line is one sample.
 */
#include "export/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "model/registers.h"

enum { FOLDED_SUFFIX_BYTES = 4 };

struct folded_reader {
	struct profile *profile; /* borrowed, being filled */
	uint32_t module;	 /* of names */
	uint32_t kernel_module;	 /* of names that are the kernel's */
	uint64_t n_ticks;	 /* kept below 2^63 */
	uint64_t n_good;	 /* lines that are stacks */
};

struct folded_text {
	const char *data;
	size_t size;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct folded_text folded_trimmed(struct folded_text text)
{
	while (text.size && is_space(text.data[text.size - 1]))
		text.size--;
	while (text.size && is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	return text;
}

/* "12", "12." or "12.7", rounded; nothing else is a number here. */
static bool folded_parse_number(struct folded_text text, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
			return false;
	if (i == 0)
		return false;
	if (i < text.size && text.data[i] == '.') {
		i++;
		if (i < text.size && text.data[i] >= '5' && text.data[i] <= '9' &&
		    value < UINT64_MAX)
			value++;
		while (i < text.size && text.data[i] >= '0' && text.data[i] <= '9')
			i++;
	}
	*ret_value = value;
	return i == text.size;
}

/* Takes the last word off `text` when it is a number with something before it. */
static bool folded_take_number(struct folded_text *text, uint64_t *ret_value)
{
	size_t at = text->size;

	while (at && !is_space(text->data[at - 1]))
		at--;
	if (at < 2 || !folded_parse_number((struct folded_text){ text->data + at, text->size - at },
					   ret_value))
		return false;
	*text = folded_trimmed((struct folded_text){ text->data, at });
	return text->size > 0;
}

static bool folded_starts(struct folded_text text, const char *start)
{
	const size_t size = strlen(start);

	return text.size >= size && memcmp(text.data, start, size) == 0;
}

/* The flag of an annotation like "_[k]" at the end of the name, or 0. */
static uint8_t folded_suffix_flag(struct folded_text name)
{
	static const struct {
		char text[5];
		uint8_t flag;
	} suffixes[] = { { "_[k]", FRAME_KERNEL },
			 { "_[i]", FRAME_INLINED },
			 { "_[j]", FRAME_JIT } };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (name.size > FOLDED_SUFFIX_BYTES &&
		    memcmp(name.data + name.size - FOLDED_SUFFIX_BYTES, suffixes[i].text,
			   FOLDED_SUFFIX_BYTES) == 0)
			return suffixes[i].flag;
	return 0;
}

/* Takes all of them off: stackcollapse-perf.pl may write two. */
static uint8_t folded_take_suffixes(struct folded_text *name)
{
	uint8_t flags = 0;
	uint8_t flag;

	while ((flag = folded_suffix_flag(*name)) != 0) {
		flags |= flag;
		name->size -= FOLDED_SUFFIX_BYTES;
	}
	return flags;
}

/* What tsprof and perf write where they know no name. */
static uint8_t folded_flags_of_name(struct folded_text name)
{
	if (name.size < 3 || name.data[0] != '[' || name.data[name.size - 1] != ']')
		return 0;
	if (folded_starts(name, "[truncated: ") || folded_starts(name, "[not sampled: "))
		return FRAME_PSEUDO;
	if (folded_starts(name, "[unknown]") || memmem(name.data, name.size, "+0x", 3))
		return FRAME_UNRESOLVED;
	return 0;
}

static int folded_add_location(struct folded_reader *reader, uint32_t *ret_location,
			       struct folded_text name)
{
	struct profile *profile = reader->profile;
	struct frame frame = { 0 };
	int r;

	if (!name.size)
		name = (struct folded_text){ "[unknown]", strlen("[unknown]") };
	frame.flags = folded_take_suffixes(&name);
	frame.flags |= folded_flags_of_name(name);
	r = interner_add_sized(&profile->strings, &frame.function, name.data, name.size);
	if (r == 0)
		r = location_table_add(&profile->locations, ret_location,
				       frame.flags & FRAME_KERNEL ? reader->kernel_module
								  : reader->module,
				       (uint64_t)frame.flags << 32 | frame.function);
	if (r == 0 && profile->locations.locations[*ret_location].n_frames == 0)
		r = profile_set_frames(profile, *ret_location, &frame, 1);
	return r;
}

static size_t folded_count_frames(struct folded_text stack)
{
	size_t n = 1;

	for (size_t i = 0; i < stack.size; i++)
		n += stack.data[i] == ';';
	return n;
}

static int folded_add_stack(struct folded_reader *reader, struct folded_text stack, uint64_t count)
{
	struct sample sample = { .count = count, .weight_ns = count };

	for (;;) {
		const char *end = memchr(stack.data, ';', stack.size);
		const size_t size = end ? (size_t)(end - stack.data) : stack.size;
		uint32_t location;
		int r = folded_add_location(reader, &location,
					    (struct folded_text){ stack.data, size });

		if (r == 0)
			r = stack_trie_add(&reader->profile->stacks, &sample.node, sample.node,
					   location);
		if (r < 0)
			return r;
		if (!end)
			break;
		stack.data += size + 1;
		stack.size -= size + 1;
	}
	reader->n_ticks += count;
	return profile_add_sample(reader->profile, &sample);
}

/* 0 for a line that was taken or skipped, -EINVAL for a bad one, -ENOMEM. */
static int folded_read_line(struct folded_reader *reader, struct folded_text line)
{
	uint64_t count, before;

	line = folded_trimmed(line);
	if (!line.size || folded_starts(line, "# "))
		return 0;
	if (memchr(line.data, '\0', line.size) || !folded_take_number(&line, &count))
		return -EINVAL;
	(void)folded_take_number(&line, &before);
	if (count > INT64_MAX - reader->n_ticks || folded_count_frames(line) > FOLDED_MAX_FRAMES)
		return -EINVAL;
	reader->n_good++;
	return count ? folded_add_stack(reader, line, count) : 0;
}

static int folded_reader_init(struct folded_reader *reader)
{
	struct profile *profile = reader->profile;
	struct module module = { .kind = MODULE_KIND_NAMES };
	struct module kernel = { .kind = MODULE_KIND_KERNEL };
	const struct thread thread = { 0 };
	int r = profile_init(profile);

	if (r < 0)
		return r;
	profile->info.arch = ARCH_NATIVE;
	profile->info.is_symbolized = true;
	r = interner_add(&profile->strings, &module.path, "[imported]");
	if (r == 0)
		r = interner_add(&profile->strings, &kernel.path, "[kernel]");
	if (r == 0)
		r = interner_add(&profile->strings, &profile->info.tool, "folded stacks");
	if (r == 0)
		r = profile_add_module(profile, &reader->module, &module);
	if (r == 0)
		r = profile_add_module(profile, &reader->kernel_module, &kernel);
	if (r == 0)
		r = profile_add_thread(profile, NULL, &thread);
	if (r < 0)
		profile_release(profile);
	return r;
}

int folded_read(struct profile *profile, const uint8_t *bytes, size_t size_bytes, const char *name,
		uint64_t *ret_n_bad, uint64_t *ret_first_bad, struct error *err)
{
	struct folded_reader reader = { .profile = profile };
	struct folded_text rest = { (const char *)bytes, size_bytes };
	uint64_t n_bad = 0, first_bad = 0;
	int r = folded_reader_init(&reader);

	if (r < 0)
		return error_set_no_memory(err);
	for (uint64_t number = 1; rest.size && r != -ENOMEM; number++) {
		const char *end = memchr(rest.data, '\n', rest.size);
		const size_t size = end ? (size_t)(end - rest.data) : rest.size;

		r = folded_read_line(&reader, (struct folded_text){ rest.data, size });
		if (r == -EINVAL && n_bad++ == 0)
			first_bad = number;
		rest.data += end ? size + 1 : size;
		rest.size -= end ? size + 1 : size;
	}
	if (r == -ENOMEM)
		r = error_set_no_memory(err);
	else if (profile->n_samples == 0)
		r = error_set(err, -EINVAL, "%s: has no line of the form 'frame;frame COUNT'",
			      name);
	else if (n_bad > reader.n_good)
		r = error_set(err, -EINVAL,
			      "%s: most lines are not of the form 'frame;frame COUNT', as line "
			      "%" PRIu64,
			      name, first_bad);
	else
		r = 0;
	if (r < 0) {
		profile_release(profile);
		return r;
	}
	*ret_n_bad = n_bad;
	*ret_first_bad = first_bad;
	return 0;
}
