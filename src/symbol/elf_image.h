#ifndef TSPROF_SYMBOL_ELF_IMAGE_H
#define TSPROF_SYMBOL_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mapped_file.h"

/*
 * One ELF file, opened for unwinding and naming.  Everything in it is taken as
 * hostile: offsets are checked once here, so that the ranges handed out lie
 * inside the file.
 *
 * Thread safety: an image is read-only after opening and may be shared, except
 * for what says otherwise.
 */
struct elf_segment {
	uint64_t vaddr;
	uint64_t file_offset;
	uint64_t file_size;
	uint64_t memory_size;
	bool is_executable;
};

/* A section's bytes as they are in the file, and where they would be mapped. */
struct elf_section {
	const uint8_t *bytes; /* NULL when the file has no such section */
	size_t size_bytes;
	uint64_t vaddr;
	bool is_compressed; /* SHF_COMPRESSED: bytes are the compressed ones */
};

struct elf_image {
	struct mapped_file file;
	char *path;		      /* where it was opened, for messages */
	uint16_t machine;	      /* EM_X86_64 or EM_AARCH64; anything else is refused */
	uint16_t type;		      /* ET_EXEC, ET_DYN */
	uint64_t entry_vaddr;	      /* where a program starts; 0 in most shared objects */
	uint64_t fini_vaddr;	      /* of .fini, which lies behind all functions; 0: none */
	struct elf_segment *segments; /* PT_LOAD only, in file order */
	size_t n_segments;
	uint8_t build_id[20];
	uint8_t build_id_size;		 /* 0 when there is none */
	struct elf_section eh_frame_hdr; /* by PT_GNU_EH_FRAME, else by name */
	struct elf_section eh_frame;	 /* by section name, else through the hdr */
	struct elf_section debug_frame;	 /* decompressed when it has to be */
	void *owned_debug_frame;
};

int elf_image_open(struct elf_image *image, const char *path, struct error *err);

/* The same for an open descriptor (which stays the caller's) or bytes in memory
 * (copied), as the vDSO's are. */
int elf_image_open_fd(struct elf_image *image, int fd, const char *name, struct error *err);
int elf_image_open_memory(struct elf_image *image, const void *bytes, size_t size_bytes,
			  const char *name, struct error *err);

void elf_image_release(struct elf_image *image);

/*
 * ip - vaddr for a mapping of [start, …) at file_offset: the executable segment
 * whose page-rounded range holds the offset decides, since two segments may
 * share a file page.  Returns false when no segment fits; then `ret_bias` makes
 * vaddr the file offset.
 */
bool elf_image_load_bias(const struct elf_image *image, uint64_t start, uint64_t file_offset,
			 uint64_t *ret_bias);

/* The file's bytes at a vaddr, borrowed; NULL when fewer than `size` are in one segment. */
const uint8_t *elf_image_at_vaddr(const struct elf_image *image, uint64_t vaddr, size_t size);

/* A section by name, from the section headers; bytes NULL when there is none. */
struct elf_section elf_image_section(const struct elf_image *image, const char *name);

#endif
