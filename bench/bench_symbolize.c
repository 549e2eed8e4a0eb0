/*
 * bench_symbolize PROGRAM N [ADDRESSES]: time to name N addresses spread over
 * the functions of a program.  Writes the addresses, one "0x…" a line, to the
 * file ADDRESSES so that other tools can be timed on the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "symbol/symbol_table.h"
#include "symbol/symbolizer.h"

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* N addresses, evenly spread over the bytes of all functions. */
static int add_addresses(struct profile *profile, const struct elf_image *image, uint32_t module,
			 uint64_t n_wanted, FILE *out)
{
	struct symbol_table table;
	uint64_t n_bytes = 0;
	uint64_t position = 0;
	uint64_t n = 0;
	uint32_t id;
	int r = symbol_table_load(&table, image, NULL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < table.n_symbols; i++)
		n_bytes += table.symbols[i].end - table.symbols[i].vaddr;
	for (size_t i = 0; i < table.n_symbols && r == 0; i++) {
		const struct symbol *s = &table.symbols[i];

		for (; n < n_wanted && r == 0; n++) {
			const uint64_t at =
				(uint64_t)((double)n_bytes * (double)n / (double)n_wanted);

			if (at >= position + (s->end - s->vaddr))
				break;
			r = location_table_add(&profile->locations, &id, module,
					       s->vaddr + (at - position));
			if (out)
				(void)fprintf(out, "0x%" PRIx64 "\n", s->vaddr + (at - position));
		}
		position += s->end - s->vaddr;
	}
	symbol_table_release(&table);
	return r;
}

static void print_result(const struct profile *profile, double elapsed_s)
{
	struct rusage usage;
	size_t n_unresolved = 0;

	for (size_t i = 0; i < profile->n_frames; i++)
		n_unresolved += (profile->frames[i].flags & FRAME_UNRESOLVED) != 0;
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("tsprof: %zu addresses, %.2f frames each, %zu unresolved: %.2f s, %ld MB\n",
		     profile->locations.n_locations,
		     (double)profile->n_frames / (double)(profile->locations.n_locations + 1),
		     n_unresolved, elapsed_s, usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	struct module module = { .kind = MODULE_KIND_FILE };
	struct elf_image *images[2] = { NULL, NULL };
	struct error err = ERROR_INIT;
	struct elf_image image;
	struct profile profile;
	FILE *out = NULL;
	double start_s;
	uint32_t id;

	if (argc < 3 || elf_image_open(&image, argv[1], &err) < 0) {
		(void)fprintf(stderr, "bench_symbolize: %s\n",
			      argc < 3 ? "usage: bench_symbolize PROGRAM N [ADDRESSES]"
				       : err.message);
		return 2;
	}
	if (argc > 3)
		out = fopen(argv[3], "w");
	if (profile_init(&profile) < 0 ||
	    interner_add(&profile.strings, &module.path, argv[1]) < 0 ||
	    profile_add_module(&profile, &id, &module) < 0 ||
	    add_addresses(&profile, &image, id, strtoull(argv[2], NULL, 10), out) < 0)
		return 1;
	if (out)
		(void)fclose(out);
	images[1] = &image;
	start_s = now_s();
	if (symbolizer_run(&profile, images, NULL, &err) < 0)
		return 1;
	print_result(&profile, now_s() - start_s);
	profile_release(&profile);
	elf_image_release(&image);
	return 0;
}
