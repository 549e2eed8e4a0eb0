#ifndef TSPROF_MODEL_ADDRESS_SPACE_H
#define TSPROF_MODEL_ADDRESS_SPACE_H

#include <stddef.h>
#include <stdint.h>

/*
 * One executable range of a process: ip - bias is the vaddr in the module's
 * ELF file.  The bias belongs to the mapping because segments may be mapped
 * apart from each other.
 */
struct mapping {
	uint64_t start; /* first ip */
	uint64_t end;	/* one past the last */
	uint64_t file_offset;
	uint64_t bias;
	uint32_t module; /* id in the profile's module table */
};

/*
 * The executable mappings of one process, sorted and disjoint.  `generation`
 * changes whenever an ip that had a meaning may have got another one (an
 * overlap, a reset), so that whatever is cached by ip can be thrown away.
 */
struct address_space {
	struct mapping *mappings;
	size_t n_mappings;
	size_t capacity;
	uint32_t generation;
};

void address_space_release(struct address_space *space);

/* Forget all mappings, as exec does. */
void address_space_reset(struct address_space *space);

/*
 * Add a mapping; what it overlaps is cut or removed.  Mapping the same range
 * of the same module again changes nothing.  An empty range is ignored.
 * Returns 0 or -ENOMEM.
 */
int address_space_map(struct address_space *space, const struct mapping *mapping);

/* Make `space` a copy of `from`, as fork does.  Returns 0 or -ENOMEM. */
int address_space_copy(struct address_space *space, const struct address_space *from);

/* Borrowed until the space changes; NULL when the ip is not mapped executable. */
const struct mapping *address_space_find(const struct address_space *space, uint64_t ip);

#endif
