/*
 * Locations are sorted by module and vaddr, and each module is opened, asked
 * and closed once.  DWARF knows inlined calls and lines, symbol tables know the
 * functions that have no debug information; where both know a function DWARF's
 * name wins, except where it is only a bare identifier.
 */
#include "symbol/symbolizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "model/frame_names.h"
#include "symbol/debug_files.h"
#include "symbol/demangle.h"
#include "symbol/dwarf_batch.h"
#include "symbol/function_starts.h"
#include "symbol/kernel_symbols.h"
#include "symbol/symbol_table.h"

struct request {
	uint64_t vaddr;
	uint32_t module;
	uint32_t location;
};

/* What all modules share. */
struct symbolizer {
	struct profile *profile;
	struct elf_image *const *images;
	const struct symbolizer_options *options;
	struct kernel_symbols kernel; /* loaded for the first kernel module */
	bool has_kernel;
};

/* One module's sources of names. */
struct sources {
	struct elf_image debug; /* the separate debug file, if there is one */
	struct symbol_table table;
	struct dwarf_batch dwarf;
};

static int compare_requests(const void *a, const void *b)
{
	const struct request *left = a;
	const struct request *right = b;

	if (left->module != right->module)
		return left->module < right->module ? -1 : 1;
	return (left->vaddr > right->vaddr) - (left->vaddr < right->vaddr);
}

/* All locations without frames, sorted; a NULL array with 0 of them is no error. */
static int collect_requests(struct request **ret_requests, size_t *ret_n_requests,
			    const struct profile *profile)
{
	const struct location_table *table = &profile->locations;
	struct request *requests = malloc((table->n_locations + 1) * sizeof(*requests));
	size_t n = 0;

	if (!requests)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_locations; i++) {
		const struct location *location = &table->locations[i];

		if (location->n_frames == 0 && location->module < profile->n_modules)
			requests[n++] = (struct request){ .vaddr = location->vaddr,
							  .module = location->module,
							  .location = (uint32_t)i };
	}
	qsort(requests, n, sizeof(*requests), compare_requests);
	*ret_requests = requests;
	*ret_n_requests = n;
	return 0;
}

static int add_demangled(struct profile *profile, uint32_t *ret_id, const char *name)
{
	struct buffer text = BUFFER_INIT;
	int r = -ENOMEM;

	demangle_add(&text, name);
	if (!text.is_failed)
		r = interner_add_sized(&profile->strings, ret_id, buffer_string(&text), text.size);
	buffer_release(&text);
	return r;
}

/* A symbol, whose name is made when something asks for it. */
struct symbol_name {
	const struct symbol *symbol;
	uint32_t id; /* 0: not yet */
};

static int get_symbol_name(struct profile *profile, struct symbol_name *name, uint32_t *ret_id)
{
	int r = 0;

	if (!name->id)
		r = add_demangled(profile, &name->id, name->symbol->name);
	if (r == 0)
		*ret_id = name->id;
	return r;
}

/* Copy a chain out of DWARF's words into the profile's. */
static int set_chain(struct profile *profile, const struct request *request,
		     struct dwarf_batch *batch, const struct dwarf_batch_chain *chain,
		     struct symbol_name *name)
{
	const uint32_t first = (uint32_t)profile->n_frames;
	struct frame *outermost;
	int r = profile_set_frames(profile, request->location, chain->frames, chain->n_frames);

	for (uint32_t i = 0; i < chain->n_frames && r == 0; i++)
		r = dwarf_batch_translate(batch, chain, &profile->strings,
					  &profile->frames[first + i]);
	if (r < 0)
		return r;
	outermost = &profile->frames[first + chain->n_frames - 1];
	if (name->symbol && (outermost->function == 0 || !chain->has_linkage_name))
		r = get_symbol_name(profile, name, &outermost->function);
	return r;
}

/*
 * No symbol: the function is known by its start alone.  The one that holds the
 * entry point is what every C library calls _start.
 */
