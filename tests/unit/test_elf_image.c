/* ELF headers: real files, made-up ones, and damaged ones. */
#include "unit.h"

#include <elf.h>
#include <errno.h>

#include "base/mapped_file.h"
#include "symbol/elf_image.h"

/* Two segments that share a file page, as lld lays them out, and a build-id note. */
struct small_elf {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdrs[3];
	Elf64_Nhdr note;
	char note_name[4];
	uint8_t build_id[20];
	uint8_t padding[0x3000];
};

enum { SHARED_PAGE_OFFSET = 0x1800 };

static struct small_elf *small_elf_new(void)
{
	struct small_elf *elf = calloc(1, sizeof(*elf));

	assert_non_null(elf);
	memcpy(elf->ehdr.e_ident, ELFMAG, SELFMAG);
	elf->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	elf->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->ehdr.e_type = ET_DYN;
	elf->ehdr.e_machine = EM_X86_64;
	elf->ehdr.e_phoff = offsetof(struct small_elf, phdrs);
	elf->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	elf->ehdr.e_phnum = 3;
	elf->phdrs[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				      .p_flags = PF_R,
				      .p_filesz = SHARED_PAGE_OFFSET,
				      .p_memsz = SHARED_PAGE_OFFSET };
	elf->phdrs[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				      .p_flags = PF_R | PF_X,
				      .p_offset = SHARED_PAGE_OFFSET,
				      .p_vaddr = SHARED_PAGE_OFFSET + 0x1000,
				      .p_filesz = 0x1000,
				      .p_memsz = 0x1000 };
	elf->phdrs[2] = (Elf64_Phdr){ .p_type = PT_NOTE,
				      .p_offset = offsetof(struct small_elf, note),
				      .p_filesz = sizeof(Elf64_Nhdr) + 4 + 20 };
	elf->note = (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID };
	memcpy(elf->note_name, "GNU", 4);
	for (size_t i = 0; i < sizeof(elf->build_id); i++)
		elf->build_id[i] = (uint8_t)(i + 1);
	return elf;
}

static int open_small(struct elf_image *image, const struct small_elf *elf)
{
	return elf_image_open_memory(image, elf, sizeof(*elf), "small", NULL);
}

static void elf_image_open__reads_this_program(void **state)
{
	struct elf_image image;
	struct error err = ERROR_INIT;
	bool has_code = false;

	(void)state;
	assert_int_equal(elf_image_open(&image, "/proc/self/exe", &err), 0);
	assert_non_null(image.eh_frame_hdr.bytes);
	assert_non_null(image.eh_frame.bytes);
	assert_non_null(elf_image_section(&image, ".text").bytes);
	assert_null(elf_image_section(&image, ".no-such-section").bytes);
	assert_null(elf_image_section(&image, ".bss").bytes);
	for (size_t i = 0; i < image.n_segments; i++)
		has_code |= image.segments[i].is_executable;
	assert_true(has_code);
	elf_image_release(&image);
}

static void elf_image_open__reads_the_build_id_note(void **state)
{
	struct small_elf *elf = small_elf_new();
	struct elf_image image;

	(void)state;
	assert_int_equal(open_small(&image, elf), 0);
	assert_int_equal(image.build_id_size, 20);
	assert_memory_equal(image.build_id, elf->build_id, 20);
	elf_image_release(&image);
	free(elf);
}

static void elf_image_open__refuses_what_is_not_for_us(void **state)
{
	struct small_elf *elf = small_elf_new();
	struct elf_image image;

	(void)state;
	elf->ehdr.e_machine = EM_PPC64;
	assert_int_equal(open_small(&image, elf), -ENOTSUP);
	elf->ehdr.e_machine = EM_X86_64;
	elf->ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(open_small(&image, elf), -ENOTSUP);
	elf->ehdr.e_ident[0] = 'X';
	assert_int_equal(open_small(&image, elf), -ENOEXEC);
	assert_int_equal(elf_image_open_memory(&image, "\177ELF", 4, "short", NULL), -ENOEXEC);
	assert_int_equal(elf_image_open(&image, "/nonexistent/file", NULL), -ENOENT);
	assert_int_equal(elf_image_open(&image, "/", NULL), -EISDIR);
	free(elf);
}

