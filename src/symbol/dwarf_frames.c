/*
 * Addresses to chains of inlined calls.  The obvious loop, dwarf_getscopes for
 * each address, walks a unit's tree each time: 11 ms an address in a large C++
 * program.  Here addresses are grouped by unit and each unit is walked once.
 */
#include "symbol/dwarf_frames.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbol/dwarf_file.h"
#include "symbol/dwarf_inlines.h"
#include "symbol/dwarf_names.h"
#include "symbol/dwarf_units.h"

/* An address that some unit knows, as sorted by unit. */
struct query {
	Dwarf_Off unit;
	uint64_t vaddr;
	uint32_t index; /* in the caller's array */
};

struct search {
	struct dwarf_frames *frames;
	struct dwarf_file file;
	struct dwarf_units units;
	struct dwarf_inlines inlines;
	struct dwarf_names names;
	struct query *queries;
	size_t n_queries;
	uint64_t *vaddrs; /* of the unit at hand */
};

static int compare_queries(const void *a, const void *b)
{
	const struct query *left = a;
	const struct query *right = b;

	if (left->unit != right->unit)
		return left->unit < right->unit ? -1 : 1;
	return (left->vaddr > right->vaddr) - (left->vaddr < right->vaddr);
}

static int search_add_frame(struct search *search, const struct frame *frame)
{
	struct dwarf_frames *frames = search->frames;
	struct frame *grown = array_grown(frames->frames, &frames->capacity, frames->n_frames + 1,
					  sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	frames->frames = grown;
	grown[frames->n_frames++] = *frame;
	return 0;
}

/* A line number as the profile keeps it. */
static uint32_t line_of(uint64_t line)
{
	return line < UINT32_MAX ? (uint32_t)line : 0;
}

/* Where the call `die` was made from. */
static int search_call_site(struct search *search, Dwarf_Die *die, Dwarf_Files *files,
			    struct frame *caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	caller->file = 0;
	caller->line = 0;
	if (dwarf_attr(die, DW_AT_call_line, &attribute) &&
	    dwarf_formudata(&attribute, &value) == 0)
		caller->line = line_of(value);
	if (!files || !dwarf_attr(die, DW_AT_call_file, &attribute) ||
	    dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return dwarf_names_path(&search->names, dwarf_filesrc(files, (size_t)value, NULL, NULL),
				&caller->file);
}

/* The chain of one address: the line table's place first, then its calls outwards. */
static int search_add_chain(struct search *search, const struct query *query, uint32_t call,
			    Dwarf_Die *unit, Dwarf_Files *files)
{
	struct dwarf_chain *chain = &search->frames->chains[query->index];
	const uint32_t first = (uint32_t)search->frames->n_frames;
	Dwarf_Line *line = dwarf_getsrc_die(unit, query->vaddr);
	struct frame frame = { 0 };
	int number = 0;
	int r = 0;

	if (line) {
		if (dwarf_lineno(line, &number) == 0 && number > 0)
			frame.line = (uint32_t)number;
		r = dwarf_names_path(&search->names, dwarf_linesrc(line, NULL, NULL), &frame.file);
	}
	while (call != DWARF_NO_CALL && r == 0) {
		struct dwarf_call *at = &search->inlines.calls[call];

		if (at->name == 0)
			r = dwarf_names_function(&search->names, &at->die, &at->name);
		frame.function = at->name;
		frame.flags = at->parent != DWARF_NO_CALL ? FRAME_INLINED : 0;
		if (r == 0)
			r = search_add_frame(search, &frame);
		if (r == 0 && at->parent != DWARF_NO_CALL)
			r = search_call_site(search, &at->die, files, &frame);
		else
			chain->has_linkage_name = dwarf_names_has_linkage_name(&at->die);
		call = at->parent;
	}
	if (r == 0 && search->frames->n_frames == first && line)
		r = search_add_frame(search, &frame);
	chain->first_frame = first;
	chain->n_frames = (uint32_t)search->frames->n_frames - first;
	return r;
}

/* The DIE with the tree: the unit's own, or that of its .dwo file. */
static bool unit_tree(Dwarf_Die *unit, Dwarf_Die *ret_tree)
{
	Dwarf_Die split = { 0 };
	uint8_t type = 0;

	*ret_tree = *unit;
	if (dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) != 0)
		return false;
	if (type == DW_UT_skeleton && split.addr)
		*ret_tree = split;
	return true;
}

/* All queries of one unit. */
static int search_unit(struct search *search, const struct query *queries, size_t n_queries)
{
	Dwarf_Files *files = NULL;
	size_t n_files;
	Dwarf_Die unit;
	Dwarf_Die tree;
	int r;

	if (!dwarf_offdie(search->file.dwarf, queries[0].unit, &unit) || !unit_tree(&unit, &tree))
		return 0;
	for (size_t i = 0; i < n_queries; i++)
		search->vaddrs[i] = queries[i].vaddr;
	r = dwarf_inlines_walk(&search->inlines, &tree, search->vaddrs, n_queries);
	if (dwarf_getsrcfiles(&tree, &files, &n_files) != 0)
		files = NULL;
	for (size_t i = 0; i < n_queries && r == 0; i++)
		r = search_add_chain(search, &queries[i], search->inlines.innermost[i], &unit,
				     files);
	return r;
}

static int search_run(struct search *search, const uint64_t *vaddrs, size_t n_vaddrs)
{
	size_t end;
	int r = 0;

	search->queries = malloc((n_vaddrs + 1) * sizeof(*search->queries));
	search->vaddrs = malloc((n_vaddrs + 1) * sizeof(*search->vaddrs));
	if (!search->queries || !search->vaddrs)
		return -ENOMEM;
	for (size_t i = 0; i < n_vaddrs; i++) {
		struct query *query = &search->queries[search->n_queries];

		query->vaddr = vaddrs[i];
		query->index = (uint32_t)i;
		if (dwarf_units_find(&search->units, vaddrs[i], &query->unit))
			search->n_queries++;
	}
	qsort(search->queries, search->n_queries, sizeof(*search->queries), compare_queries);
	for (size_t i = 0; i < search->n_queries && r == 0; i = end) {
		for (end = i + 1; end < search->n_queries; end++)
			if (search->queries[end].unit != search->queries[i].unit)
				break;
		r = search_unit(search, &search->queries[i], end - i);
	}
	return r;
}

static uint64_t first_code_vaddr(const struct elf_image *image)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < image->n_segments; i++)
		if (image->segments[i].is_executable && image->segments[i].vaddr < first)
			first = image->segments[i].vaddr;
	/* Position-independent files have code above 0, where discarded functions go. */
	return first == UINT64_MAX || first == 0 ? 1 : first;
}

