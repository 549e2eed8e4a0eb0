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
#include "symbol/dwarf_lines.h"
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
	struct dwarf_lines lines;
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

/* A line number as the profile keeps it: libdw's are int. */
static uint32_t line_of(uint64_t line)
{
	return line <= INT32_MAX ? (uint32_t)line : 0;
}

/* The file that a unit's tree calls by a number; `split` are those of its .dwo file, if any. */
static int search_file(struct search *search, Dwarf_Files *split, uint64_t number, uint32_t *ret_id)
{
	if (split)
		return dwarf_names_path(&search->names,
					dwarf_filesrc(split, (size_t)number, NULL, NULL), ret_id);
	return dwarf_lines_path(&search->lines, &search->frames->strings, number, ret_id);
}

/* Where the call `die` was made from. */
static int search_call_site(struct search *search, Dwarf_Die *die, Dwarf_Files *split,
			    struct frame *caller)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	caller->file = 0;
	caller->line = 0;
	if (dwarf_attr(die, DW_AT_call_line, &attribute) &&
	    dwarf_formudata(&attribute, &value) == 0)
		caller->line = line_of(value);
	if (!dwarf_attr(die, DW_AT_call_file, &attribute) ||
	    dwarf_formudata(&attribute, &value) != 0)
		return 0;
	return search_file(search, split, value, &caller->file);
}

static int search_name(struct search *search, struct dwarf_call *call)
{
	int r;

	if (call->is_named)
		return 0;
	r = call->parent == DWARF_NO_CALL
		    ? dwarf_names_function(&search->names, &call->die, &call->name,
					   &call->has_linkage_name)
		    : dwarf_names_inlined(&search->names, &search->inlines.scopes, &call->die,
					  &call->name);
	call->is_named = r == 0;
	return r;
}

/* The chain of the unit's address at `at`: the line table's place, then its calls outwards. */
static int search_add_chain(struct search *search, const struct query *query, size_t at,
			    Dwarf_Files *split)
{
	struct dwarf_chain *chain = &search->frames->chains[query->index];
	const uint32_t first = (uint32_t)search->frames->n_frames;
	const struct dwarf_line_place place = search->lines.places[at];
	uint32_t call = search->inlines.innermost[at];
	struct frame frame = { .line = line_of(place.line) };
	int r = dwarf_lines_path(&search->lines, &search->frames->strings, place.file, &frame.file);

	while (call != DWARF_NO_CALL && r == 0) {
		struct dwarf_call *caller = &search->inlines.calls[call];

		r = search_name(search, caller);
		frame.function = caller->name;
		frame.flags = caller->parent != DWARF_NO_CALL ? FRAME_INLINED : 0;
		if (r == 0)
			r = search_add_frame(search, &frame);
		if (r == 0 && caller->parent != DWARF_NO_CALL)
			r = search_call_site(search, &caller->die, split, &frame);
		else
			chain->has_linkage_name = caller->has_linkage_name;
		call = caller->parent;
	}
	if (r == 0 && search->frames->n_frames == first && place.file != DWARF_NO_LINE)
		r = search_add_frame(search, &frame);
	chain->first_frame = first;
	chain->n_frames = (uint32_t)search->frames->n_frames - first;
	return r;
}

/* The DIE with the tree: the unit's own, or that of its .dwo file, which has files of its own. */
static bool unit_tree(Dwarf_Die *unit, Dwarf_Die *ret_tree, Dwarf_Files **ret_split)
{
	Dwarf_Die split = { 0 };
	uint8_t type = 0;
	size_t n_files;

	*ret_tree = *unit;
	*ret_split = NULL;
	if (dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) != 0)
		return false;
	if (type == DW_UT_skeleton && split.addr) {
		*ret_tree = split;
		if (dwarf_getsrcfiles(&split, ret_split, &n_files) != 0)
			*ret_split = NULL;
	}
	return true;
}

/* Run the unit's line number program, if it has one, for search->vaddrs. */
static int search_lines(struct search *search, Dwarf_Die *unit, size_t n_vaddrs)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset = DWARF_NO_PROGRAM;

	if (!dwarf_attr(unit, DW_AT_stmt_list, &attribute) ||
	    dwarf_formudata(&attribute, &offset) != 0)
		offset = DWARF_NO_PROGRAM;
	return dwarf_lines_walk(&search->lines, offset,
				dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute)),
				search->vaddrs, n_vaddrs);
}

/* All queries of one unit. */
static int search_unit(struct search *search, const struct query *queries, size_t n_queries)
{
	Dwarf_Files *split;
	Dwarf_Die unit;
	Dwarf_Die tree;
	int r;

	if (!dwarf_offdie(search->file.dwarf, queries[0].unit, &unit) ||
	    !unit_tree(&unit, &tree, &split))
		return 0;
	for (size_t i = 0; i < n_queries; i++)
		search->vaddrs[i] = queries[i].vaddr;
	r = dwarf_inlines_walk(&search->inlines, &tree, search->vaddrs, n_queries);
	if (r == 0)
		r = search_lines(search, &unit, n_queries);
	for (size_t i = 0; i < n_queries && r == 0; i++)
		r = search_add_chain(search, &queries[i], i, split);
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

static void init_lines(struct search *search)
{
	const struct dwarf_line_sections sections = {
		.line = dwarf_file_section(&search->file, ".debug_line"),
		.str = dwarf_file_section(&search->file, ".debug_str"),
		.line_str = dwarf_file_section(&search->file, ".debug_line_str"),
	};

	dwarf_lines_init(&search->lines, &sections, search->inlines.first_vaddr);
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
	search.inlines.scopes.visits_left = search.inlines.visits_left;
	dwarf_file_open(&search.file, image, debug_root);
	init_lines(&search);
	if (r == 0 && search.file.dwarf)
		r = dwarf_units_load(&search.units, search.file.dwarf, search.inlines.first_vaddr);
	if (r == 0 && search.file.dwarf)
		r = search_run(&search, vaddrs, n_vaddrs);
	free(search.queries);
	free(search.vaddrs);
	dwarf_names_release(&search.names);
	dwarf_inlines_release(&search.inlines);
	dwarf_lines_release(&search.lines);
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
