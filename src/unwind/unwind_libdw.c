/*
 * elfutils' libdwfl over a sample, through callbacks that read the dump.  A
 * second opinion, not a fast one: 0.6 to 1.4 us a frame with a Dwfl kept for
 * the process, twenty times that if it were made for every sample.
 *
 * The modules are the images that are already open, so that deleted and
 * replaced files are unwound with the bytes that were mapped.  A Dwfl cannot
 * forget single modules; it is made anew when the mappings change.
 */
#include "unwind/unwinder.h"

#include <errno.h>
#include <stdlib.h>

#include <elfutils/libdwfl.h>

#include "unwind/sample_view.h"

struct unwind_cache {
	Dwfl *dwfl;
	struct sample_view *view; /* the walk under way; libdwfl's callbacks get its address */
	uint32_t generation;
	size_t n_mappings;
	bool is_attached;
};

struct unwinder {
	struct location_table *locations; /* borrowed; first, as unwinder_new wants it */
	struct sample_view view;
};

/*
 * The module's user data is its image.  libelf asks for memory that it may
 * write to, as for ELF_C_RDWR, and only reads what is opened like this.
 */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **ret_elf)
{
	const struct elf_image *image = *userdata;

	(void)module;
	(void)name;
	(void)base;
	(void)file_name;
	if (image)
		*ret_elf = elf_memory((char *)(uintptr_t)image->file.bytes, image->file.size_bytes);
	return -1;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *debuglink_file,
			  GElf_Word debuglink_crc, char **debuginfo_file_name)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file_name;
	(void)debuglink_file;
	(void)debuglink_crc;
	(void)debuginfo_file_name;
	return -1;
}

static const Dwfl_Callbacks session_callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

static bool thread_memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *value, void *arg)
{
	struct unwind_cache *cache = arg;
	uint64_t found;

	(void)dwfl;
	if (!sample_view_read(cache->view, address, &found))
		return false;
	*value = found;
	return true;
}

static bool thread_set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct unwind_cache *cache = arg;
	const struct registers *registers = &cache->view->sample->registers;
	Dwarf_Word words[REGISTERS_MAX];
	const unsigned n_words = ARCH_NATIVE == ARCH_X86_64 ? X86_64_N_REGISTERS : AARCH64_PC;

	for (unsigned i = 0; i < n_words; i++)
		words[i] = registers->values[i];
	if (!dwfl_thread_state_registers(thread, 0, n_words, words))
		return false;
	dwfl_thread_state_register_pc(thread, registers_pc(registers));
	return true;
}

static pid_t thread_next(Dwfl *dwfl, void *arg, void **thread_arg)
{
	const pid_t tid = dwfl_pid(dwfl);

	/* libdwfl asks until it gets 0; the argument tells the first time from the second. */
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return tid;
}

static bool thread_get(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	(void)tid;
	*thread_arg = arg;
	return true;
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = thread_next,
	.get_thread = thread_get,
	.memory_read = thread_memory_read,
	.set_initial_registers = thread_set_registers,
};

/* [first, last) of all PT_LOAD, in whole pages of the segment's file. */
static bool image_range(const struct elf_image *image, uint64_t *ret_start, uint64_t *ret_end)
{
	const uint64_t page_bytes = 4096;
	uint64_t start = UINT64_MAX;
	uint64_t end = 0;

	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *segment = &image->segments[i];
		const uint64_t segment_end = segment->vaddr + segment->memory_size;

		if (segment_end < segment->vaddr)
			return false;
		if (segment->vaddr < start)
			start = segment->vaddr;
		if (segment_end > end)
			end = segment_end;
	}
	if (start >= end)
		return false;
	*ret_start = start & ~(page_bytes - 1);
	*ret_end = (end + page_bytes - 1) & ~(page_bytes - 1);
	return true;
}

/* A module with several executable mappings is reported once. */
static bool is_reported(const struct address_space *space, size_t at)
{
	const struct mapping *mapping = &space->mappings[at];

	for (size_t i = 0; i < at; i++) {
		if (space->mappings[i].module == mapping->module &&
		    space->mappings[i].bias == mapping->bias)
			return true;
	}
	return false;
}

static void report_module(Dwfl *dwfl, const struct mapping *mapping, struct elf_image *image)
{
	Dwfl_Module *module;
	void **userdata;
	uint64_t start;
	uint64_t end;

	if (!image_range(image, &start, &end))
		return;
	module = dwfl_report_module(dwfl, image->path ? image->path : "", start + mapping->bias,
				    end + mapping->bias);
	if (module && dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL))
		*userdata = image;
}

static void unwind_libdw_release_cache(struct unwind_cache *cache)
{
	dwfl_end(cache->dwfl);
	free(cache);
}

