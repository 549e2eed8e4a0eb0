#ifndef TSPROF_RECORD_PROBE_FILE_H
#define TSPROF_RECORD_PROBE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/probe_plan.h"
#include "symbol/elf_image.h"
#include "symbol/function_search.h"
#include "symbol/probe_spot.h"

/* The ELF file in which functions are to be probed: a program or one of its libraries. */
struct probe_file {
	char *path;
	struct elf_image image;
	struct elf_image debug; /* of its separate debug file */
	bool has_debug;
	bool is_go;
	bool is_cxx;	 /* exceptions may leave its functions */
	bool is_program; /* not a library of it */
};

/* `library` as the user wrote it; NULL: the program itself. */
int probe_file_open(struct probe_file **ret_file, const struct probe_request *request,
		    const char *library, struct error *err);
void probe_file_close(struct probe_file *file);

/* Returns 0 or -ENOMEM. */
int probe_file_search(const struct probe_file *file, struct function_search *ret_search,
		      const char *name);

/* Where in a function its probe goes. */
struct probe_spot probe_file_spot(const struct probe_file *file,
				  const struct function_match *function, bool keeps_arguments);

/* -ENOENT: there is no such function, and what may have been meant. */
int probe_file_error_missing(const struct probe_file *file, const struct function_search *search,
			     const char *name, struct error *err);

#endif
