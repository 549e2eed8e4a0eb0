/*
 * Opening an ELF file.  The headers are parsed here rather than by libelf: it
 * is what runs for every file of the target while sampling, it must be cheap,
 * and it must not trust a byte.  libelf only inflates a compressed .debug_frame.
 */
#include "symbol/elf_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "symbol/elf_sections.h"

/* Program headers that we look at; the kernel itself refuses more than 64 KiB of them. */
enum { ELF_MAX_SEGMENTS = 1170 };

/* A .debug_frame that says it is larger is not inflated. */
#define ELF_DEBUG_FRAME_MAX_BYTES ((uint64_t)1 << 30)

/* DW_EH_PE_*, LSB 10.5.1. */
enum {
	POINTER_ABSOLUTE = 0x00,
	POINTER_UDATA4 = 0x03,
	POINTER_UDATA8 = 0x04,
	POINTER_SDATA4 = 0x0b,
	POINTER_SDATA8 = 0x0c,
	POINTER_PC_RELATIVE = 0x10,
	POINTER_DATA_RELATIVE = 0x30,
};

static uint64_t page_mask(void)
{
	const long page_bytes = sysconf(_SC_PAGESIZE);

	return (page_bytes > 0 ? (uint64_t)page_bytes : 4096) - 1;
}

static int image_parse_file_header(struct elf_image *image, Elf64_Ehdr *ret_header,
				   struct error *err)
{
	const char *const path = image->path;
	Elf64_Ehdr header;

	if (image->file.size_bytes < sizeof(header))
		return error_set(err, -ENOEXEC, "%s: too short for an ELF file", path);
	memcpy(&header, image->file.bytes, sizeof(header));
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return error_set(err, -ENOEXEC, "%s: not an ELF file", path);
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_set(err, -ENOTSUP, "%s: not a 64-bit little-endian ELF file", path);
	if (header.e_machine != EM_X86_64 && header.e_machine != EM_AARCH64)
		return error_set(err, -ENOTSUP, "%s: machine %u is neither x86-64 nor aarch64",
				 path, header.e_machine);
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return error_set(err, -ENOTSUP, "%s: neither a program nor a shared object", path);
	image->machine = header.e_machine;
	image->type = header.e_type;
	image->entry_vaddr = header.e_entry;
	*ret_header = header;
	return 0;
}

/* Bytes [offset, offset + size) of the file, cut at its end; an empty range has size 0. */
static struct bytes image_range(const struct elf_image *image, uint64_t offset, uint64_t size)
{
	const size_t file_bytes = image->file.size_bytes;

	if (offset >= file_bytes)
		return bytes_of(image->file.bytes, 0);
	if (size > file_bytes - offset)
		size = file_bytes - offset;
	return bytes_of(image->file.bytes + offset, (size_t)size);
}

/* The NT_GNU_BUILD_ID among notes that are padded to `align`. */
static bool image_take_build_id(struct elf_image *image, struct bytes notes, uint64_t align)
{
	const uint64_t mask = align == 8 ? 7 : 3;

	while (bytes_left(&notes) > 0) {
		const uint32_t name_size = bytes_u32(&notes);
		const uint32_t text_size = bytes_u32(&notes);
		const uint32_t type = bytes_u32(&notes);
		const uint8_t *name = bytes_take(&notes, ((uint64_t)name_size + 3) & ~UINT64_C(3));
		const uint8_t *text = bytes_take(&notes, text_size);
		const uint64_t padding = (mask + 1 - (text_size & mask)) & mask;

		if (notes.is_bad)
			return false;
		if (type == NT_GNU_BUILD_ID && name_size == 4 && memcmp(name, "GNU", 4) == 0 &&
		    text_size > 0) {
			image->build_id_size = text_size < sizeof(image->build_id)
						       ? (uint8_t)text_size
						       : (uint8_t)sizeof(image->build_id);
			memcpy(image->build_id, text, image->build_id_size);
			return true;
		}
		(void)bytes_take(&notes,
				 padding < bytes_left(&notes) ? padding : bytes_left(&notes));
	}
	return false;
}

