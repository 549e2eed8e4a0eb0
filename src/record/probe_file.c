/* Where the file is: by PATH and ld.so's rules for a command, by /proc for what runs already. */
#include "record/probe_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/proc_files.h"
#include "symbol/debug_files.h"
#include "symbol/library_path.h"

struct mapped_library {
	const char *name;
	uint32_t pid;
	char *path;
};

/* "libc.so.6" or "libc" for "/usr/lib/libc.so.6", or the path itself. */
static bool is_library(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	const size_t n_bytes = strlen(name);

	if (strchr(name, '/'))
		return strcmp(path, name) == 0;
	base = base ? base + 1 : path;
	return strcmp(base, name) == 0 ||
	       (strncmp(base, name, n_bytes) == 0 && strncmp(base + n_bytes, ".so", 3) == 0);
}

static int look_at_mapping(void *context, const struct sampler_mapping *map)
{
	struct mapped_library *library = context;

	if (map->path[0] != '/' || !is_library(map->path, library->name))
		return 0;
	if (asprintf(&library->path, "/proc/%u/root%s", library->pid, map->path) < 0) {
		library->path = NULL;
		return -ENOMEM;
	}
	return 1;
}

static int find_running(char **ret_path, pid_t pid, const char *name, struct error *err)
{
	struct mapped_library library = { .name = name, .pid = (uint32_t)pid };

	if (!name) {
		if (asprintf(ret_path, "/proc/%ld/exe", (long)pid) < 0)
			return error_set_no_memory(err);
		return 0;
	}
	(void)proc_files_visit_maps((uint32_t)pid, look_at_mapping, &library);
	if (!library.path && strchr(name, '/'))
		library.path = strdup(name);
	if (!library.path)
		return error_set(err, -ENOENT, "%s: process %ld has no such library loaded", name,
				 (long)pid);
	*ret_path = library.path;
	return 0;
}

static int find_launched(char **ret_path, const char *command, const char *library,
			 struct error *err)
{
	struct elf_image program;
	char *path = NULL;
	int r;

	if (library && library[0] == '/') {
		*ret_path = strdup(library);
		return *ret_path ? 0 : error_set_no_memory(err);
	}
	r = library_path_command(&path, command, err);
	if (r < 0)
		return r;
	if (!library) {
		*ret_path = path;
		return 0;
	}
	r = elf_image_open(&program, path, err);
	if (r == 0) {
		r = library_path_find(ret_path, &program, library, err);
		elf_image_release(&program);
	}
	free(path);
	return r;
}

static int find(char **ret_path, const struct probe_request *request, const char *library,
		struct error *err)
{
	if (request->command)
		return find_launched(ret_path, request->command, library, err);
	if (request->pid)
		return find_running(ret_path, request->pid, library, err);
	if (!library || library[0] != '/')
		return error_set(err, -EINVAL,
				 "-a: of which program? (write it in front, as in "
				 "/usr/bin/app:NAME)");
	*ret_path = strdup(library);
	return *ret_path ? 0 : error_set_no_memory(err);
}

/* Exceptions take the runtime of the language. */
static int look_for_cxx(void *context, const char *soname)
{
	struct probe_file *file = context;

	file->is_cxx = strncmp(soname, "libstdc++.so", 12) == 0 ||
		       strncmp(soname, "libc++.so", 9) == 0;
	return file->is_cxx;
}

int probe_file_open(struct probe_file **ret_file, const struct probe_request *request,
		    const char *library, struct error *err)
{
	struct probe_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return error_set_no_memory(err);
	file->is_program = !library;
	r = find(&file->path, request, library, err);
	if (r == 0) {
		r = elf_image_open(&file->image, file->path, err);
		if (r == -ENOEXEC)
			r = error_set(
				err, r,
				"%s is a script or the like: write the program that runs it in "
				"front, as in /usr/bin/python3:NAME",
				file->path);
	}
	if (r < 0) {
		probe_file_close(file);
		return r;
	}
	file->has_debug = debug_files_open(&file->debug, &file->image, DEBUG_FILES_DEFAULT_ROOT,
					   NULL) == 0;
	file->is_go = elf_image_section(&file->image, ".gopclntab").bytes != NULL ||
		      elf_image_section(&file->image, ".go.buildinfo").bytes != NULL;
	(void)library_path_needed(&file->image, look_for_cxx, file);
	*ret_file = file;
	return 0;
}

void probe_file_close(struct probe_file *file)
{
	if (!file)
		return;
	elf_image_release(&file->image);
	if (file->has_debug)
		elf_image_release(&file->debug);
	free(file->path);
	free(file);
}

int probe_file_search(const struct probe_file *file, struct function_search *ret_search,
		      const char *name)
{
	return function_search_run(ret_search, &file->image, file->has_debug ? &file->debug : NULL,
				   name);
}

struct probe_spot probe_file_spot(const struct probe_file *file,
				  const struct function_match *function, bool keeps_arguments)
{
	struct probe_code code = {
		.machine = file->image.machine,
		.vaddr = function->vaddr,
		.size_bytes = function->size_bytes,
		.keeps_arguments = keeps_arguments,
	};

	for (size_t i = 0; i < file->image.n_segments; i++) {
		const struct elf_segment *segment = &file->image.segments[i];

		if (!segment->is_executable || function->vaddr < segment->vaddr ||
		    function->vaddr - segment->vaddr >= segment->file_size)
			continue;
		code.text = file->image.file.bytes + segment->file_offset;
		code.text_bytes = segment->file_size;
		code.text_vaddr = segment->vaddr;
	}
	return probe_spot_find(&code);
}

struct elsewhere {
	const struct probe_file *file;
	const char *name;
	char *soname; /* of the library that has it */
};

static int look_in_library(void *context, const char *soname)
{
	struct elsewhere *elsewhere = context;
	struct function_search search;
	struct elf_image library;
	char *path;

	if (library_path_find(&path, &elsewhere->file->image, soname, NULL) < 0)
		return 0;
	if (elf_image_open(&library, path, NULL) == 0) {
		if (function_search_run(&search, &library, NULL, elsewhere->name) == 0) {
			if (search.n_matches)
				elsewhere->soname = strdup(soname);
			function_search_release(&search);
		}
		elf_image_release(&library);
	}
	free(path);
	return elsewhere->soname != NULL;
}

int probe_file_error_missing(const struct probe_file *file, const struct function_search *search,
			     const char *name, struct error *err)
{
	struct elsewhere elsewhere = { .file = file, .name = name };
	int r;

	if (file->is_program)
		(void)library_path_needed(&file->image, look_in_library, &elsewhere);
	if (elsewhere.soname)
		r = error_set(err, -ENOENT, "%s has no function %s, but %s has (write %s:%s)",
			      file->path, name, elsewhere.soname, elsewhere.soname, name);
	else if (search->nearest)
		r = error_set(err, -ENOENT, "%s has no function %s; did you mean %s?", file->path,
			      name, search->nearest);
	else if (!search->has_symtab)
		r = error_set(err, -ENOENT,
			      "%s has no function %s: it is stripped of its symbols, only what it "
			      "exports has a name (install its debug symbols, or build it without "
			      "-s)",
			      file->path, name);
	else
		r = error_set(err, -ENOENT,
			      "%s has no function %s (all of its calls may have been inlined)",
			      file->path, name);
	free(elsewhere.soname);
	return r;
}
