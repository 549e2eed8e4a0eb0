/*
 * ld.so(8) in short.  The cache is that of glibc 2.2 and later; where there is
 * none, as with musl, the usual directories remain.
 */
#include "symbol/library_path.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/mapped_file.h"
#include "symbol/elf_sections.h"

#define CACHE_PATH "/etc/ld.so.cache"
#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define DEFAULT_COMMAND_PATH "/bin:/usr/bin"

enum { CACHE_HEADER_BYTES = 48, CACHE_ENTRY_BYTES = 24, CACHE_MAX_ENTRIES = 1 << 20 };

static const char *const usual_directories =
#if defined(__x86_64__)
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:"
#elif defined(__aarch64__)
	"/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu:"
#endif
	"/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib";

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_machine(const char *path, const struct elf_image *program)
{
	struct elf_image image;
	bool is_same;

	if (!is_file(path) || elf_image_open(&image, path, NULL) < 0)
		return false;
	is_same = !program || image.machine == program->machine;
	elf_image_release(&image);
	return is_same;
}

/* DIRECTORY/NAME, with $ORIGIN and ${ORIGIN} in front replaced. */
static void join(struct buffer *path, const char *directory, size_t n_bytes, const char *origin,
		 const char *name)
{
	static const char *const words[] = { "$ORIGIN", "${ORIGIN}" };

	buffer_clear(path);
	for (size_t i = 0; origin && i < 2; i++) {
		const size_t word_bytes = strlen(words[i]);

		if (n_bytes < word_bytes || strncmp(directory, words[i], word_bytes) != 0)
			continue;
		buffer_add(path, origin, (size_t)(strrchr(origin, '/') - origin));
		directory += word_bytes;
		n_bytes -= word_bytes;
		break;
	}
	buffer_add(path, n_bytes || path->size ? directory : ".",
		   n_bytes || path->size ? n_bytes : 1);
	buffer_add_char(path, '/');
	buffer_add_string(path, name);
}

static bool is_executable_file(const char *path, const struct elf_image *program)
{
	(void)program;
	return is_file(path) && access(path, X_OK) == 0;
}

/* In a list of directories with colons between; NULL when in none, or without memory. */
static char *find_in(const char *directories, const char *name, const struct elf_image *program,
		     const char *origin,
		     bool (*fits)(const char *path, const struct elf_image *program))
{
	struct buffer path = BUFFER_INIT;
	char *found = NULL;

	for (const char *at = directories; at && !found;) {
		const size_t n_bytes = strcspn(at, ":");

		join(&path, at, n_bytes, origin, name);
		if (!path.is_failed && path.size < PATH_MAX && fits(buffer_string(&path), program))
			found = strdup(path.data);
		at = at[n_bytes] ? at + n_bytes + 1 : NULL;
	}
	buffer_release(&path);
	return found;
}

int library_path_command(char **ret_path, const char *command, struct error *err)
{
	const char *directories = getenv("PATH");
	char *path;

	if (strchr(command, '/')) {
		path = is_file(command) ? realpath(command, NULL) : NULL;
	} else {
		char *found = find_in(directories ? directories : DEFAULT_COMMAND_PATH, command,
				      NULL, NULL, is_executable_file);

		path = found ? realpath(found, NULL) : NULL;
		free(found);
	}
	if (!path)
		return error_set(err, -ENOENT, "%s: command not found", command);
	*ret_path = path;
	return 0;
}

/* Calls `visit` for each value of `tag` in .dynamic that is a text. */
static int visit_texts(const struct elf_image *image, int64_t tag,
		       int (*visit)(void *context, const char *text), void *context)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);
	int r = 0;

	for (size_t i = 1; i < sections.n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);
		const struct elf_section dynamic = elf_sections_contents(&sections, &header);
		struct bytes at = bytes_of(dynamic.bytes, dynamic.size_bytes);
		struct elf_section names;
		Elf64_Shdr names_header;

		if (header.sh_type != SHT_DYNAMIC || header.sh_link >= sections.n_sections)
			continue;
		names_header = elf_sections_header(&sections, header.sh_link);
		names = elf_sections_terminated(&sections, &names_header);
		while (r == 0 && bytes_left(&at) >= sizeof(Elf64_Dyn)) {
			const int64_t found = (int64_t)bytes_u64(&at);
			const uint64_t value = bytes_u64(&at);

			if (found == DT_NULL)
				break;
			if (found == tag && value < names.size_bytes)
				r = visit(context, (const char *)names.bytes + value);
		}
	}
	return r;
}

