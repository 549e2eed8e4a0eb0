/* Names, inlined calls, files and lines of programs whose truth is known. */
#include "compiled.h"

#include "model/frame_names.h"
#include "symbol/symbol_table.h"
#include "symbol/symbolizer.h"

static const char cc_source[] =
	"namespace ns {\n"
	"static inline __attribute__((always_inline)) int inner(volatile int *p)\n"
	"{\n"
	"	return *p * 7;\n" /* line 4 */
	"}\n"
	"struct box {\n"
	"	__attribute__((always_inline)) int middle(volatile int *p)\n"
	"	{\n"
	"		return inner(p) + *p;\n" /* line 9 */
	"	}\n"
	"};\n"
	"__attribute__((noinline)) int outer(volatile int *p)\n"
	"{\n"
	"	return box().middle(p) * 3;\n" /* line 14 */
	"}\n"
	"static __attribute__((noinline)) int hidden(volatile int *p)\n"
	"{\n"
	"	return *p + 1;\n"
	"}\n"
	"}\n"
	"int main(int argc, char **)\n"
	"{\n"
	"	volatile int v = argc;\n"
	"	return ns::outer(&v) + ns::hidden(&v);\n"
	"}\n";

#define CC_COMMAND "${CXX:-c++} -g -O2 -Wl,--build-id source.cc -o program"

/* A profile with one module and one location for every byte of `function`. */
struct fixture {
	struct compiled compiled;
	struct elf_image image;
	struct profile profile;
	uint32_t module;
	char debug_root[128];
};

static void fixture_init(struct fixture *f, const char *source, const char *name,
			 const char *command)
{
	memset(f, 0, sizeof(*f));
	if (!compiled_init(&f->compiled, name, source, command)) {
		compiled_release(&f->compiled);
		skip();
	}
	(void)snprintf(f->debug_root, sizeof(f->debug_root), "%s/debug", f->compiled.directory);
	assert_int_equal(profile_init(&f->profile), 0);
}

static void fixture_add_range(struct fixture *f, uint64_t from, uint64_t to)
{
	uint32_t id;

	for (uint64_t vaddr = from; vaddr < to; vaddr++)
		assert_int_equal(location_table_add(&f->profile.locations, &id, f->module, vaddr),
				 0);
}

/* The vaddrs of a function, looked up before the program is stripped. */
static void fixture_add_function(struct fixture *f, const char *mangled)
{
	struct symbol_table table;
	struct elf_image image;
	bool is_found = false;

	assert_int_equal(elf_image_open(&image, f->compiled.path, NULL), 0);
	assert_int_equal(symbol_table_load(&table, &image, NULL), 0);
	for (size_t i = 0; i < table.n_symbols; i++) {
		if (strcmp(table.symbols[i].name, mangled) != 0)
			continue;
		fixture_add_range(f, table.symbols[i].vaddr, table.symbols[i].end);
		is_found = true;
	}
	assert_true(is_found);
	symbol_table_release(&table);
	elf_image_release(&image);
}

static void fixture_add_module(struct fixture *f)
{
	struct module module = { .kind = MODULE_KIND_FILE };

	assert_int_equal(interner_add(&f->profile.strings, &module.path, f->compiled.path), 0);
	assert_int_equal(profile_add_module(&f->profile, &f->module, &module), 0);
}

static void fixture_symbolize(struct fixture *f, bool without_lines)
{
	const struct symbolizer_options options = { .without_lines = without_lines,
						    .debug_root = f->debug_root };
	struct elf_image *images[2] = { NULL, &f->image };

	assert_int_equal(elf_image_open(&f->image, f->compiled.path, NULL), 0);
	assert_int_equal(symbolizer_run(&f->profile, images, &options, NULL), 0);
	assert_int_equal(frame_names_complete(&f->profile), 0);
	for (size_t i = 0; i < f->profile.locations.n_locations; i++)
		assert_true(f->profile.locations.locations[i].n_frames > 0);
}

static void fixture_release(struct fixture *f)
{
	elf_image_release(&f->image);
	profile_release(&f->profile);
	compiled_release(&f->compiled);
}

/* "inner:4 < middle:9 < outer:14", as it is for one location. */
static void chain_text(const struct profile *profile, size_t index, char *text, size_t size)
{
	const struct location *location = &profile->locations.locations[index];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < location->n_frames && n < size; i++) {
		const struct frame *frame = &profile->frames[location->first_frame + i];

		n += (size_t)snprintf(text + n, size - n, "%s%s:%u%s", i ? " < " : "",
				      interner_get(&profile->strings, frame->function), frame->line,
				      frame->flags & FRAME_INLINED ? "i" : "");
	}
}