static void elf_image_load_bias__takes_the_executable_segment_of_a_shared_page(void **state)
{
	struct small_elf *elf = small_elf_new();
	struct elf_image image;
	uint64_t bias;

	(void)state;
	assert_int_equal(open_small(&image, elf), 0);
	assert_true(elf_image_load_bias(&image, 0x7f0000002000, 0x1000, &bias));
	assert_int_equal(bias, 0x7f0000000000);
	/* The second page of the mapping, split off by mprotect. */
	assert_true(elf_image_load_bias(&image, 0x7f0000003000, 0x2000, &bias));
	assert_int_equal(bias, 0x7f0000000000);
	elf_image_release(&image);
	free(elf);
}

static void elf_image_load_bias__falls_back_to_file_offsets(void **state)
{
	struct small_elf *elf = small_elf_new();
	struct elf_image image;
	uint64_t bias;

	(void)state;
	assert_int_equal(open_small(&image, elf), 0);
	assert_false(elf_image_load_bias(&image, 0x500000, 0x400000, &bias));
	assert_int_equal(bias, 0x100000);
	elf_image_release(&image);
	free(elf);
}

static void elf_image_at_vaddr__stays_inside_one_segment(void **state)
{
	struct small_elf *elf = small_elf_new();
	struct elf_image image;

	(void)state;
	assert_int_equal(open_small(&image, elf), 0);
	assert_ptr_equal(elf_image_at_vaddr(&image, 0x2810, 8),
			 image.file.bytes + SHARED_PAGE_OFFSET + 0x10);
	assert_non_null(elf_image_at_vaddr(&image, 0x37f8, 8));
	assert_null(elf_image_at_vaddr(&image, 0x37f9, 8));
	assert_null(elf_image_at_vaddr(&image, UINT64_MAX, 8));
	elf_image_release(&image);
	free(elf);
}

/* Opens the first `size` bytes and asks everything; only crashes and sanitizers fail. */
static void exercise(const void *bytes, size_t size)
{
	struct elf_image image;
	uint64_t bias;

	if (elf_image_open_memory(&image, bytes, size, "damaged", NULL) < 0)
		return;
	(void)elf_image_load_bias(&image, 0x1000, 0x1000, &bias);
	(void)elf_image_section(&image, ".text");
	for (size_t i = 0; i < image.n_segments; i++) {
		const uint8_t *at = elf_image_at_vaddr(&image, image.segments[i].vaddr, 1);

		if (at)
			assert_in_range((uintptr_t)at, (uintptr_t)image.file.bytes,
					(uintptr_t)image.file.bytes + size - 1);
	}
	elf_image_release(&image);
}

static void elf_image_open__survives_every_cut(void **state)
{
	struct small_elf *elf = small_elf_new();

	(void)state;
	for (size_t size = 0; size < 1024; size++)
		exercise(elf, size);
	free(elf);
}

static void elf_image_open__survives_every_damaged_header_byte(void **state)
{
	const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct mapped_file self = MAPPED_FILE_INIT;
	uint8_t *copy;

	(void)state;
	assert_int_equal(mapped_file_open(&self, "/proc/self/exe", NULL), 0);
	copy = malloc(self.size_bytes);
	assert_non_null(copy);
	memcpy(copy, self.bytes, self.size_bytes);
	for (size_t at = 16; at < 64 + 8 * sizeof(Elf64_Phdr); at++) {
		const size_t v = at % N_ITEMS(values);

		copy[at] = values[v];
		exercise(copy, at < 200 ? self.size_bytes : 4096);
		copy[at] = self.bytes[at];
	}
	free(copy);
	mapped_file_release(&self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elf_image_open__reads_this_program),
		cmocka_unit_test(elf_image_open__reads_the_build_id_note),
		cmocka_unit_test(elf_image_open__refuses_what_is_not_for_us),
		cmocka_unit_test(
			elf_image_load_bias__takes_the_executable_segment_of_a_shared_page),
		cmocka_unit_test(elf_image_load_bias__falls_back_to_file_offsets),
		cmocka_unit_test(elf_image_at_vaddr__stays_inside_one_segment),
		cmocka_unit_test(elf_image_open__survives_every_cut),
		cmocka_unit_test(elf_image_open__survives_every_damaged_header_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
