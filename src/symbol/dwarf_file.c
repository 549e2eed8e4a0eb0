/* Opening DWARF, and the file that .gnu_debugaltlink names. */
#include "symbol/dwarf_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/buffer.h"
#include "symbol/debug_files.h"
#include "symbol/elf_sections.h"

/* Open `path` as the alternate file if its build-id is the one asked for. */
static bool open_alt(struct dwarf_file *file, const struct buffer *path, const void *build_id,
		     size_t build_id_size)
{
	const void *found = NULL;
	ssize_t found_size;

	if (path->is_failed)
		return false;
	file->alt_fd = open(path->data, O_RDONLY | O_CLOEXEC);
	if (file->alt_fd < 0)
		return false;
	file->alt = dwarf_begin(file->alt_fd, DWARF_C_READ);
	if (file->alt) {
		found_size = dwelf_elf_gnu_build_id(dwarf_getelf(file->alt), &found);
		if (found_size > 0 && (size_t)found_size == build_id_size &&
		    memcmp(found, build_id, build_id_size) == 0)
			return true;
		(void)dwarf_end(file->alt);
		file->alt = NULL;
	}
	(void)close(file->alt_fd);
	file->alt_fd = -1;
	return false;
}

static void find_alt(struct dwarf_file *file, const struct elf_image *image, const char *root)
{
	const char *slash = strrchr(image->path, '/');
	const size_t prefix_bytes = debug_files_root_prefix(image->path);
	struct buffer path = BUFFER_INIT;
	const void *build_id = NULL;
	const char *name = NULL;
	const ssize_t size = dwelf_dwarf_gnu_debugaltlink(file->dwarf, &name, &build_id);

	if (size < 2)
		return;
	if (name[0] == '/')
		buffer_add(&path, image->path, prefix_bytes);
	else if (slash)
		buffer_add(&path, image->path, (size_t)(slash - image->path) + 1);
	buffer_add_string(&path, name);
	if (!open_alt(file, &path, build_id, (size_t)size)) {
		buffer_clear(&path);
		debug_files_build_id_path(&path, root, build_id, (size_t)size);
		(void)open_alt(file, &path, build_id, (size_t)size);
	}
	if (file->alt)
		dwarf_setalt(file->dwarf, file->alt);
	buffer_release(&path);
}

static bool has_compressed_sections(const struct elf_image *image)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);

	for (size_t i = 1; i < sections.n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);

		/* Old tools say so in the name, ".zdebug_info". */
		if ((header.sh_flags & SHF_COMPRESSED) ||
		    strncmp(elf_sections_name(&sections, &header), ".zdebug", 7) == 0)
			return true;
	}
	return false;
}

void dwarf_file_open(struct dwarf_file *file, const struct elf_image *image, const char *debug_root)
{
	char *memory = image->file.to_unmap ? image->file.to_unmap : image->file.to_free;

	*file = (struct dwarf_file){ .alt_fd = -1 };
	(void)elf_version(EV_CURRENT);
	if (has_compressed_sections(image)) {
		/* libelf inflates in place, section headers too; the image must not change. */
		file->copy = malloc(image->file.size_bytes);
		if (!file->copy)
			return;
		memory = memcpy(file->copy, image->file.bytes, image->file.size_bytes);
	}
	file->elf = elf_memory(memory, image->file.size_bytes);
	if (!file->elf)
		return;
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (file->dwarf)
		find_alt(file, image, debug_root ? debug_root : DEBUG_FILES_DEFAULT_ROOT);
}

/* "debug_line" of ".debug_line" and of ".zdebug_line". */
static bool is_section_name(const char *found, const char *name)
{
	return found && (strcmp(found, name) == 0 ||
			 (strncmp(found, ".z", 2) == 0 && strcmp(found + 2, name + 1) == 0));
}

struct elf_section dwarf_file_section(const struct dwarf_file *file, const char *name)
{
	struct elf_section section = { 0 };
	Elf_Scn *at = NULL;
	size_t names;

	if (!file->elf || elf_getshdrstrndx(file->elf, &names) < 0)
		return section;
	while (!section.bytes && (at = elf_nextscn(file->elf, at))) {
		const Elf64_Shdr *header = elf64_getshdr(at);
		const Elf_Data *data;

		if (!header || header->sh_type == SHT_NOBITS ||
		    !is_section_name(elf_strptr(file->elf, names, header->sh_name), name))
			continue;
		/* libdw has inflated it when it opened the file. */
		data = elf_getdata(at, NULL);
		if (data && data->d_buf && !(header->sh_flags & SHF_COMPRESSED))
			section = (struct elf_section){ .bytes = data->d_buf,
							.size_bytes = data->d_size,
							.vaddr = header->sh_addr };
	}
	return section;
}

void dwarf_file_close(struct dwarf_file *file)
{
	if (file->dwarf)
		(void)dwarf_end(file->dwarf);
	if (file->alt)
		(void)dwarf_end(file->alt);
	if (file->alt_fd >= 0)
		(void)close(file->alt_fd);
	if (file->elf)
		(void)elf_end(file->elf);
	free(file->copy);
	*file = (struct dwarf_file){ .alt_fd = -1 };
}
