/* What makes two mappings one module; see module_table.h. */
#include "record/module_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "os/proc_files.h"
#include "record/module_file.h"

#define DELETED_SUFFIX " (deleted)"
#define ANONYMOUS_PATH "//anon"

/* The device of memory without a file; its inode is the owner. */
#define OWNED_DEVICE UINT64_MAX

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
	grown = array_grown(table->debugs, &table->debugs_capacity, n_needed,
			    sizeof(*table->debugs));
	if (!grown)
		return -ENOMEM;
	table->debugs = grown;
	grown = array_grown(table->identities, &table->identities_capacity, n_needed,
			    sizeof(*table->identities));
	if (!grown)
		return -ENOMEM;
	table->identities = grown;
	r = profile_add_module(table->profile, ret_id, module);
	if (r < 0)
		return r;
	table->images[*ret_id] = NULL;
	table->debugs[*ret_id] = NULL;
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
	table->debugs = array_grown(NULL, &table->debugs_capacity, 8, sizeof(*table->debugs));
	table->identities = array_grown(NULL, &table->identities_capacity, 8,
					sizeof(*table->identities));
	if (!table->images || !table->debugs || !table->identities)
		return -ENOMEM;
	for (size_t i = 0; i < profile->n_modules; i++) {
		table->images[i] = NULL;
		table->debugs[i] = NULL;
		table->identities[i] = (struct module_identity){ 0 };
	}
	r = add_special(table, &table->kernel, "[kernel]", MODULE_KIND_KERNEL);
	if (r == 0)
		r = add_special(table, &table->unmapped, "[unmapped]", MODULE_KIND_UNMAPPED);
	return r;
}

static void release_images(struct elf_image **images, size_t n_images)
{
	for (size_t i = 0; images && i < n_images; i++) {
		elf_image_release(images[i]);
		free(images[i]);
	}
	free(images);
}

