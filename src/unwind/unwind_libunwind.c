/*
 * libunwind's generic unwinder over a sample, through its remote accessors.
 * A second opinion, not a fast one: 0.5 to 1.2 us a frame.
 *
 * An address space of libunwind's caches by ip, so each process has its own;
 * it is flushed when the process's generation changes.  Unwind information is
 * found in the module's .eh_frame_hdr, whose table libunwind searches itself,
 * reading the file's bytes through access_mem as if they were mapped.
 */
#include "unwind/unwinder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libunwind.h>

#include "unwind/sample_view.h"

/* Exported by libunwind and used by every remote client, but in no header of its own. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
					      unw_proc_info_t *, int, void *);

struct unwind_cache {
	unw_addr_space_t addresses;
	uint32_t generation;
};

struct unwinder {
	struct location_table *locations; /* borrowed; first, as unwinder_new wants it */
	struct sample_view view;
	bool has_unwind_info; /* for the ip that was looked up last */
};

/* DW_EH_PE encodings, LSB 5.0 core 10.5. */
enum {
	EH_FRAME_HDR_BYTES = 12,
	EH_PE_FORMAT_MASK = 0x0f,
	EH_PE_UDATA4 = 0x03,
	EH_PE_SDATA4 = 0x0b,
	EH_PE_DATAREL_SDATA4 = 0x3b,
};

/*
 * The binary search table, as every linker writes it: version 1, a 4-byte
 * pointer to .eh_frame, a 4-byte count, pairs of 4-byte offsets.
 */
static bool eh_frame_hdr_table(const struct elf_section *hdr, uint32_t *ret_n_entries)
{
	uint32_t n_entries;

	if (!hdr->bytes || hdr->size_bytes < EH_FRAME_HDR_BYTES || hdr->bytes[0] != 1)
		return false;
	if ((hdr->bytes[1] & EH_PE_FORMAT_MASK) != EH_PE_SDATA4 &&
	    (hdr->bytes[1] & EH_PE_FORMAT_MASK) != EH_PE_UDATA4)
		return false;
	if (hdr->bytes[2] != EH_PE_UDATA4 || hdr->bytes[3] != EH_PE_DATAREL_SDATA4)
		return false;
	memcpy(&n_entries, hdr->bytes + 8, sizeof(n_entries));
	if (n_entries > (hdr->size_bytes - EH_FRAME_HDR_BYTES) / 8)
		return false;
	*ret_n_entries = n_entries;
	return true;
}

static int find_proc_info(unw_addr_space_t addresses, unw_word_t ip, unw_proc_info_t *info,
			  int need_unwind_info, void *arg)
{
	struct unwinder *unwinder = arg;
	const struct mapping *mapping;
	const struct elf_image *image = sample_view_image(&unwinder->view, ip, &mapping);
	uint32_t n_entries;
	int r;

	unwinder->has_unwind_info = false;
	if (!image || !eh_frame_hdr_table(&image->eh_frame_hdr, &n_entries))
		return -UNW_ENOINFO;

	unw_dyn_info_t table = {
		.start_ip = mapping->start,
		.end_ip = mapping->end,
		.format = UNW_INFO_FORMAT_REMOTE_TABLE,
		.u.rti = {
			.segbase = image->eh_frame_hdr.vaddr + mapping->bias,
			.table_data = image->eh_frame_hdr.vaddr + mapping->bias +
				      EH_FRAME_HDR_BYTES,
			.table_len = (unw_word_t)n_entries * 8 / sizeof(unw_word_t),
		},
	};

	r = UNW_OBJ(dwarf_search_unwind_table)(addresses, ip, &table, info, need_unwind_info, arg);
	unwinder->has_unwind_info = r >= 0;
	return r;
}

/* With the global caching policy libunwind keeps what it parsed, and frees it itself. */
static void put_unwind_info(unw_addr_space_t addresses, unw_proc_info_t *info, void *arg)
{
	(void)addresses;
	(void)info;
	(void)arg;
}