static int image_parse_segments(struct elf_image *image, const Elf64_Ehdr *header,
				struct error *err)
{
	struct bytes b = image_range(image, header->e_phoff,
				     (uint64_t)header->e_phnum * sizeof(Elf64_Phdr));

	if (header->e_phnum == 0)
		return 0;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > ELF_MAX_SEGMENTS)
		return error_set(err, -ENOEXEC, "%s: program headers are not valid", image->path);
	image->segments = calloc(header->e_phnum, sizeof(*image->segments));
	if (!image->segments)
		return error_set_no_memory(err);
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		const uint8_t *from = bytes_take(&b, sizeof(Elf64_Phdr));
		struct bytes contents;
		Elf64_Phdr p;

		if (!from)
			return error_set(err, -ENOEXEC, "%s: program headers are cut", image->path);
		memcpy(&p, from, sizeof(p));
		contents = image_range(image, p.p_offset, p.p_filesz);
		if (p.p_type == PT_LOAD)
			image->segments[image->n_segments++] = (struct elf_segment){
				.vaddr = p.p_vaddr,
				.file_offset = p.p_offset,
				.file_size = bytes_left(&contents),
				.memory_size = p.p_memsz,
				.is_executable = (p.p_flags & PF_X) != 0,
			};
		else if (p.p_type == PT_NOTE && image->build_id_size == 0)
			(void)image_take_build_id(image, contents, p.p_align);
		else if (p.p_type == PT_GNU_EH_FRAME && bytes_left(&contents) > 0)
			image->eh_frame_hdr = (struct elf_section){
				.bytes = contents.at,
				.size_bytes = bytes_left(&contents),
				.vaddr = p.p_vaddr,
			};
	}
	return 0;
}

/* The eh_frame_ptr of .eh_frame_hdr (LSB 10.6.2); false for an encoding that no linker writes. */
static bool eh_frame_hdr_target(const struct elf_section *hdr, uint64_t *ret_vaddr)
{
	struct bytes b = bytes_of(hdr->bytes, hdr->size_bytes);
	const uint8_t version = bytes_u8(&b);
	const uint8_t encoding = bytes_u8(&b);
	uint64_t value;

	(void)bytes_u16(&b); /* the encodings of the table */
	switch (encoding & 0x0f) {
	case POINTER_UDATA4:
		value = bytes_u32(&b);
		break;
	case POINTER_SDATA4:
		value = (uint64_t)(int64_t)(int32_t)bytes_u32(&b);
		break;
	case POINTER_ABSOLUTE:
	case POINTER_UDATA8:
	case POINTER_SDATA8:
		value = bytes_u64(&b);
		break;
	default:
		return false;
	}
	if (version != 1 || b.is_bad)
		return false;
	if ((encoding & 0x70) == POINTER_PC_RELATIVE)
		value += hdr->vaddr + 4;
	else if ((encoding & 0x70) == POINTER_DATA_RELATIVE)
		value += hdr->vaddr;
	*ret_vaddr = value;
	return true;
}

/* Without section headers .eh_frame reaches, at most, to the end of its segment. */
static void image_find_eh_frame_through_hdr(struct elf_image *image)
{
	uint64_t vaddr;

	if (!image->eh_frame_hdr.bytes || !eh_frame_hdr_target(&image->eh_frame_hdr, &vaddr))
		return;
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *s = &image->segments[i];
		const uint64_t at = vaddr - s->vaddr;

		if (vaddr < s->vaddr || at >= s->file_size)
			continue;
		image->eh_frame = (struct elf_section){
			.bytes = image->file.bytes + s->file_offset + at,
			.size_bytes = (size_t)(s->file_size - at),
			.vaddr = vaddr,
		};
		return;
	}
}

