/* Files that grow while we read them; see jit_table.h. */
#include "record/jit_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/units.h"
#include "os/proc_files.h"
#include "os/target_root.h"
#include "symbol/jitdump.h"
#include "symbol/perf_map.h"

/* A file's time of writing and a process's start are told with that much error. */
#define AGE_TOLERANCE_NS (2 * NS_PER_S)

enum { READ_BYTES = JITDUMP_LOOK_BYTES + PERF_MAP_LINE_MAX_BYTES };

/* A file and how far it was read. */
struct jit_file {
	int fd; /* -1: not open */
	uint64_t offset;
	struct jitdump dump;
};

struct jit_program {
	uint32_t pid;
	bool is_open;
	struct target_root root;
	struct jit_file map;
	struct jit_file dumps[JIT_TABLE_MAX_DUMPS];
	size_t n_dumps;
	struct jit_symbols symbols;
	uint64_t read_ns; /* CLOCK_MONOTONIC: what was told until then is known */
	uint64_t last_sample_ns;
	uint64_t until_ns;	 /* the last moment before code was replaced */
	size_t n_replaced_taken; /* of symbols.replaced_ns */
	bool is_unread;		 /* there were too many at the time */
	bool has_parent;
	bool is_parted;			 /* … from it */
	struct symbolizer_jit inherited; /* the parent's when it forked */
};

