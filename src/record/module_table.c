/*
 * A path alone does not say which file was mapped: it may be replaced between the
 * mapping and our opening it.  So every candidate must have the build-id that the
 * kernel reported, or the device and inode where it reported those.
 */
#include "record/module_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/array.h"
#include "os/proc_files.h"

#define DELETED_SUFFIX " (deleted)"

static uint64_t device_of(const struct sampler_mapping *map)
{
	return (uint64_t)map->device_major << 32 | map->device_minor;
}

static int add_module(struct module_table *table, uint32_t *ret_id, const struct module *module,
		      const struct module_identity *identity)
{
	const size_t n_needed = table->profile->n_modules + 1;
	void *grown = array_grown(table->images, &table->images_capacity, n_needed,
				  sizeof(*table->images));
	int r;

	if (!grown)
		return -ENOMEM;
	table->images = grown;
	grown = array_grown(table->identities, &table->identities_capacity, n_needed,
			    sizeof(*table->identities));
	if (!grown)
		return -ENOMEM;
	table->identities = grown;
	r = profile_add_module(table->profile, ret_id, module);
	if (r < 0)
		return r;
	table->images[*ret_id] = NULL;
	table->identities[*ret_id] = *identity;
	return 0;
}

static int add_special(struct module_table *table, uint32_t *ret_id, const char *name,
		       enum module_kind kind)
{
	struct module module = { .kind = (uint8_t)kind };
	int r = interner_add(&table->profile->strings, &module.path, name);

	if (r < 0)
		return r;
	return add_module(table, ret_id, &module, &(struct module_identity){ 0 });
}

int module_table_init(struct module_table *table, struct profile *profile)
{
	int r;

	*table = (struct module_table){ .profile = profile };
	/* Module 0 is the profile's own; the others follow it. */
	table->images = array_grown(NULL, &table->images_capacity, 8, sizeof(*table->images));
	if (!table->images)
		return -ENOMEM;
	for (size_t i = 0; i < profile->n_modules; i++)
		table->images[i] = NULL;
	r = add_special(table, &table->kernel, "[kernel]", MODULE_KIND_KERNEL);
	if (r == 0)
		r = add_special(table, &table->unmapped, "[unmapped]", MODULE_KIND_UNMAPPED);
	return r;
}

void module_table_release(struct module_table *table)
{
	if (table->images) {
		for (size_t i = 0; i < table->profile->n_modules; i++) {
			if (table->images[i]) {
				elf_image_release(table->images[i]);
				free(table->images[i]);
			}
		}
	}
	free(table->images);
	free(table->identities);
	hash_index_release(&table->index);
	*table = (struct module_table){ 0 };
}

struct unwind_images module_table_images(const struct module_table *table)
{
	return (struct unwind_images){
		.images = (struct elf_image *const *)table->images,
		.n_images = table->images ? table->profile->n_modules : 0,
	};
}

static enum module_kind kind_of_path(const char *path)
{
	if (strcmp(path, "[vdso]") == 0)
		return MODULE_KIND_VDSO;
	if (path[0] != '/' || strncmp(path, "//", 2) == 0)
		return MODULE_KIND_ANONYMOUS;
	return MODULE_KIND_FILE;
}

static bool is_file_of(int fd, const struct sampler_mapping *map)
{
	struct stat status;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	if (map->build_id_size || !map->inode)
		return true;
	/* btrfs and overlayfs report another device than stat does: the inode has to do. */
	return (uint64_t)status.st_ino == map->inode;
}

static bool is_image_of(const struct elf_image *image, const struct sampler_mapping *map)
{
	if (!map->build_id_size)
		return true;
	return image->build_id_size == map->build_id_size &&
	       memcmp(image->build_id, map->build_id, map->build_id_size) == 0;
}

/* Opens one candidate; false when it is not there or not the right one. */
static bool open_candidate(struct elf_image *image, uint32_t pid, const struct sampler_mapping *map,
			   unsigned int n_try)
{
	const int fd = proc_files_open_mapping(pid, map, n_try);
	bool is_right = false;

	if (fd < 0)
		return false;
	if (is_file_of(fd, map) && elf_image_open_fd(image, fd, map->path, NULL) == 0) {
		is_right = is_image_of(image, map);
		if (!is_right)
			elf_image_release(image);
	}
	(void)close(fd);
	return is_right;
}

static bool open_image(struct elf_image *image, uint32_t pid, const struct sampler_mapping *map,
		       enum module_kind kind)
{
	size_t size_bytes;
	const void *vdso;

	if (kind == MODULE_KIND_VDSO) {
		vdso = proc_files_vdso(&size_bytes);
		return vdso && elf_image_open_memory(image, vdso, size_bytes, "[vdso]", NULL) == 0;
	}
	if (kind != MODULE_KIND_FILE)
		return false;
	for (unsigned int n_try = 0; n_try < PROC_FILES_N_TRIES; n_try++)
		if (open_candidate(image, pid, map, n_try))
			return true;
	return false;
}