/*
 * libelf inflates in place, changing section headers, and so cannot be let near
 * the mapped file: it gets a file of this one section.
 */
struct lone_section {
	Elf64_Ehdr ehdr;
	Elf64_Shdr sections[2];
	uint8_t bytes[];
};

static struct lone_section *lone_section_new(const struct elf_section *section)
{
	struct lone_section *lone = calloc(1, sizeof(*lone) + section->size_bytes);

	if (!lone)
		return NULL;
	memcpy(lone->ehdr.e_ident, ELFMAG, SELFMAG);
	lone->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	lone->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	lone->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	lone->ehdr.e_type = ET_DYN;
	lone->ehdr.e_version = EV_CURRENT;
	lone->ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	lone->ehdr.e_shoff = offsetof(struct lone_section, sections);
	lone->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	lone->ehdr.e_shnum = 2;
	lone->sections[1].sh_type = SHT_PROGBITS;
	lone->sections[1].sh_flags = SHF_COMPRESSED;
	lone->sections[1].sh_offset = offsetof(struct lone_section, bytes);
	lone->sections[1].sh_size = section->size_bytes;
	lone->sections[1].sh_addralign = 8;
	memcpy(lone->bytes, section->bytes, section->size_bytes);
	return lone;
}

/* Replace the compressed .debug_frame by its inflated copy; a broken one is as if missing. */
static int image_inflate_debug_frame(struct elf_image *image)
{
	const struct elf_section packed = image->debug_frame;
	struct bytes b = bytes_of(packed.bytes, packed.size_bytes);
	struct lone_section *lone = NULL;
	Elf64_Chdr compression = { 0 };
	Elf_Data *data = NULL;
	Elf_Scn *scn;
	Elf *elf = NULL;
	int r = 0;

	image->debug_frame = (struct elf_section){ .vaddr = packed.vaddr };
	if (bytes_left(&b) < sizeof(compression))
		return 0;
	memcpy(&compression, b.at, sizeof(compression));
	if (compression.ch_size > ELF_DEBUG_FRAME_MAX_BYTES)
		return 0;
	lone = lone_section_new(&packed);
	if (!lone)
		return -ENOMEM;
	(void)elf_version(EV_CURRENT);
	elf = elf_memory((char *)lone, sizeof(*lone) + packed.size_bytes);
	scn = elf ? elf_getscn(elf, 1) : NULL;
	if (scn && elf_compress(scn, 0, 0) >= 0)
		data = elf_getdata(scn, NULL);
	if (data && data->d_buf && data->d_size > 0) {
		image->owned_debug_frame = malloc(data->d_size);
		if (image->owned_debug_frame) {
			memcpy(image->owned_debug_frame, data->d_buf, data->d_size);
			image->debug_frame.bytes = image->owned_debug_frame;
			image->debug_frame.size_bytes = data->d_size;
		} else {
			r = -ENOMEM;
		}
	}
	if (elf)
		(void)elf_end(elf);
	free(lone);
	return r;
}

static int image_parse_sections(struct elf_image *image, struct error *err)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);

	for (size_t i = 1; i < sections.n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);
		const struct elf_section section = elf_sections_contents(&sections, &header);
		const char *name = elf_sections_name(&sections, &header);

		/*
		 * The program headers of a separate debug file still describe the
		 * file it was split from; its SHT_NOBITS sections tell the truth.
		 */
		if (strcmp(name, ".eh_frame_hdr") == 0) {
			image->eh_frame_hdr = section;
		} else if (strcmp(name, ".eh_frame") == 0) {
			image->eh_frame = section;
		} else if (strcmp(name, ".fini") == 0) {
			image->fini_vaddr = section.vaddr;
		} else if (strcmp(name, ".debug_frame") == 0) {
			image->debug_frame = section;
		} else if (header.sh_type == SHT_NOTE && section.bytes) {
			(void)image_take_build_id(image,
						  bytes_of(section.bytes, section.size_bytes),
						  header.sh_addralign);
		}
	}
	if (image->debug_frame.bytes && image->debug_frame.is_compressed &&
	    image_inflate_debug_frame(image) < 0)
		return error_set_no_memory(err);
	if (!image->eh_frame.bytes)
		image_find_eh_frame_through_hdr(image);
	return 0;
}

