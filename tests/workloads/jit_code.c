/*
 * Makes code and burns CPU time in it, 60 % of it in jit_first and 40 % in
 * jit_second, and tells a profiler what it made:
 *
 *	jit_code map SECONDS      two places, in a perf map
 *	jit_code map-reuse SECONDS  one place, first the one, then the other
 *	jit_code dump SECONDS     the same, in a jitdump with times; then moved
 *	jit_code memfd SECONDS    as map, in memory of memfd_create
 *	jit_code fork SECONDS     jit_first by the parent, jit_second by its child, which
 *	                          burns in both; the parent has another function there
 *	jit_code callback SECONDS code that is told of nowhere, and all of it in what that calls
 *	jit_code frameless SECONDS  the same, but code that keeps no frame pointer
 *
 * The files go to /tmp and to the current directory, as runtimes have it, and
 * are removed at the end, before the process is.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

enum { PAGE_BYTES = 4096, SECOND_AT = 1024, MOVED_AT = 2048, TURNS_PER_CALL = 100000 };

/* A function that counts its argument down to 0, with a frame. */
#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
static const uint8_t countdown[] = {
	0x55,		  /* push %rbp */
	0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
	0x48, 0xff, 0xcf, /* 1: dec %rdi */
	0x75, 0xfb,	  /* jnz 1b */
	0x5d,		  /* pop %rbp */
	0xc3,		  /* ret */
};

/* One that calls its argument. */
static const uint8_t calling[] = {
	0x55,		  /* push %rbp */
	0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
	0xff, 0xd7,	  /* call *%rdi */
	0x5d,		  /* pop %rbp */
	0xc3,		  /* ret */
};

static const uint8_t calling_frameless[] = {
	0x55,	    /* push %rbp */
	0x31, 0xed, /* xor %ebp, %ebp */
	0xff, 0xd7, /* call *%rdi */
	0x5d,	    /* pop %rbp */
	0xc3,	    /* ret */
};
#else
enum { MACHINE = EM_AARCH64 };
static const uint32_t countdown[] = {
	0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
	0x910003fd, /* mov x29, sp */
	0xf1000400, /* 1: subs x0, x0, #1 */
	0x54ffffe1, /* b.ne 1b */
	0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
	0xd65f03c0, /* ret */
};

static const uint32_t calling[] = {
	0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
	0x910003fd, /* mov x29, sp */
	0xd63f0000, /* blr x0 */
	0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
	0xd65f03c0, /* ret */
};

static const uint32_t calling_frameless[] = {
	0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
	0xd280001d, /* mov x29, #0 */
	0xd63f0000, /* blr x0 */
	0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
	0xd65f03c0, /* ret */
};
#endif

struct dump_header {
	uint32_t magic, version, header_bytes, machine, padding, pid;
	uint64_t time_ns, flags;
};

struct dump_record {
	uint32_t id, record_bytes;
	uint64_t time_ns;
};

struct dump_load {
	struct dump_record record;
	uint32_t pid, tid;
	uint64_t vma, address, code_bytes, index;
};

struct dump_move {
	struct dump_record record;
	uint32_t pid, tid;
	uint64_t vma, old_address, address, code_bytes, index;
};

struct dump_lines {
	struct dump_record record;
	uint64_t address, n_lines, line_address;
	uint32_t line, discriminator;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		abort();
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void write_code(uint8_t *at)
{
	memcpy(at, countdown, sizeof(countdown));
	__builtin___clear_cache((char *)at, (char *)at + sizeof(countdown));
}

__attribute__((noinline)) static void burn(uint8_t *code, int64_t duration_ns)
{
	const int64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + duration_ns;
	void (*function)(long);

	memcpy(&function, &code, sizeof(function));
	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		function(TURNS_PER_CALL);
}

static FILE *open_map(char *path, size_t size)
{
	FILE *map;

	(void)snprintf(path, size, "/tmp/perf-%ld.map", (long)getpid());
	map = fopen(path, "w");
	if (!map)
		abort();
	return map;
}

static void add_to_map(FILE *map, const uint8_t *code, const char *name)
{
	if (fprintf(map, "%lx %zx %s\n", (unsigned long)(uintptr_t)code, sizeof(countdown), name) <
		    0 ||
	    fflush(map) != 0)
		abort();
}

static void run_with_map(uint8_t *code, int64_t duration_ns, size_t second_at)
{
	char path[64];
	FILE *map = open_map(path, sizeof(path));

	write_code(code);
	add_to_map(map, code, "jit_first(a b)");
	burn(code, duration_ns * 6 / 10);
	write_code(code + second_at);
	add_to_map(map, code + second_at, "jit_second");
	burn(code + second_at, duration_ns * 4 / 10);
	(void)fclose(map);
	(void)unlink(path);
}

static void run_child(uint8_t *code, int64_t duration_ns)
{
	char path[64];
	FILE *map = open_map(path, sizeof(path));

	write_code(code + SECOND_AT);
	add_to_map(map, code + SECOND_AT, "jit_second");
	burn(code, duration_ns * 6 / 10);
	burn(code + SECOND_AT, duration_ns * 4 / 10);
	(void)fclose(map);
	(void)unlink(path);
	_exit(0);
}

static void run_with_fork(uint8_t *code, int64_t duration_ns)
{
	char path[64];
	FILE *map = open_map(path, sizeof(path));
	pid_t child;

	write_code(code);
	add_to_map(map, code, "jit_first(a b)");
	burn(code, duration_ns / 100);
	child = fork();
	if (child == 0)
		run_child(code, duration_ns);
	add_to_map(map, code + SECOND_AT, "jit_of_the_parent");
	(void)waitpid(child, NULL, 0);
	(void)fclose(map);
	(void)unlink(path);
}

static int64_t callback_ns;

__attribute__((noinline)) static void called_back(void)
{
	const int64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + callback_ns;
	volatile unsigned long turns = 0;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		for (int i = 0; i < TURNS_PER_CALL; i++)
			turns++;
}

/* `made`: what calls. */
__attribute__((noinline)) static void run_with_callback(uint8_t *code, int64_t duration_ns,
							const void *made, size_t made_bytes)
{
	void (*function)(void (*)(void));

	memcpy(code, made, made_bytes);
	__builtin___clear_cache((char *)code, (char *)code + made_bytes);
	memcpy(&function, &code, sizeof(function));
	callback_ns = duration_ns;
	function(called_back);
	/* Used after the call: no tail call. */
	callback_ns = 0;
}

static struct dump_record dump_record(uint32_t id, size_t record_bytes)
{
	return (struct dump_record){ .id = id,
				     .record_bytes = (uint32_t)record_bytes,
				     .time_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC) };
}