/* How many locations have this chain. */
static size_t count_chains(const struct fixture *f, const char *expected)
{
	size_t n = 0;

	for (size_t i = 0; i < f->profile.locations.n_locations; i++) {
		char text[1024];

		chain_text(&f->profile, i, text, sizeof(text));
		n += strcmp(text, expected) == 0;
	}
	return n;
}

static const char whole_chain[] = "ns::inner:4i < ns::box::middle(int volatile*):9i < "
				  "ns::outer(int volatile*):14";

static void symbolizer_run__gives_inlined_calls_and_lines(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, cc_source, "source.cc", CC_COMMAND);
	fixture_add_module(&f);
	fixture_add_function(&f, "_ZN2ns5outerEPVi");
	fixture_add_function(&f, "_ZN2nsL6hiddenEPVi");
	fixture_symbolize(&f, false);
	assert_true(count_chains(&f, whole_chain) > 0);
	assert_true(count_chains(&f, "ns::hidden(int volatile*):18") > 0);
	fixture_release(&f);
}

/* Functions that nobody else can call, for which gcc writes no linkage names. */
static const char hidden_source[] =
	"#define INLINE __attribute__((always_inline)) inline\n"
	"namespace {\n"
	"INLINE int plain(volatile int *p) { return *p * 3; }\n"
	"struct box { INLINE int get(volatile int *p) { return *p / 7; } };\n"
	"namespace deep { struct outer { struct inner { static int put(volatile int *p); }; }; }\n"
	"INLINE int deep::outer::inner::put(volatile int *p) { return *p % 11; }\n"
	"}\n"
	"static INLINE int lone(volatile int *p) { return *p - 5; }\n"
	"namespace ns {\n"
	"__attribute__((noinline)) int all(volatile int *p)\n"
	"{\n"
	"	auto local = [](volatile int *q) INLINE_LAMBDA { return *q * 13; };\n"
	"	return plain(p) + box().get(p) + deep::outer::inner::put(p) + lone(p) + local(p);\n"
	"}\n"
	"}\n"
	"int main(int argc, char **) { volatile int v = argc; return ns::all(&v); }\n";

/* Is an inlined frame of this name, or of this name with parameters, in some chain? */
static bool has_inlined(const struct fixture *f, const char *name)
{
	const size_t size = strlen(name);

	for (size_t i = 0; i < f->profile.n_frames; i++) {
		const struct frame *frame = &f->profile.frames[i];
		const char *found = interner_get(&f->profile.strings, frame->function);

		if ((frame->flags & FRAME_INLINED) && strncmp(found, name, size) == 0 &&
		    (found[size] == '\0' || found[size] == '('))
			return true;
	}
	return false;
}

static void symbolizer_run__names_what_hidden_functions_stand_in(void **state)
{
	static const char *const options[] = { "-gdwarf-4", "-gdwarf-5",
					       "-gdwarf-5 -gsplit-dwarf" };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(options); i++) {
		char command[256];
		struct fixture f;

		(void)snprintf(
			command, sizeof(command),
			"${CXX:-c++} -O2 %s '-DINLINE_LAMBDA=__attribute__((always_inline))' "
			"source.cc -o program",
			options[i]);
		fixture_init(&f, hidden_source, "source.cc", command);
		fixture_add_module(&f);
		fixture_add_function(&f, "_ZN2ns3allEPVi");
		fixture_symbolize(&f, false);
		assert_true(has_inlined(&f, "(anonymous namespace)::plain"));
		assert_true(has_inlined(&f, "(anonymous namespace)::box::get"));
		assert_true(has_inlined(&f, "(anonymous namespace)::deep::outer::inner::put"));
		assert_true(has_inlined(&f, "lone"));
		/* As here, as demangled from gcc's linkage name, and from clang's. */
		assert_true(has_inlined(&f, "ns::all(int volatile*)::<lambda>::operator()") ||
			    has_inlined(&f, "ns::all(int volatile*)::{lambda(int volatile*)#1}::"
					    "operator()") ||
			    has_inlined(&f, "ns::all(int volatile*)::$_0::operator()"));
		fixture_release(&f);
	}
}