int dwarf_frames_find(struct dwarf_frames *frames, const struct elf_image *image,
		      const char *debug_root, const uint64_t *vaddrs, size_t n_vaddrs)
{
	struct search search = { .frames = frames };
	int r;

	*frames = (struct dwarf_frames){ 0 };
	frames->chains = calloc(n_vaddrs + 1, sizeof(*frames->chains));
	if (!frames->chains)
		return -ENOMEM;
	r = interner_init(&frames->strings);
	search.names.strings = &frames->strings;
	search.inlines.first_vaddr = first_code_vaddr(image);
	/* A tree has fewer entries than bytes, may be compressed, and may be walked twice. */
	search.inlines.visits_left = 8 * (uint64_t)image->file.size_bytes;
	dwarf_file_open(&search.file, image, debug_root);
	if (r == 0 && search.file.dwarf)
		r = dwarf_units_load(&search.units, search.file.dwarf, search.inlines.first_vaddr);
	if (r == 0 && search.file.dwarf)
		r = search_run(&search, vaddrs, n_vaddrs);
	free(search.queries);
	free(search.vaddrs);
	dwarf_names_release(&search.names);
	dwarf_inlines_release(&search.inlines);
	dwarf_units_release(&search.units);
	dwarf_file_close(&search.file);
	if (r < 0)
		dwarf_frames_release(frames);
	return r;
}

void dwarf_frames_release(struct dwarf_frames *frames)
{
	interner_release(&frames->strings);
	free(frames->frames);
	free(frames->chains);
	*frames = (struct dwarf_frames){ 0 };
}