void jit_table_init(struct jit_table *table)
{
	*table = (struct jit_table){ .start_epoch_ns = (uint64_t)time(NULL) * NS_PER_S };
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void close_file(struct jit_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = -1;
}

static void close_program(struct jit_table *table, struct jit_program *program)
{
	if (!program->is_open)
		return;
	program->is_open = false;
	table->n_open--;
	close_file(&program->map);
	for (size_t i = 0; i < program->n_dumps; i++)
		close_file(&program->dumps[i]);
	target_root_release(&program->root);
}

void jit_table_release(struct jit_table *table)
{
	for (size_t i = 0; i < table->n_programs; i++) {
		close_program(table, table->programs[i]);
		jit_symbols_release(&table->programs[i]->symbols);
		free(table->programs[i]);
	}
	free(table->programs);
	free(table->owners);
	*table = (struct jit_table){ 0 };
}

static int set_owner(struct jit_table *table, uint32_t owner, struct jit_program *program)
{
	struct jit_owner *grown = array_grown(table->owners, &table->owners_capacity,
					      (size_t)owner + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	table->owners = grown;
	while (table->n_owners <= owner)
		grown[table->n_owners++] = (struct jit_owner){ .until_ns = UINT64_MAX };
	grown[owner].program = program;
	return 0;
}

static struct jit_program *program_of(const struct jit_table *table, uint32_t owner)
{
	return owner < table->n_owners ? table->owners[owner].program : NULL;
}

static struct jit_program *program_new(struct jit_table *table, uint32_t pid)
{
	struct jit_program **grown = array_grown(table->programs, &table->programs_capacity,
						 table->n_programs + 1,
						 sizeof(struct jit_program *));
	struct jit_program *program;

	if (!grown)
		return NULL;
	table->programs = grown;
	program = calloc(1, sizeof(*program));
	if (!program)
		return NULL;
	if (jit_symbols_init(&program->symbols) < 0) {
		jit_symbols_release(&program->symbols);
		free(program);
		return NULL;
	}
	program->pid = pid;
	program->root = TARGET_ROOT_INIT;
	program->map.fd = -1;
	grown[table->n_programs++] = program;
	if (table->n_open < JIT_TABLE_MAX_OPEN && target_root_open(&program->root, pid) == 0) {
		program->is_open = true;
		table->n_open++;
	} else {
		program->is_unread = true;
	}
	return program;
}

/* Hand `file` piece by piece to its parser, as far as it is written. */
static int read_file(struct jit_table *table, struct jit_program *program, struct jit_file *file,
		     bool is_map, bool is_last)
{
	const size_t n_before = program->symbols.n_symbols;
	uint8_t *bytes = NULL;
	struct stat status;
	int r = 0;

	/* Shorter than before: its writer began anew. */
	if (fstat(file->fd, &status) == 0 && is_map && (uint64_t)status.st_size < file->offset)
		file->offset = 0;
	while (r == 0 && table->n_symbols < JIT_TABLE_MAX_SYMBOLS) {
		uint64_t n_taken = 0;
		size_t n_text = 0;
		ssize_t n_read;

		if (!bytes && (uint64_t)status.st_size <= file->offset)
			break;
		if (!bytes)
			bytes = malloc(READ_BYTES);
		if (!bytes)
			return -ENOMEM;
		n_read = pread(file->fd, bytes, READ_BYTES, (off_t)file->offset);
		if (n_read <= 0)
			break;
		if (is_map) {
			r = perf_map_parse(&program->symbols, (const char *)bytes, (size_t)n_read,
					   is_last && n_read < READ_BYTES, &n_text);
			n_taken = n_text;
		} else {
			r = jitdump_parse(&file->dump, &program->symbols, bytes, (size_t)n_read,
					  &n_taken);
		}
		if (n_taken == 0)
			break;
		file->offset += n_taken;
	}
	free(bytes);
	table->n_symbols += program->symbols.n_symbols - n_before;
	return r;
}

/* A map may appear late, be removed and written anew. */
static int read_map(struct jit_table *table, struct jit_program *program, bool is_last)
{
	uint64_t since_ns = program->root.start_epoch_ns ? program->root.start_epoch_ns
							 : table->start_epoch_ns;
	struct stat status;
	char path[64];
	int r = 0;

	if (program->map.fd >= 0) {
		r = read_file(table, program, &program->map, true, is_last);
		if (fstat(program->map.fd, &status) == 0 && status.st_nlink > 0)
			return r;
	}
	since_ns = since_ns > AGE_TOLERANCE_NS ? since_ns - AGE_TOLERANCE_NS : 0;
	(void)snprintf(path, sizeof(path), "tmp/perf-%" PRIu32 ".map", program->root.inner_pid);
	if (r == 0) {
		const int fd = target_root_open_file(&program->root, path, since_ns);

		if (fd < 0)
			return 0;
		close_file(&program->map);
		program->map = (struct jit_file){ .fd = fd };
		r = read_file(table, program, &program->map, true, is_last);
	}
	return r;
}

static int read_program(struct jit_table *table, struct jit_program *program, bool is_last)
{
	int r;

	if (!program->is_open)
		return 0;
	r = read_map(table, program, is_last);
	for (size_t i = 0; i < program->n_dumps && r == 0; i++)
		r = read_file(table, program, &program->dumps[i], false, is_last);
	return r;
}

int jit_table_add(struct jit_table *table, uint32_t owner, uint32_t pid)
{
	struct jit_program *program;

	if (program_of(table, owner))
		return 0;
	program = program_new(table, pid);
	if (!program || set_owner(table, owner, program) < 0)
		return -ENOMEM;
	return read_program(table, program, false);
}

int jit_table_fork(struct jit_table *table, uint32_t parent, uint32_t child, uint32_t pid,
		   uint64_t time_ns)
{
	const struct jit_program *from = program_of(table, parent);
	struct jit_program *program;

	if (!from)
		return 0;
	program = program_new(table, pid);
	if (!program || set_owner(table, child, program) < 0)
		return -ENOMEM;
	program->has_parent = true;
	program->inherited = (struct symbolizer_jit){
		.symbols = &from->symbols,
		.until_ns = time_ns,
		.inherited = from->has_parent ? &from->inherited : NULL,
	};
	return read_program(table, program, false);
}

static bool is_known_dump(const struct jit_program *program, int fd)
{
	struct stat status;
	struct stat known;

	if (fstat(fd, &status) < 0)
		return true;
	for (size_t i = 0; i < program->n_dumps; i++)
		if (fstat(program->dumps[i].fd, &known) == 0 && known.st_dev == status.st_dev &&
		    known.st_ino == status.st_ino)
			return true;
	return false;
}

static int open_dump(uint32_t pid, const struct sampler_mapping *map)
{
	struct stat status;

	for (int place = 0; place < PROC_FILES_N_PLACES; place++) {
		const int fd = proc_files_open_mapping(pid, map, (enum proc_files_place)place);

		if (fd < 0)
			continue;
		if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		    (!map->inode || map->inode == status.st_ino))
			return fd;
		(void)close(fd);
	}
	return -1;
}

int jit_table_add_dump(struct jit_table *table, uint32_t owner, uint32_t pid,
		       const struct sampler_mapping *map)
{
	struct jit_program *program;
	int r = jit_table_add(table, owner, pid);
	int fd;

	program = program_of(table, owner);
	if (r < 0 || !program->is_open)
		return r;
	if (program->n_dumps == JIT_TABLE_MAX_DUMPS)
		return 0;
	fd = open_dump(pid, map);
	if (fd < 0)
		return 0;
	if (is_known_dump(program, fd)) {
		(void)close(fd);
		return 0;
	}
	program->dumps[program->n_dumps] = (struct jit_file){ .fd = fd };
	return read_file(table, program, &program->dumps[program->n_dumps++], false, false);
}

/*
 * Pass by the replacements before `time_ns`.  Those after the last sample part the
 * samples exactly; when a runtime told them later than that it cannot be mended,
 * and what holds in the end is taken for all of the time.
 */
static bool pass_replaced(struct jit_program *program, uint64_t time_ns)
{
	const struct jit_symbols *symbols = &program->symbols;
	const size_t first = program->n_replaced_taken;
	size_t at = first;

	while (at < symbols->n_replaced && symbols->replaced_ns[at] <= time_ns)
		at++;
	if (at > first) {
		const uint64_t first_ns = symbols->replaced_ns[first];

		program->until_ns = first_ns > program->last_sample_ns
					    ? first_ns - 1
					    : symbols->replaced_ns[at - 1];
		program->n_replaced_taken = at;
	}
	program->last_sample_ns = time_ns;
	return at > first;
}

int jit_table_poll(struct jit_table *table, uint32_t owner, uint64_t time_ns,
		   enum jit_change *ret_change)
{
	struct jit_program *program = program_of(table, owner);
	int r = 0;

	*ret_change = JIT_SAME;
	if (!program)
		return 0;
	/* What was told before the sample has to be known: once for each batch of samples. */
	if (time_ns > program->read_ns) {
		program->read_ns = now_ns();
		r = read_program(table, program, false);
	}
	if (pass_replaced(program, time_ns)) {
		*ret_change = JIT_REPLACED;
	} else if (program->has_parent && !program->is_parted && program->symbols.n_symbols) {
		program->is_parted = true;
		*ret_change = JIT_PARTED;
	}
	return r;
}

int jit_table_continue(struct jit_table *table, uint32_t owner, uint32_t next_owner)
{
	struct jit_program *program = program_of(table, owner);
	int r = set_owner(table, next_owner, program);

	if (r == 0 && program)
		table->owners[owner].until_ns = program->until_ns;
	return r;
}

int jit_table_end(struct jit_table *table, uint32_t owner)
{
	struct jit_program *program = program_of(table, owner);
	int r;

	if (!program || !program->is_open)
		return 0;
	r = read_program(table, program, true);
	close_program(table, program);
	/* Most children of a program that makes code make none. */
	if (!program->symbols.n_symbols)
		jit_symbols_release(&program->symbols);
	return r;
}

int jit_table_end_all(struct jit_table *table)
{
	int r = 0;

	for (uint32_t owner = 0; owner < table->n_owners && r == 0; owner++)
		r = jit_table_end(table, owner);
	return r;
}

struct symbolizer_jit jit_table_find(const struct jit_table *table, uint32_t owner)
{
	const struct jit_program *program = program_of(table, owner);

	if (!program)
		return (struct symbolizer_jit){ 0 };
	return (struct symbolizer_jit){
		.symbols = &program->symbols,
		.until_ns = table->owners[owner].until_ns,
		.inherited = program->has_parent ? &program->inherited : NULL,
	};
}

uint32_t jit_table_n_limited(const struct jit_table *table)
{
	uint32_t n = 0;

	for (size_t i = 0; i < table->n_programs; i++)
		n += table->programs[i]->is_unread || table->programs[i]->symbols.is_full;
	return n || table->n_symbols < JIT_TABLE_MAX_SYMBOLS ? n : 1;
}