/* Everything after image->file; takes the file, which is released on failure. */
static int image_parse(struct elf_image *image, const char *name, struct error *err)
{
	Elf64_Ehdr header = { 0 };
	int r;

	image->path = strdup(name);
	if (!image->path)
		r = error_set_no_memory(err);
	else
		r = image_parse_file_header(image, &header, err);
	if (r == 0)
		r = image_parse_segments(image, &header, err);
	if (r == 0)
		r = image_parse_sections(image, err);
	if (r < 0)
		elf_image_release(image);
	return r;
}

/* A pipe of that name must not make us wait for its writer. */
int elf_image_open(struct elf_image *image, const char *path, struct error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int r;

	*image = (struct elf_image){ 0 };
	if (fd < 0)
		return error_set_errno(err, -errno, "%s: cannot open", path);
	if (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
		r = elf_image_open_fd(image, fd, path, err);
	else
		r = error_set(err, -ENOEXEC, "%s: not a regular file", path);
	(void)close(fd);
	return r;
}

int elf_image_open_fd(struct elf_image *image, int fd, const char *name, struct error *err)
{
	int r;

	*image = (struct elf_image){ 0 };
	r = mapped_file_open_fd(&image->file, fd, name, err);
	return r < 0 ? r : image_parse(image, name, err);
}

int elf_image_open_memory(struct elf_image *image, const void *bytes, size_t size_bytes,
			  const char *name, struct error *err)
{
	void *copy = malloc(size_bytes ? size_bytes : 1);

	*image = (struct elf_image){ 0 };
	if (!copy)
		return error_set_no_memory(err);
	if (size_bytes > 0)
		memcpy(copy, bytes, size_bytes);
	image->file.to_free = copy;
	image->file.bytes = copy;
	image->file.size_bytes = size_bytes;
	return image_parse(image, name, err);
}

void elf_image_release(struct elf_image *image)
{
	if (!image)
		return;
	mapped_file_release(&image->file);
	free(image->path);
	free(image->segments);
	free(image->owned_debug_frame);
	*image = (struct elf_image){ 0 };
}

bool elf_image_load_bias(const struct elf_image *image, uint64_t start, uint64_t file_offset,
			 uint64_t *ret_bias)
{
	const uint64_t mask = page_mask();
	const struct elf_segment *found = NULL;

	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *s = &image->segments[i];
		const uint64_t first = s->file_offset & ~mask;
		const uint64_t end = (s->file_offset + s->file_size + mask) & ~mask;

		if (!s->is_executable || s->file_size == 0 || file_offset < first ||
		    file_offset >= end)
			continue;
		/* The segment that begins on this page is the one that was mapped here. */
		if (!found || first == file_offset)
			found = s;
	}
	*ret_bias = start - file_offset;
	if (!found)
		return false;
	*ret_bias = start - (found->vaddr - found->file_offset + file_offset);
	return true;
}

const uint8_t *elf_image_at_vaddr(const struct elf_image *image, uint64_t vaddr, size_t size)
{
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->file_size &&
		    size <= s->file_size - (vaddr - s->vaddr))
			return image->file.bytes + s->file_offset + (vaddr - s->vaddr);
	}
	return NULL;
}

struct elf_section elf_image_section(const struct elf_image *image, const char *name)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);
	const size_t index = elf_sections_find(&sections, name);
	Elf64_Shdr header;

	if (index >= sections.n_sections)
		return (struct elf_section){ 0 };
	header = elf_sections_header(&sections, index);
	return elf_sections_contents(&sections, &header);
}