static void symbolizer_run__without_lines_names_functions(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, cc_source, "source.cc", CC_COMMAND);
	fixture_add_module(&f);
	fixture_add_function(&f, "_ZN2ns5outerEPVi");
	fixture_symbolize(&f, true);
	assert_int_equal(count_chains(&f, "ns::outer(int volatile*):0"),
			 f.profile.locations.n_locations);
	fixture_release(&f);
}

/* Runs `commands` after the addresses are known and expects the whole chain still. */
static void check_separate(const char *commands)
{
	struct fixture f;
	bool is_done;

	fixture_init(&f, cc_source, "source.cc", CC_COMMAND);
	fixture_add_module(&f);
	fixture_add_function(&f, "_ZN2ns5outerEPVi");
	is_done = compiled_run(&f.compiled, "%s", commands);
	if (is_done) {
		fixture_symbolize(&f, false);
		assert_true(count_chains(&f, whole_chain) > 0);
	}
	fixture_release(&f);
	if (!is_done)
		skip();
}

static void symbolizer_run__finds_the_debug_file_by_build_id(void **state)
{
	(void)state;
	check_separate("id=$(readelf -n program | sed -n 's/.*Build ID: //p') && "
		       "d=debug/.build-id/$(echo $id | cut -c1-2) && mkdir -p $d && "
		       "objcopy --only-keep-debug program $d/$(echo $id | cut -c3-).debug && "
		       "strip program");
}

static void symbolizer_run__finds_the_debug_file_by_debuglink(void **state)
{
	(void)state;
	check_separate("mkdir .debug && objcopy --only-keep-debug program .debug/program.debug && "
		       "strip program && objcopy --add-gnu-debuglink=.debug/program.debug program");
	check_separate("objcopy -R .note.gnu.build-id program && "
		       "objcopy --only-keep-debug program program.debug && "
		       "strip program && objcopy --add-gnu-debuglink=program.debug program");
	check_separate("objcopy --compress-debug-sections program");
}

static void symbolizer_run__passes_over_a_debug_file_of_another_build(void **state)
{
	struct fixture f;
	bool is_done;

	(void)state;
	fixture_init(&f, cc_source, "source.cc", CC_COMMAND);
	fixture_add_module(&f);
	fixture_add_function(&f, "_ZN2ns5outerEPVi");
	is_done = compiled_run(&f.compiled, "objcopy --only-keep-debug program program.debug && "
					    "strip program && "
					    "objcopy --add-gnu-debuglink=program.debug program && "
					    "${CXX:-c++} -g -O1 source.cc -o program.debug");
	if (is_done) {
		fixture_symbolize(&f, false);
		assert_int_equal(count_chains(&f, whole_chain), 0);
		assert_true(f.profile.frames[0].flags & FRAME_UNRESOLVED);
	}
	fixture_release(&f);
	if (!is_done)
		skip();
}

static void symbolizer_run__reads_gnu_debugdata(void **state)
{
	struct fixture f;
	bool is_done;

	(void)state;
	fixture_init(&f, cc_source, "source.cc", CC_COMMAND);
	fixture_add_module(&f);
	fixture_add_function(&f, "_ZN2ns5outerEPVi");
	is_done = compiled_run(&f.compiled,
			       "objcopy --only-keep-debug program mini && "
			       "strip --strip-debug mini && strip program && xz mini && "
			       "objcopy --add-section .gnu_debugdata=mini.xz program");
	if (is_done) {
		fixture_symbolize(&f, false);
		assert_int_equal(count_chains(&f, "ns::outer(int volatile*):0"),
				 f.profile.locations.n_locations);
	}
	fixture_release(&f);
	if (!is_done)
		skip();
}