static void add_lines(FILE *dump, const uint8_t *code, uint32_t line)
{
	static const char file[] = "made.lang";
	const struct dump_lines lines = {
		.record = dump_record(2, sizeof(lines) + sizeof(file)),
		.address = (uintptr_t)code,
		.n_lines = 1,
		.line_address = (uintptr_t)code,
		.line = line,
	};

	(void)fwrite(&lines, sizeof(lines), 1, dump);
	(void)fwrite(file, sizeof(file), 1, dump);
}

static void add_load(FILE *dump, uint8_t *code, const char *name, uint64_t index)
{
	const size_t name_bytes = strlen(name) + 1;
	const struct dump_load load = {
		.record = dump_record(0, sizeof(load) + name_bytes + sizeof(countdown)),
		.pid = (uint32_t)getpid(),
		.tid = (uint32_t)getpid(),
		.vma = (uintptr_t)code,
		.address = (uintptr_t)code,
		.code_bytes = sizeof(countdown),
		.index = index,
	};

	(void)fwrite(&load, sizeof(load), 1, dump);
	(void)fwrite(name, name_bytes, 1, dump);
	(void)fwrite(countdown, sizeof(countdown), 1, dump);
	if (fflush(dump) != 0)
		abort();
}

static void add_move(FILE *dump, const uint8_t *from, const uint8_t *to, uint64_t index)
{
	const struct dump_move move = {
		.record = dump_record(1, sizeof(move)),
		.pid = (uint32_t)getpid(),
		.tid = (uint32_t)getpid(),
		.vma = (uintptr_t)to,
		.old_address = (uintptr_t)from,
		.address = (uintptr_t)to,
		.code_bytes = sizeof(countdown),
		.index = index,
	};

	if (fwrite(&move, sizeof(move), 1, dump) != 1 || fflush(dump) != 0)
		abort();
}

static void run_with_dump(uint8_t *code, int64_t duration_ns)
{
	const struct dump_header header = {
		.magic = 0x4a695444,
		.version = 1,
		.header_bytes = sizeof(header),
		.machine = MACHINE,
		.pid = (uint32_t)getpid(),
		.time_ns = (uint64_t)clock_ns(CLOCK_MONOTONIC),
	};
	char path[64];
	FILE *dump;

	(void)snprintf(path, sizeof(path), "jit-%ld.dump", (long)getpid());
	dump = fopen(path, "w+");
	if (!dump || fwrite(&header, sizeof(header), 1, dump) != 1 || fflush(dump) != 0)
		abort();
	/* How a profiler finds it. */
	if (mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump), 0) ==
	    MAP_FAILED)
		abort();
	write_code(code);
	add_lines(dump, code, 11);
	add_load(dump, code, "jit_first(a b)", 1);
	burn(code, duration_ns * 6 / 10);
	add_lines(dump, code, 22);
	add_load(dump, code, "jit_second", 2);
	burn(code, duration_ns * 2 / 10);
	write_code(code + MOVED_AT);
	add_move(dump, code, code + MOVED_AT, 2);
	burn(code + MOVED_AT, duration_ns * 2 / 10);
	(void)fclose(dump);
	(void)unlink(path);
}

static uint8_t *executable_memory(int fd)
{
	void *code = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
			  fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (code == MAP_FAILED)
		abort();
	return code;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "map";
	const int64_t duration_ns = (int64_t)((argc > 2 ? strtod(argv[2], NULL) : 1) * NS_PER_S);
	int fd = -1;

	if (strcmp(mode, "memfd") == 0) {
		fd = memfd_create("made code", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, PAGE_BYTES) < 0)
			abort();
	}
	if (strcmp(mode, "dump") == 0)
		run_with_dump(executable_memory(fd), duration_ns);
	else if (strcmp(mode, "fork") == 0)
		run_with_fork(executable_memory(fd), duration_ns);
	else if (strcmp(mode, "callback") == 0)
		run_with_callback(executable_memory(fd), duration_ns, calling, sizeof(calling));
	else if (strcmp(mode, "frameless") == 0)
		run_with_callback(executable_memory(fd), duration_ns, calling_frameless,
				  sizeof(calling_frameless));
	else
		run_with_map(executable_memory(fd), duration_ns,
			     strcmp(mode, "map-reuse") == 0 ? 0 : SECOND_AT);
	return 0;
}