int library_path_needed(const struct elf_image *image,
			int (*visit)(void *context, const char *soname), void *context)
{
	return visit_texts(image, DT_NEEDED, visit, context);
}

struct finding {
	const struct elf_image *program;
	const char *name;
	char *found;
};

static int look_in_run_path(void *context, const char *directories)
{
	struct finding *finding = context;

	finding->found = find_in(directories, finding->name, finding->program,
				 finding->program->path, is_machine);
	return finding->found != NULL;
}

/* Is `soname` what `name` begins, up to its ".so"? */
static int look_for_short_name(void *context, const char *soname)
{
	struct finding *finding = context;
	const size_t n_bytes = strlen(finding->name);

	if (strncmp(soname, finding->name, n_bytes) != 0 ||
	    strncmp(soname + n_bytes, ".so", 3) != 0)
		return 0;
	finding->found = strdup(soname);
	return 1;
}

/* The text at `offset`; NULL when it does not end inside the file. */
static const char *text_at(const struct mapped_file *file, uint64_t offset)
{
	if (offset >= file->size_bytes ||
	    !memchr(file->bytes + offset, '\0', file->size_bytes - offset))
		return NULL;
	return (const char *)file->bytes + offset;
}

static char *find_in_cache(const char *name, const struct elf_image *program)
{
	struct mapped_file file = MAPPED_FILE_INIT;
	char *found = NULL;
	struct bytes at;
	uint32_t n_entries;

	if (mapped_file_open(&file, CACHE_PATH, NULL) < 0)
		return NULL;
	at = bytes_of(file.bytes, file.size_bytes);
	if (file.size_bytes > CACHE_HEADER_BYTES &&
	    memcmp(file.bytes, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1) == 0) {
		(void)bytes_take(&at, sizeof(CACHE_MAGIC) - 1);
		n_entries = bytes_u32(&at);
		at = bytes_of(file.bytes + CACHE_HEADER_BYTES,
			      file.size_bytes - CACHE_HEADER_BYTES);
		for (uint32_t i = 0; !found && i < n_entries && i < CACHE_MAX_ENTRIES; i++) {
			struct bytes entry = bytes_sub(&at, CACHE_ENTRY_BYTES);
			const char *key;
			const char *value;

			(void)bytes_u32(&entry);
			key = text_at(&file, bytes_u32(&entry));
			value = text_at(&file, bytes_u32(&entry));
			if (!entry.is_bad && key && value && strcmp(key, name) == 0 &&
			    is_machine(value, program))
				found = strdup(value);
		}
	}
	mapped_file_release(&file);
	return found;
}

/* In the order of ld.so; RPATH counts only where there is no RUNPATH, which does no harm here. */
static char *find_soname(const char *name, const struct elf_image *program)
{
	struct finding finding = { .program = program, .name = name };

	(void)visit_texts(program, DT_RPATH, look_in_run_path, &finding);
	if (!finding.found)
		finding.found = find_in(getenv("LD_LIBRARY_PATH"), name, program, program->path,
					is_machine);
	if (!finding.found)
		(void)visit_texts(program, DT_RUNPATH, look_in_run_path, &finding);
	if (!finding.found)
		finding.found = find_in_cache(name, program);
	if (!finding.found)
		finding.found = find_in(usual_directories, name, program, NULL, is_machine);
	return finding.found;
}

int library_path_find(char **ret_path, const struct elf_image *program, const char *name,
		      struct error *err)
{
	struct finding finding = { .program = program, .name = name };
	char *found = NULL;

	if (strchr(name, '/')) {
		found = realpath(name, NULL);
	} else {
		if (!strstr(name, ".so"))
			(void)library_path_needed(program, look_for_short_name, &finding);
		found = find_soname(finding.found ? finding.found : name, program);
		free(finding.found);
	}
	if (!found)
		return error_set(err, -ENOENT,
				 "%s: no such library was found for %s (one that is loaded with "
				 "dlopen: give its path)",
				 name, program->path);
	*ret_path = realpath(found, NULL);
	free(found);
	return *ret_path ? 0 : error_set_no_memory(err);
}
