#ifndef TSPROF_SYMBOL_DWARF_BATCH_H
#define TSPROF_SYMBOL_DWARF_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/dwarf_frames.h"

/* dwarf_frames_find in threads: each takes a run of neighbouring addresses. */
enum { DWARF_BATCH_MAX_THREADS = 4 };

struct dwarf_batch {
	struct dwarf_batch_part {
		struct dwarf_frames frames;
		const struct elf_image *image;
		const char *debug_root;
		const uint64_t *vaddrs;
		size_t first;
		size_t n_vaddrs;
		uint32_t *ids; /* of frames.strings in the caller's interner; 0 until asked */
		int result;
	} parts[DWARF_BATCH_MAX_THREADS];
	size_t n_parts;
};

/* The answer for one address, in the words of one part. */
struct dwarf_batch_chain {
	const struct frame *frames; /* borrowed from the batch */
	uint32_t n_frames;
	bool has_linkage_name;
	size_t part;
};

/* As dwarf_frames_find; the parameters need to live only as long as the call. */
int dwarf_batch_find(struct dwarf_batch *batch, const struct elf_image *image,
		     const char *debug_root, const uint64_t *vaddrs, size_t n_vaddrs);
void dwarf_batch_release(struct dwarf_batch *batch);

/* The chain of the address at `index` as asked; empty when nothing was asked. */
struct dwarf_batch_chain dwarf_batch_chain_of(const struct dwarf_batch *batch, size_t index);

/* Replace the ids in `frame`, a copy of one of the chain's, by those of `strings`. */
int dwarf_batch_translate(struct dwarf_batch *batch, const struct dwarf_batch_chain *chain,
			  struct interner *strings, struct frame *frame);

#endif
