#ifndef TSPROF_RECORD_MODULE_TABLE_H
#define TSPROF_RECORD_MODULE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/address_space.h"
#include "model/profile.h"
#include "os/sampler_record.h"
#include "symbol/elf_image.h"
#include "unwind/unwinder.h"

/*
 * The modules of a run: each file once, however many processes map it, opened
 * when it is first seen, because a moment later the process may be gone and the
 * file replaced.  Two files are the same when path and build-id (without one,
 * path, device and inode) are.  Memory without a file belongs to the program
 * that mapped it and to the processes forked from it since.
 */
struct module_table {
	struct profile *profile;   /* borrowed */
	struct elf_image **images; /* by module id; NULL: not readable, or no file */
	struct elf_image **debugs; /* by module id: debug files from other roots, or NULL */
	struct module_identity {
		uint64_t inode;
		uint64_t device;
	} * identities; /* by module id */
	size_t images_capacity;
	size_t debugs_capacity;
	size_t identities_capacity;
	struct hash_index index; /* of (path, identity) */
	uint32_t kernel;	 /* id of "[kernel]" */
	uint32_t unmapped;	 /* id of "[unmapped]" */
	uint32_t n_unreadable;	 /* files that could not be opened, or were replaced */
	uint32_t unreadable;	 /* id of the first of them */
};

/* Returns 0 or -ENOMEM. */
int module_table_init(struct module_table *table, struct profile *profile);
void module_table_release(struct module_table *table);

/* Whose memory a mapping is; see struct live_process. */
struct module_owner {
	uint32_t pid;
	uint32_t owner;
};

/*
 * Put a mapping of a process into its address space.  A file that cannot be
 * opened, or is not the one that was mapped, leaves a module without image; shared
 * memory that is no ELF file is memory without a file.  Returns 0 or -ENOMEM.
 */
int module_table_map(struct module_table *table, struct address_space *space,
		     const struct module_owner *owner, const struct sampler_mapping *map);

/* Give all memory without a file to `owner`.  Returns 0 or -ENOMEM. */
int module_table_hand_over(struct module_table *table, struct address_space *space,
			   const struct module_owner *owner);

/* A module of the kernel, by its name in brackets; made when new.  Returns 0 or -ENOMEM. */
int module_table_kernel(struct module_table *table, const char *name, uint32_t *ret_id);

/* The owner of memory without a file; 0 for other modules. */
uint32_t module_table_owner(const struct module_table *table, uint32_t module);

/* Borrowed until the next module is mapped. */
struct unwind_images module_table_images(const struct module_table *table);

#endif
