/* The search for separate debug files, as gdb's manual describes it. */
#include "symbol/debug_files.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"

/* What .gnu_debuglink holds: a file name, padding, and the CRC of that file. */
struct debuglink {
	const char *name;
	uint32_t crc;
};

size_t debug_files_root_prefix(const char *path)
{
	const char *at = path;

	if (strncmp(at, "/proc/", 6) != 0)
		return 0;
	at += 6;
	if (strncmp(at, "self/", 5) == 0)
		at += 4;
	else
		while (isdigit((unsigned char)*at))
			at++;
	return strncmp(at, "/root/", 6) == 0 ? (size_t)(at - path) + 5 : 0;
}

void debug_files_build_id_path(struct buffer *path, const char *root, const uint8_t *build_id,
			       size_t size)
{
	buffer_printf(path, "%s/.build-id/%02x/", root, build_id[0]);
	for (size_t i = 1; i < size; i++)
		buffer_printf(path, "%02x", build_id[i]);
	buffer_add_string(path, ".debug");
}

static bool has_same_build_id(const struct elf_image *image, const struct elf_image *debug)
{
	return image->build_id_size == debug->build_id_size &&
	       memcmp(image->build_id, debug->build_id, image->build_id_size) == 0;
}

/*
 * Open `path` if it is the debug file that belongs to the image: by build-id
 * when both have one, else by the debuglink's CRC.
 */
static bool open_matching(struct elf_image *ret_debug, const struct elf_image *image,
			  const struct buffer *path, const struct debuglink *link)
{
	bool is_match;

	if (path->is_failed || elf_image_open(ret_debug, path->data, NULL) < 0)
		return false;
	if (image->build_id_size > 0 && ret_debug->build_id_size > 0)
		is_match = has_same_build_id(image, ret_debug);
	else
		is_match = link && crc32_of(0, ret_debug->file.bytes, ret_debug->file.size_bytes) ==
					   link->crc;
	if (is_match && ret_debug->machine == image->machine)
		return true;
	elf_image_release(ret_debug);
	return false;
}

static bool open_by_build_id(struct elf_image *ret_debug, const struct elf_image *image,
			     const char *root, size_t prefix_bytes)
{
	struct buffer path = BUFFER_INIT;
	bool is_open = false;

	if (image->build_id_size < 2)
		return false;
	if (prefix_bytes > 0) {
		buffer_add(&path, image->path, prefix_bytes);
		debug_files_build_id_path(&path, root, image->build_id, image->build_id_size);
		is_open = open_matching(ret_debug, image, &path, NULL);
		buffer_clear(&path);
	}
	if (!is_open) {
		debug_files_build_id_path(&path, root, image->build_id, image->build_id_size);
		is_open = open_matching(ret_debug, image, &path, NULL);
	}
	buffer_release(&path);
	return is_open;
}

static bool image_debuglink(const struct elf_image *image, struct debuglink *ret_link)
{
	const struct elf_section section = elf_image_section(image, ".gnu_debuglink");
	struct bytes b = bytes_of(section.bytes, section.size_bytes);
	const char *name = bytes_string(&b);

	if (!name || !*name || strchr(name, '/'))
		return false;
	(void)bytes_take(&b, (4 - (strlen(name) + 1) % 4) % 4);
	*ret_link = (struct debuglink){ .name = name, .crc = bytes_u32(&b) };
	return !b.is_bad;
}

static bool open_by_debuglink(struct elf_image *ret_debug, const struct elf_image *image,
			      const char *root, size_t prefix_bytes)
{
	const char *slash = strrchr(image->path, '/');
	const int directory_bytes = slash ? (int)(slash - image->path) : 1;
	const char *directory = slash ? image->path : ".";
	const int inner_bytes = directory_bytes - (int)prefix_bytes;
	const int prefix = (int)prefix_bytes;
	struct buffer path = BUFFER_INIT;
	struct debuglink link;
	bool is_open = false;

	if (!image_debuglink(image, &link))
		return false;
	for (int place = 0; place < 4 && !is_open; place++) {
		buffer_clear(&path);
		switch (place) {
		case 0:
			buffer_printf(&path, "%.*s/%s", directory_bytes, directory, link.name);
			break;
		case 1:
			buffer_printf(&path, "%.*s/.debug/%s", directory_bytes, directory,
				      link.name);
			break;
		case 2:
			buffer_printf(&path, "%.*s%s%.*s/%s", prefix, image->path, root,
				      inner_bytes, directory + prefix, link.name);
			break;
		default:
			buffer_printf(&path, "%s%.*s/%s", root, inner_bytes, directory + prefix,
				      link.name);
			break;
		}
		/* A debuglink may name its own file; then it is not the debug file. */
		if (!path.is_failed && strcmp(path.data, image->path) != 0)
			is_open = open_matching(ret_debug, image, &path, &link);
	}
	buffer_release(&path);
	return is_open;
}

int debug_files_open(struct elf_image *ret_debug, const struct elf_image *image, const char *root,
		     struct error *err)
{
	const char *const used_root = root ? root : DEBUG_FILES_DEFAULT_ROOT;
	const size_t prefix_bytes = debug_files_root_prefix(image->path);

	if (open_by_build_id(ret_debug, image, used_root, prefix_bytes) ||
	    open_by_debuglink(ret_debug, image, used_root, prefix_bytes))
		return 0;
	return error_set(err, -ENOENT, "%s: no separate debug file", image->path);
}