static void symbolizer_run__names_every_kind_of_module(void **state)
{
	const struct module modules[] = {
		{ .kind = MODULE_KIND_KERNEL },
		{ .kind = MODULE_KIND_ANONYMOUS },
		{ .kind = MODULE_KIND_UNMAPPED },
		{ .kind = MODULE_KIND_FILE },
	};
	const char *const paths[] = { "[kernel]", "[anon]", "[unmapped]", "/usr/lib/libfoo.so" };
	const char *const expected[] = { "[kernel+0x1234]:0", "[anon+0x1234]:0",
					 "[unmapped+0x1234]:0", "[libfoo.so+0x1234]:0" };
	const struct symbolizer_options options = { .kallsyms_path = "/nonexistent" };
	struct profile profile;
	uint32_t id;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	for (size_t i = 0; i < N_ITEMS(modules); i++) {
		struct module module = modules[i];

		assert_int_equal(interner_add(&profile.strings, &module.path, paths[i]), 0);
		assert_int_equal(profile_add_module(&profile, &id, &module), 0);
		assert_int_equal(location_table_add(&profile.locations, &id, id, 0x1234), 0);
	}
	assert_int_equal(profile_add_truncation(&profile, &id, STACK_NO_CFI, 4), 0);
	assert_int_equal(symbolizer_run(&profile, NULL, &options, NULL), 0);
	assert_int_equal(frame_names_complete(&profile), 0);
	for (size_t i = 0; i < N_ITEMS(modules) + 1; i++) {
		char text[256];

		chain_text(&profile, i, text, sizeof(text));
		assert_string_equal(text, i < N_ITEMS(expected)
						  ? expected[i]
						  : "[truncated: no unwind info in libfoo.so]:0");
	}
	assert_true(profile.info.is_symbolized);
	profile_release(&profile);
}

static void symbolizer_run__names_code_that_a_runtime_made(void **state)
{
	const struct jit_function function = { .start = 0x1230,
					       .size_bytes = 16,
					       .name = "JS:*f a.js:1",
					       .name_bytes = 12,
					       .n_lines = 1 };
	struct jit_symbols symbols;
	struct symbolizer_jit jit[2] = { { 0 }, { .symbols = &symbols, .until_ns = UINT64_MAX } };
	const struct symbolizer_options options = { .jit = jit };
	struct module module = { .kind = MODULE_KIND_ANONYMOUS };
	struct profile profile;
	char text[256];
	uint32_t id;

	(void)state;
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(jit_symbols_add_line(&symbols, 0, "a.js", 4, 7), 0);
	assert_int_equal(jit_symbols_add(&symbols, &function), 0);
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(interner_add(&profile.strings, &module.path, "//anon"), 0);
	assert_int_equal(profile_add_module(&profile, &id, &module), 0);
	assert_int_equal(location_table_add(&profile.locations, &id, 1, 0x1234), 0);
	assert_int_equal(location_table_add(&profile.locations, &id, 1, 0x5555), 0);
	assert_int_equal(symbolizer_run(&profile, NULL, &options, NULL), 0);
	assert_int_equal(frame_names_complete(&profile), 0);
	chain_text(&profile, 0, text, sizeof(text));
	assert_string_equal(text, "JS:*f a.js:1:7");
	assert_int_equal(profile.frames[profile.locations.locations[0].first_frame].flags,
			 FRAME_JIT);
	chain_text(&profile, 1, text, sizeof(text));
	assert_string_equal(text, "[anon+0x5555]:0");
	profile_release(&profile);
	jit_symbols_release(&symbols);
}

static void symbolizer_run__remarks_that_the_kernel_hides_its_names(void **state)
{
	struct symbolizer_remarks remarks = { 0 };
	const struct symbolizer_options options = { .kallsyms_path = "/nonexistent",
						    .remarks = &remarks };
	struct module module = { .kind = MODULE_KIND_KERNEL };
	struct profile profile;
	uint32_t id;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(symbolizer_run(&profile, NULL, &options, NULL), 0);
	assert_false(remarks.has_hidden_kernel);
	assert_int_equal(interner_add(&profile.strings, &module.path, "[kernel]"), 0);
	assert_int_equal(profile_add_module(&profile, &id, &module), 0);
	assert_int_equal(location_table_add(&profile.locations, &id, id, 0x1234), 0);
	assert_int_equal(symbolizer_run(&profile, NULL, &options, NULL), 0);
	assert_true(remarks.has_hidden_kernel);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbolizer_run__gives_inlined_calls_and_lines),
		cmocka_unit_test(symbolizer_run__names_what_hidden_functions_stand_in),
		cmocka_unit_test(symbolizer_run__without_lines_names_functions),
		cmocka_unit_test(symbolizer_run__finds_the_debug_file_by_build_id),
		cmocka_unit_test(symbolizer_run__finds_the_debug_file_by_debuglink),
		cmocka_unit_test(symbolizer_run__passes_over_a_debug_file_of_another_build),
		cmocka_unit_test(symbolizer_run__reads_gnu_debugdata),
		cmocka_unit_test(symbolizer_run__names_every_kind_of_module),
		cmocka_unit_test(symbolizer_run__names_code_that_a_runtime_made),
		cmocka_unit_test(symbolizer_run__remarks_that_the_kernel_hides_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