static int get_dyn_info_list_addr(unw_addr_space_t addresses, unw_word_t *ret_address, void *arg)
{
	(void)addresses;
	(void)ret_address;
	(void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t addresses, unw_word_t address, unw_word_t *value,
		      int is_write, void *arg)
{
	struct unwinder *unwinder = arg;
	uint64_t found;

	(void)addresses;
	if (is_write || !sample_view_read(&unwinder->view, address, &found))
		return -UNW_EINVAL;
	*value = found;
	return 0;
}

/* libunwind numbers these registers as DWARF does, on both architectures. */
static int access_reg(unw_addr_space_t addresses, unw_regnum_t number, unw_word_t *value,
		      int is_write, void *arg)
{
	const struct unwinder *unwinder = arg;
	const int n_registers = ARCH_NATIVE == ARCH_X86_64 ? X86_64_N_REGISTERS
							   : AARCH64_N_REGISTERS;

	(void)addresses;
	if (is_write)
		return -UNW_EREADONLYREG;
	if (number < 0 || number >= n_registers)
		return -UNW_EBADREG;
	*value = unwinder->view.sample->registers.values[number];
	return 0;
}

static int access_fpreg(unw_addr_space_t addresses, unw_regnum_t number, unw_fpreg_t *value,
			int is_write, void *arg)
{
	(void)addresses;
	(void)number;
	(void)value;
	(void)is_write;
	(void)arg;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t addresses, unw_cursor_t *cursor, void *arg)
{
	(void)addresses;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t addresses, unw_word_t ip, char *name, size_t size,
			 unw_word_t *ret_offset, void *arg)
{
	(void)addresses;
	(void)ip;
	(void)name;
	(void)size;
	(void)ret_offset;
	(void)arg;
	return -UNW_ENOINFO;
}

static void unwind_libunwind_release_cache(struct unwind_cache *cache)
{
	if (cache->addresses)
		unw_destroy_addr_space(cache->addresses);
	free(cache);
}

static int unwind_libunwind_prepare(struct unwind_process *process)
{
	unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list_addr,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	struct unwind_cache *cache = process->cache;

	if (cache) {
		if (cache->generation != process->space.generation)
			unw_flush_cache(cache->addresses, 0, 0);
		cache->generation = process->space.generation;
		return 0;
	}
	cache = calloc(1, sizeof(*cache));
	if (!cache)
		return -ENOMEM;
	cache->addresses = unw_create_addr_space(&accessors, 0);
	if (!cache->addresses) {
		free(cache);
		return -ENOMEM;
	}
	(void)unw_set_caching_policy(cache->addresses, UNW_CACHE_GLOBAL);
	cache->generation = process->space.generation;
	process->cache = cache;
	process->release_cache = unwind_libunwind_release_cache;
	return 0;
}

/*
 * Step until the outermost frame.  unw_step says 0 there, but also where its
 * fallback to the frame pointer found nothing after a failed read or look-up.
 */
static void unwind_libunwind_frames(struct unwinder *unwinder, unw_addr_space_t addresses)
{
	struct sample_view *view = &unwinder->view;
	bool is_return_address = false;
	unw_cursor_t cursor;
	unw_word_t ip;
	int r = 0;

	if (unw_init_remote(&cursor, addresses, unwinder) < 0) {
		sample_view_set_cut(view, false);
		return;
	}
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || !ip)
			break;
		if (!sample_view_add_frame(view, ip, is_return_address))
			return;
		is_return_address = unw_is_signal_frame(&cursor) <= 0;
		unwinder->has_unwind_info = true; /* unless a look-up says otherwise */
		sample_view_begin_step(view);
		r = unw_step(&cursor);
	} while (r > 0);
	if (r < 0 || !unwinder->has_unwind_info || view->has_failed_read)
		sample_view_set_cut(view, unwinder->has_unwind_info);
}

static int unwind_libunwind_walk(struct unwinder *unwinder, struct unwind_process *process,
				 const struct unwind_images *images,
				 const struct raw_sample *sample, struct stack *stack)
{
	int r;

	if (!sample_view_init(&unwinder->view, process, images, sample, unwinder->locations, stack))
		return 0;
	r = unwind_libunwind_prepare(process);
	if (r < 0)
		return r;
	unwind_libunwind_frames(unwinder, process->cache->addresses);
	return unwinder->view.is_out_of_memory ? -ENOMEM : 0;
}

static int unwind_libunwind_new(struct unwinder **ret_unwinder, struct location_table *locations,
				struct error *err)
{
	return unwinder_new(ret_unwinder, sizeof(struct unwinder), locations, err);
}

const struct unwind_backend unwind_backend_libunwind = {
	.name = "libunwind",
	.summary = "libunwind over the stack dump (slow; a second opinion)",
	.new = unwind_libunwind_new,
	.walk = unwind_libunwind_walk,
	.free = unwinder_free,
};