void module_table_release(struct module_table *table)
{
	release_images(table->images, table->profile->n_modules);
	release_images(table->debugs, table->profile->n_modules);
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

/* Memory under a file's name, which may as well hold a program (memfd_create, fexecve). */
static bool is_shared_memory(const char *path)
{
	return strncmp(path, "/memfd:", 7) == 0 || strncmp(path, "/SYSV", 5) == 0 ||
	       strncmp(path, "/dev/zero", 9) == 0 || strncmp(path, "/dev/shm/", 9) == 0;
}

/* Code that the kernel puts into programs; these make none because of it. */
static bool is_of_kernel(const char *path)
{
	return strcmp(path, "[vsyscall]") == 0 || strcmp(path, "[uprobes]") == 0;
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
	return kind == MODULE_KIND_FILE && module_file_open(image, pid, map);
}

/* What a mapping is looked up by. */
struct module_key {
	const struct sampler_mapping *map;
	uint32_t path;
	enum module_kind kind;
	struct module_identity identity;
};

static struct module_key file_key(uint32_t path, const struct sampler_mapping *map)
{
	return (struct module_key){
		.map = map,
		.path = path,
		.kind = kind_of_path(map->path),
		.identity = { .inode = map->inode, .device = device_of(map) },
	};
}

/* Memory without a file is its program's own: equal addresses in two are not one place. */
static struct module_key owned_key(uint32_t path, const struct sampler_mapping *map, uint32_t owner)
{
	return (struct module_key){
		.map = map,
		.path = path,
		.kind = MODULE_KIND_ANONYMOUS,
		.identity = { .inode = owner, .device = OWNED_DEVICE },
	};
}

static bool has_build_id(const struct module_key *key)
{
	return key->kind != MODULE_KIND_ANONYMOUS && key->map->build_id_size;
}

static uint64_t key_hash(const struct module_key *key)
{
	if (has_build_id(key))
		return hash_pair(key->path,
				 hash_bytes(key->map->build_id, key->map->build_id_size));
	return hash_pair(key->path, hash_pair(key->identity.inode, key->identity.device));
}

static bool is_same_module(const struct module_table *table, uint32_t id,
			   const struct module_key *key)
{
	const struct module *module = &table->profile->modules[id];

	if (module->path != key->path)
		return false;
	if (has_build_id(key))
		return module->build_id_size == key->map->build_id_size &&
		       memcmp(module->build_id, key->map->build_id, module->build_id_size) == 0;
	return table->identities[id].inode == key->identity.inode &&
	       table->identities[id].device == key->identity.device;
}

static bool find_module(const struct module_table *table, uint32_t *ret_id,
			const struct module_key *key)
{
	struct hash_cursor cursor = hash_index_cursor(&table->index, key_hash(key));
	uint32_t id;

	while ((id = hash_index_next(&table->index, &cursor)) != HASH_INDEX_NONE) {
		if (is_same_module(table, id, key)) {
			*ret_id = id;
			return true;
		}
	}
	return false;
}

/* Takes `image`, which may be NULL. */
static int add_keyed(struct module_table *table, uint32_t *ret_id, const struct module_key *key,
		     struct elf_image *image)
{
	const struct sampler_mapping *map = key->map;
	struct module module = { .path = key->path, .kind = (uint8_t)key->kind };
	int r;

	if (has_build_id(key)) {
		module.build_id_size = map->build_id_size;
		memcpy(module.build_id, map->build_id, sizeof(module.build_id));
	} else if (image) {
		module.build_id_size = image->build_id_size;
		memcpy(module.build_id, image->build_id, sizeof(module.build_id));
	}
	r = add_module(table, ret_id, &module, &key->identity);
	if (r == 0) {
		table->images[*ret_id] = image;
		return hash_index_add(&table->index, key_hash(key), *ret_id);
	}
	elf_image_release(image);
	free(image);
	return r;
}

/* The process may be gone before the names are looked up, and its root with it. */
static int keep_debug_file(struct module_table *table, uint32_t id)
{
	const struct elf_image *image = table->images[id];
	struct elf_image *debug = image ? malloc(sizeof(*debug)) : NULL;

	if (image && !debug)
		return -ENOMEM;
	if (image && module_file_open_debug(debug, image))
		table->debugs[id] = debug;
	else
		free(debug);
	return 0;
}

static int add_mapped_module(struct module_table *table, uint32_t *ret_id,
			     const struct module_owner *owner, struct module_key key)
{
	const struct sampler_mapping *map = key.map;
	struct elf_image *image = malloc(sizeof(*image));
	int r;

	if (!image)
		return -ENOMEM;
	if (!open_image(image, owner->pid, map, key.kind)) {
		free(image);
		image = NULL;
	}
	if (!image && is_shared_memory(map->path))
		key = owned_key(key.path, map, owner->owner);
	r = add_keyed(table, ret_id, &key, image);
	if (r == 0 && !image && key.kind == MODULE_KIND_FILE && !table->n_unreadable++)
		table->unreadable = *ret_id;
	return r < 0 ? r : keep_debug_file(table, *ret_id);
}

static int module_get(struct module_table *table, uint32_t *ret_id,
		      const struct module_owner *owner, const struct sampler_mapping *map)
{
	struct module_key key;
	struct module_key owned;
	uint32_t path;
	int r = interner_add(&table->profile->strings, &path, map->path);

	if (r < 0)
		return r;
	key = file_key(path, map);
	owned = is_of_kernel(map->path) ? key : owned_key(path, map, owner->owner);
	if (kind_of_path(map->path) == MODULE_KIND_ANONYMOUS)
		return find_module(table, ret_id, &owned) ? 0
							  : add_keyed(table, ret_id, &owned, NULL);
	if (find_module(table, ret_id, &key) ||
	    (is_shared_memory(map->path) && find_module(table, ret_id, &owned)))
		return 0;
	return add_mapped_module(table, ret_id, owner, key);
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

/*
 * The suffix says that there is no such path any more; the file is the same.
 * "[anon:name]" is what /proc calls memory that perf's records call "//anon".
 */
static const char *plain_path(char *storage, size_t size, const char *path)
{
	const size_t path_size = strlen(path);
	const size_t suffix_size = strlen(DELETED_SUFFIX);

	if (strncmp(path, "[anon:", 6) == 0 || !*path)
		return ANONYMOUS_PATH;
	if (path_size <= suffix_size || path_size - suffix_size >= size ||
	    strcmp(path + path_size - suffix_size, DELETED_SUFFIX) != 0)
		return path;
	memcpy(storage, path, path_size - suffix_size);
	storage[path_size - suffix_size] = '\0';
	return storage;
}

int module_table_map(struct module_table *table, struct address_space *space,
		     const struct module_owner *owner, const struct sampler_mapping *map)
{
	char path[4096];
	struct sampler_mapping named = *map;
	struct mapping mapping = {
		.start = map->start,
		.end = map->start + map->size_bytes,
		.file_offset = map->file_offset,
	};
	int r;

	named.path = plain_path(path, sizeof(path), map->path);
	r = module_get(table, &mapping.module, owner, &named);
	if (r < 0)
		return r;
	mapping.bias = bias_of(table, mapping.module, &named);
	return address_space_map(space, &mapping);
}

int module_table_kernel(struct module_table *table, const char *name, uint32_t *ret_id)
{
	const struct sampler_mapping map = { .path = name };
	struct module_key key = { .map = &map, .kind = MODULE_KIND_KERNEL };
	int r = interner_add(&table->profile->strings, &key.path, name);

	if (r < 0)
		return r;
	return find_module(table, ret_id, &key) ? 0 : add_keyed(table, ret_id, &key, NULL);
}

uint32_t module_table_owner(const struct module_table *table, uint32_t module)
{
	const struct module_identity *identity = &table->identities[module];

	return identity->device == OWNED_DEVICE ? (uint32_t)identity->inode : 0;
}

int module_table_hand_over(struct module_table *table, struct address_space *space,
			   const struct module_owner *owner)
{
	for (size_t i = 0; i < space->n_mappings; i++) {
		struct mapping mapping = space->mappings[i];
		const struct sampler_mapping map = { 0 };
		struct module_key key;
		int r = 0;

		if (!module_table_owner(table, mapping.module))
			continue;
		key = owned_key(table->profile->modules[mapping.module].path, &map, owner->owner);
		if (!find_module(table, &mapping.module, &key))
			r = add_keyed(table, &mapping.module, &key, NULL);
		/* The same range again, so that the others keep their places. */
		if (r == 0)
			r = address_space_map(space, &mapping);
		if (r < 0)
			return r;
	}
	return 0;
}
