#ifndef TSPROF_TESTS_CODE_FIXTURE_H
#define TSPROF_TESTS_CODE_FIXTURE_H

/* A few instructions as an image of their own. */
#include "unit.h"

#include "model/registers.h"
#include "symbol/elf_image.h"

enum { CODE_VADDR = 0x1000 };

struct code {
	const char *name;
	enum arch arch;
	const char *bytes;
	size_t n_bytes;
};

#define CODE(name, arch, bytes)                                                                    \
	{                                                                                          \
		name, arch, bytes, sizeof(bytes) - 1                                               \
	}

/* The bytes are a copy that ends where they do; not to be moved, to be freed. */
struct code_image {
	struct elf_segment segment;
	struct elf_image image;
	uint8_t *bytes;
};

static inline void code_image_init(struct code_image *made, const struct code *code)
{
	made->bytes = malloc(code->n_bytes);
	assert_non_null(made->bytes);
	memcpy(made->bytes, code->bytes, code->n_bytes);
	made->segment = (struct elf_segment){ .vaddr = CODE_VADDR, .file_size = code->n_bytes };
	made->image = (struct elf_image){
		.file = { .bytes = made->bytes, .size_bytes = code->n_bytes },
		.segments = &made->segment,
		.n_segments = 1,
	};
}

#endif