static int set_nameless(struct profile *profile, const struct request *request,
			const struct elf_image *image)
{
	struct frame frame = { 0 };
	uint64_t start;
	int r;

	if (!function_starts_find(image, request->vaddr, &start))
		return 0;
	if (!image->entry_vaddr || start != image->entry_vaddr)
		return frame_names_set_nameless(profile, request->location, start);
	r = interner_add(&profile->strings, &frame.function, "_start");
	return r < 0 ? r : profile_set_frames(profile, request->location, &frame, 1);
}

static int set_names(struct profile *profile, const struct request *requests, size_t n_requests,
		     struct sources *sources, const struct elf_image *image)
{
	struct symbol_name name = { 0 };

	for (size_t i = 0; i < n_requests; i++) {
		const struct symbol *symbol = symbol_table_find(&sources->table, requests[i].vaddr);
		const struct dwarf_batch_chain chain = dwarf_batch_chain_of(&sources->dwarf, i);
		int r = 0;

		/* Requests are sorted, so a symbol's come in a row. */
		if (symbol != name.symbol)
			name = (struct symbol_name){ .symbol = symbol };
		if (chain.n_frames > 0 && (symbol || chain.frames[chain.n_frames - 1].function)) {
			r = set_chain(profile, &requests[i], &sources->dwarf, &chain, &name);
		} else if (symbol) {
			struct frame frame = { 0 };

			r = get_symbol_name(profile, &name, &frame.function);
			if (r == 0)
				r = profile_set_frames(profile, requests[i].location, &frame, 1);
		} else {
			r = set_nameless(profile, &requests[i], image);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int symbolize_file(struct symbolizer *symbolizer, const struct request *requests,
			  size_t n_requests)
{
	const struct symbolizer_options *options = symbolizer->options;
	const uint32_t module = requests[0].module;
	const struct elf_image *image = symbolizer->images[module];
	const struct elf_image *debug = options->debug_images ? options->debug_images[module]
							      : NULL;
	struct sources sources = { 0 };
	uint64_t *vaddrs = NULL;
	int r;

	if (!debug && debug_files_open(&sources.debug, image, options->debug_root, NULL) == 0)
		debug = &sources.debug;
	r = symbol_table_load(&sources.table, image, debug);
	if (r < 0)
		goto out;
	if (!options->without_lines) {
		r = -ENOMEM;
		vaddrs = malloc(n_requests * sizeof(*vaddrs));
		if (!vaddrs)
			goto out;
		for (size_t i = 0; i < n_requests; i++)
			vaddrs[i] = requests[i].vaddr;
		r = dwarf_batch_find(&sources.dwarf, debug ? debug : image, options->debug_root,
				     vaddrs, n_requests);
		if (r < 0)
			goto out;
	}
	r = set_names(symbolizer->profile, requests, n_requests, &sources, image);
out:
	dwarf_batch_release(&sources.dwarf);
	symbol_table_release(&sources.table);
	elf_image_release(&sources.debug);
	free(vaddrs);
	return r;
}

static int load_kernel(struct symbolizer *symbolizer)
{
	const char *path = symbolizer->options->kallsyms_path;
	int r;

	if (symbolizer->has_kernel)
		return 0;
	r = kernel_symbols_load(&symbolizer->kernel, path ? path : "/proc/kallsyms");
	symbolizer->has_kernel = r == 0;
	if (r == 0 && symbolizer->options->remarks)
		symbolizer->options->remarks->has_hidden_kernel = !symbolizer->kernel.n_symbols;
	return r;
}

static int symbolize_kernel(struct symbolizer *symbolizer, const struct request *requests,
			    size_t n_requests)
{
	struct profile *profile = symbolizer->profile;
	int r = load_kernel(symbolizer);

	for (size_t i = 0; i < n_requests && r == 0; i++) {
		const struct kernel_symbol *symbol = kernel_symbols_find(&symbolizer->kernel,
									 requests[i].vaddr);
		struct frame frame = { .flags = FRAME_KERNEL };

		if (!symbol)
			continue;
		r = interner_add_sized(&profile->strings, &frame.function, symbol->name,
				       symbol->name_bytes);
		if (r == 0)
			r = profile_set_frames(profile, requests[i].location, &frame, 1);
	}
	return r;
}

static int set_jit_name(struct symbolizer *symbolizer, const struct request *request,
			const struct jit_symbols *symbols, const struct jit_symbol *symbol)
{
	struct profile *profile = symbolizer->profile;
	struct frame frame = { .flags = FRAME_JIT };
	const struct jit_line *line = NULL;
	int r = add_demangled(profile, &frame.function,
			      interner_get(&symbols->strings, symbol->name));

	if (!symbolizer->options->without_lines)
		line = jit_symbols_line(symbols, symbol, request->vaddr);
	if (r == 0 && line) {
		frame.line = line->line;
		r = interner_add(&profile->strings, &frame.file,
				 interner_get(&symbols->strings, line->file));
	}
	return r < 0 ? r : profile_set_frames(profile, request->location, &frame, 1);
}

/* Name what has no frame yet, by one program's own words. */
static int symbolize_jit(struct symbolizer *symbolizer, const struct request *requests,
			 size_t n_requests, const struct symbolizer_jit *jit)
{
	const struct location *locations = symbolizer->profile->locations.locations;
	const struct jit_symbol **found = malloc(n_requests * sizeof(*found));
	uint64_t *ips = malloc(n_requests * sizeof(*ips));
	int r = -ENOMEM;

	if (!found || !ips)
		goto out;
	for (size_t i = 0; i < n_requests; i++)
		ips[i] = requests[i].vaddr;
	r = jit_symbols_resolve(jit->symbols, ips, n_requests, jit->until_ns, found);
	for (size_t i = 0; i < n_requests && r == 0; i++)
		if (found[i] && !locations[requests[i].location].n_frames)
			r = set_jit_name(symbolizer, &requests[i], jit->symbols, found[i]);
out:
	free(found);
	free(ips);
	return r;
}

static int symbolize_anonymous(struct symbolizer *symbolizer, const struct request *requests,
			       size_t n_requests, const struct symbolizer_jit *jit)
{
	int r = 0;

	for (; jit && r == 0; jit = jit->inherited)
		if (jit->symbols)
			r = symbolize_jit(symbolizer, requests, n_requests, jit);
	return r;
}

static int symbolize_module(struct symbolizer *symbolizer, const struct request *requests,
			    size_t n_requests)
{
	const struct symbolizer_jit *jit = symbolizer->options->jit;
	const uint32_t module = requests[0].module;

	switch ((enum module_kind)symbolizer->profile->modules[module].kind) {
	case MODULE_KIND_FILE:
	case MODULE_KIND_VDSO:
		if (!symbolizer->images || !symbolizer->images[module])
			return 0;
		return symbolize_file(symbolizer, requests, n_requests);
	case MODULE_KIND_KERNEL:
		return symbolize_kernel(symbolizer, requests, n_requests);
	case MODULE_KIND_ANONYMOUS:
		return symbolize_anonymous(symbolizer, requests, n_requests,
					   jit ? &jit[module] : NULL);
	case MODULE_KIND_PSEUDO:
	case MODULE_KIND_UNMAPPED:
	case MODULE_KIND_NAMES:
		break;
	}
	return 0;
}

int symbolizer_run(struct profile *profile, struct elf_image *const *images,
		   const struct symbolizer_options *options, struct error *err)
{
	const struct symbolizer_options none = { 0 };
	struct symbolizer symbolizer = { .profile = profile,
					 .images = images,
					 .options = options ? options : &none };
	struct request *requests = NULL;
	size_t n_requests = 0;
	size_t end;
	int r = collect_requests(&requests, &n_requests, profile);

	for (size_t i = 0; i < n_requests && r == 0; i = end) {
		for (end = i + 1; end < n_requests; end++)
			if (requests[end].module != requests[i].module)
				break;
		r = symbolize_module(&symbolizer, &requests[i], end - i);
	}
	kernel_symbols_release(&symbolizer.kernel);
	free(requests);
	if (r < 0)
		return error_set_no_memory(err);
	profile->info.is_symbolized = true;
	return 0;
}
