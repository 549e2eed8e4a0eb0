/*
 * The ELF-facing code on any bytes: headers, symbol tables, PLT, DWARF.  Built
 * for libFuzzer as it is; with -DFUZZ_REPLAY it runs the files given, each also
 * cut and damaged in a fixed way.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapped_file.h"
#include "symbol/dwarf_frames.h"
#include "symbol/elf_image.h"
#include "symbol/function_starts.h"
#include "symbol/symbol_table.h"

enum { FUZZ_VADDRS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_dwarf(const struct elf_image *image, uint64_t first_vaddr)
{
	struct dwarf_frames frames;
	uint64_t vaddrs[FUZZ_VADDRS];

	for (size_t i = 0; i < FUZZ_VADDRS; i++)
		vaddrs[i] = first_vaddr + i * 4;
	if (dwarf_frames_find(&frames, image, "/nonexistent", vaddrs, FUZZ_VADDRS) == 0)
		dwarf_frames_release(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symbol_table table;
	struct elf_image image;
	uint64_t bias;

	if (elf_image_open_memory(&image, data, size, "fuzz", NULL) < 0)
		return 0;
	(void)elf_image_load_bias(&image, 0x10000, 0x1000, &bias);
	if (symbol_table_load(&table, &image, NULL) == 0) {
		(void)symbol_table_find(&table, 0x401000);
		symbol_table_release(&table);
	}
	(void)function_starts_find(&image, 0x401000, &bias);
	for (size_t i = 0; i < image.n_segments; i++)
		if (image.segments[i].is_executable)
			fuzz_dwarf(&image, image.segments[i].vaddr);
	elf_image_release(&image);
	return 0;
}

#ifdef FUZZ_REPLAY
/* Numbers that are the same on each run (Numerical Recipes' LCG). */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static int replay(const char *path)
{
	struct mapped_file file;
	uint32_t state = 1;
	uint8_t *copy;

	if (mapped_file_open(&file, path, NULL) < 0)
		return 1;
	(void)LLVMFuzzerTestOneInput(file.bytes, file.size_bytes);
	copy = malloc(file.size_bytes + 1);
	for (int round = 0; copy && round < 300 && file.size_bytes > 0; round++) {
		memcpy(copy, file.bytes, file.size_bytes);
		for (int n = 0; n < 1 + round % 8; n++)
			copy[next_number(&state) % file.size_bytes] = (uint8_t)next_number(&state);
		(void)LLVMFuzzerTestOneInput(copy, round % 4
							   ? file.size_bytes
							   : next_number(&state) % file.size_bytes);
	}
	free(copy);
	mapped_file_release(&file);
	return 0;
}

int main(int argc, char **argv)
{
	int failures = 0;

	for (int i = 1; i < argc; i++)
		failures += replay(argv[i]);
	return failures > 0;
}
#endif