static int cache_rebuild(struct unwind_cache *cache, const struct unwind_process *process,
			 const struct unwind_images *images)
{
	const struct address_space *space = &process->space;

	dwfl_end(cache->dwfl);
	cache->is_attached = false;
	cache->generation = space->generation;
	cache->n_mappings = space->n_mappings;
	cache->dwfl = dwfl_begin(&session_callbacks);
	if (!cache->dwfl)
		return -ENOMEM;
	dwfl_report_begin(cache->dwfl);
	for (size_t i = 0; i < space->n_mappings; i++) {
		const struct mapping *mapping = &space->mappings[i];

		if (mapping->module < images->n_images && images->images[mapping->module] &&
		    !is_reported(space, i))
			report_module(cache->dwfl, mapping, images->images[mapping->module]);
	}
	if (dwfl_report_end(cache->dwfl, NULL, NULL) < 0)
		return 0;
	cache->is_attached = dwfl_attach_state(cache->dwfl, NULL, (pid_t)process->pid,
					       &thread_callbacks, cache);
	return 0;
}

static int unwind_libdw_prepare(struct unwind_process *process, const struct unwind_images *images)
{
	struct unwind_cache *cache = process->cache;

	if (cache && cache->generation == process->space.generation &&
	    cache->n_mappings == process->space.n_mappings && cache->dwfl)
		return 0;
	if (!cache) {
		cache = calloc(1, sizeof(*cache));
		if (!cache)
			return -ENOMEM;
		process->cache = cache;
		process->release_cache = unwind_libdw_release_cache;
	}
	return cache_rebuild(cache, process, images);
}

/*
 * libdwfl's idea of "activation" is ours turned round: the pc is not a return
 * address.  To tell, dwfl_frame_pc unwinds to the next frame already.
 */
static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct unwinder *unwinder = arg;
	bool is_activation;
	Dwarf_Addr pc;

	sample_view_begin_step(&unwinder->view);
	if (!dwfl_frame_pc(frame, &pc, &is_activation))
		return DWARF_CB_ABORT;
	if (!sample_view_add_frame(&unwinder->view, pc, !is_activation))
		return DWARF_CB_ABORT;
	return DWARF_CB_OK;
}

/*
 * libdwfl says 0 at the outermost frame, but also where it could not go on.
 * Only an undefined return address, as crt1's and clone's CFI has it, is an end.
 */
static bool is_outermost(Dwfl *dwfl, uint64_t pc)
{
	const int return_column = ARCH_NATIVE == ARCH_X86_64 ? X86_64_RIP : AARCH64_LR;
	Dwfl_Module *module = dwfl_addrmodule(dwfl, pc);
	Dwarf_Frame *frame = NULL;
	Dwarf_Op place[3];
	Dwarf_Op *ops;
	Dwarf_Addr bias;
	Dwarf_CFI *cfi = module ? dwfl_module_eh_cfi(module, &bias) : NULL;
	bool is_undefined = false;
	size_t n_ops;

	if (!cfi || dwarf_cfi_addrframe(cfi, pc - bias, &frame) < 0)
		return false;
	if (dwarf_frame_register(frame, return_column, place, &ops, &n_ops) == 0)
		is_undefined = !n_ops && ops == place;
	free(frame);
	return is_undefined;
}

static int unwind_libdw_walk(struct unwinder *unwinder, struct unwind_process *process,
			     const struct unwind_images *images, const struct raw_sample *sample,
			     struct stack *stack)
{
	struct sample_view *view = &unwinder->view;
	int r;

	if (!sample_view_init(view, process, images, sample, unwinder->locations, stack))
		return 0;
	r = unwind_libdw_prepare(process, images);
	if (r < 0)
		return r;
	process->cache->view = view;
	r = -1;
	if (process->cache->is_attached)
		r = dwfl_getthread_frames(process->cache->dwfl, (pid_t)process->pid, take_frame,
					  unwinder);
	process->cache->view = NULL;
	if (r || !stack->n_frames ||
	    !is_outermost(process->cache->dwfl,
			  stack->ips[stack->n_frames - 1] - (stack->n_frames > 1)))
		sample_view_set_cut(view, false);
	return view->is_out_of_memory ? -ENOMEM : 0;
}

static int unwind_libdw_new(struct unwinder **ret_unwinder, struct location_table *locations,
			    struct error *err)
{
	(void)elf_version(EV_CURRENT);
	return unwinder_new(ret_unwinder, sizeof(struct unwinder), locations, err);
}

const struct unwind_backend unwind_backend_libdw = {
	.name = "libdw",
	.summary = "elfutils' libdwfl over the stack dump (slow; a second opinion)",
	.new = unwind_libdw_new,
	.walk = unwind_libdw_walk,
	.free = unwinder_free,
};