/* Memory without a file is its process's own: equal addresses in two are not one place. */
static struct module_identity identity_of(uint32_t pid, const struct sampler_mapping *map)
{
	if (kind_of_path(map->path) == MODULE_KIND_ANONYMOUS)
		return (struct module_identity){ .inode = pid, .device = UINT64_MAX };
	return (struct module_identity){ .inode = map->inode, .device = device_of(map) };
}

static bool is_same_module(const struct module_table *table, uint32_t id, uint32_t path,
			   uint32_t pid, const struct sampler_mapping *map)
{
	const struct module *module = &table->profile->modules[id];
	const struct module_identity identity = identity_of(pid, map);

	if (module->path != path)
		return false;
	if (map->build_id_size)
		return module->build_id_size == map->build_id_size &&
		       memcmp(module->build_id, map->build_id, map->build_id_size) == 0;
	return table->identities[id].inode == identity.inode &&
	       table->identities[id].device == identity.device;
}

static uint64_t hash_of(uint32_t path, uint32_t pid, const struct sampler_mapping *map)
{
	const struct module_identity identity = identity_of(pid, map);

	if (map->build_id_size)
		return hash_pair(path, hash_bytes(map->build_id, map->build_id_size));
	return hash_pair(path, hash_pair(identity.inode, identity.device));
}

static int add_mapped_module(struct module_table *table, uint32_t *ret_id, uint32_t path,
			     uint32_t pid, const struct sampler_mapping *map)
{
	const enum module_kind kind = kind_of_path(map->path);
	const struct module_identity identity = identity_of(pid, map);
	struct module module = { .path = path, .kind = (uint8_t)kind };
	struct elf_image *image = malloc(sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	if (!open_image(image, pid, map, kind)) {
		free(image);
		image = NULL;
		table->n_unreadable += kind == MODULE_KIND_FILE;
	}
	if (map->build_id_size) {
		module.build_id_size = map->build_id_size;
		memcpy(module.build_id, map->build_id, sizeof(module.build_id));
	} else if (image) {
		module.build_id_size = image->build_id_size;
		memcpy(module.build_id, image->build_id, sizeof(module.build_id));
	}
	r = add_module(table, ret_id, &module, &identity);
	if (r == 0) {
		table->images[*ret_id] = image;
		return hash_index_add(&table->index, hash_of(path, pid, map), *ret_id);
	}
	if (image)
		elf_image_release(image);
	free(image);
	return r;
}

static int module_get(struct module_table *table, uint32_t *ret_id, uint32_t pid,
		      const struct sampler_mapping *map)
{
	struct hash_cursor cursor;
	uint32_t path;
	uint32_t id;
	int r = interner_add(&table->profile->strings, &path, map->path);

	if (r < 0)
		return r;
	cursor = hash_index_cursor(&table->index, hash_of(path, pid, map));
	while ((id = hash_index_next(&table->index, &cursor)) != HASH_INDEX_NONE) {
		if (is_same_module(table, id, path, pid, map)) {
			*ret_id = id;
			return 0;
		}
	}
	return add_mapped_module(table, ret_id, path, pid, map);
}

static uint64_t bias_of(const struct module_table *table, uint32_t id,
			const struct sampler_mapping *map)
{
	const struct elf_image *image = table->images[id];
	uint64_t bias;

	switch ((enum module_kind)table->profile->modules[id].kind) {
	case MODULE_KIND_FILE:
	case MODULE_KIND_VDSO:
		if (image) {
			(void)elf_image_load_bias(image, map->start, map->file_offset, &bias);
			return bias;
		}
		return map->start - map->file_offset;
	case MODULE_KIND_PSEUDO:
	case MODULE_KIND_KERNEL:
	case MODULE_KIND_ANONYMOUS:
	case MODULE_KIND_UNMAPPED:
	case MODULE_KIND_NAMES:
		break;
	}
	return 0;
}

int module_table_map(struct module_table *table, struct address_space *space, uint32_t pid,
		     const struct sampler_mapping *map)
{
	const size_t path_size = strlen(map->path);
	const size_t suffix_size = strlen(DELETED_SUFFIX);
	struct sampler_mapping named = *map;
	char path[4096];
	struct mapping mapping;
	int r;

	/* The suffix says that there is no such path any more; the file is the same. */
	if (path_size > suffix_size && path_size - suffix_size < sizeof(path) &&
	    strcmp(map->path + path_size - suffix_size, DELETED_SUFFIX) == 0) {
		memcpy(path, map->path, path_size - suffix_size);
		path[path_size - suffix_size] = '\0';
		named.path = path;
	}
	mapping = (struct mapping){
		.start = map->start,
		.end = map->start + map->size_bytes,
		.file_offset = map->file_offset,
	};
	r = module_get(table, &mapping.module, pid, &named);
	if (r < 0)
		return r;
	mapping.bias = bias_of(table, mapping.module, &named);
	return address_space_map(space, &mapping);
}
