/*
 * Loads and unloads two libraries in turns, so that one follows the other at
 * the same address, while a second thread holds the loader's lock as often as
 * it can.  The libraries lie beside the program and work for some 20 us at a time,
 * or for as many turns as the second argument says; then there is no other thread,
 * and their shares by the CPU clock are printed, too: "alpha_work 0.5".
 *
 *	plugin_loop [SECONDS [TURNS]]
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "torture.h"

enum { WORK_TURNS = 20000, PATH_MAX_BYTES = 4096 };

struct plugin {
	const char *name;
	char path[PATH_MAX_BYTES];
	uint64_t expected;
	double cpu_s;
	uintptr_t address;
};

static atomic_bool has_ended;

static int count_object(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info;
	(void)size;
	++*(int *)data;
	return 0;
}

static void *lister_main(void *data)
{
	(void)data;
	while (!atomic_load_explicit(&has_ended, memory_order_relaxed)) {
		int n_objects = 0;

		(void)dl_iterate_phdr(count_object, &n_objects);
		torture_require(n_objects > 1, "no objects in the list");
		(void)usleep(50);
	}
	return NULL;
}

static double thread_cpu_s(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void plugin_turn(struct plugin *plugin, int n_turns)
{
	void *handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
	uint64_t (*run)(uint64_t seed, int n_turns);
	uint64_t result;
	double start_s;
	void *symbol;

	torture_require(handle != NULL, "dlopen failed");
	symbol = dlsym(handle, "plugin_run");
	torture_require(symbol != NULL, "no plugin_run");
	memcpy(&run, &symbol, sizeof(run));
	start_s = thread_cpu_s();
	result = run(1, n_turns);
	plugin->cpu_s += thread_cpu_s() - start_s;
	torture_require(plugin->expected == 0 || plugin->expected == result,
			"a plugin gave another result");
	plugin->expected = result;
	plugin->address = (uintptr_t)symbol & ~(uintptr_t)0xfff;
	torture_require(dlclose(handle) == 0, "dlclose failed");
}

static void plugin_init(struct plugin *plugin, const char *name, const char *program)
{
	const char *slash = strrchr(program, '/');
	int n;

	*plugin = (struct plugin){ .name = name };
	n = snprintf(plugin->path, sizeof(plugin->path), "%.*s/plugin_%s.so",
		     slash ? (int)(slash - program) : 1, slash ? program : ".", name);
	torture_require(n > 0 && (size_t)n < sizeof(plugin->path), "the path is too long");
}

int main(int argc, char **argv)
{
	const int n_turns = argc > 2 ? atoi(argv[2]) : WORK_TURNS;
	struct plugin plugins[2];
	uint64_t n_same_address = 0;
	pthread_t lister;
	double total_s;

	torture_begin(argc, argv);
	plugin_init(&plugins[0], "alpha", argv[0]);
	plugin_init(&plugins[1], "beta", argv[0]);
	if (argc < 3)
		torture_require(pthread_create(&lister, NULL, lister_main, NULL) == 0, "no thread");
	do {
		plugin_turn(&plugins[0], n_turns);
		plugin_turn(&plugins[1], n_turns);
		n_same_address += plugins[0].address == plugins[1].address;
	} while (torture_goes_on());
	atomic_store_explicit(&has_ended, true, memory_order_relaxed);
	if (argc < 3)
		torture_require(pthread_join(lister, NULL) == 0, "no join");

	total_s = plugins[0].cpu_s + plugins[1].cpu_s;
	for (int i = 0; i < 2; i++) {
		printf("%s: %llu\n", plugins[i].name, (unsigned long long)plugins[i].expected);
		if (argc > 2)
			printf("%s_work %.4f\n", plugins[i].name, plugins[i].cpu_s / total_s);
	}
	printf("ever at the same address: %s\n", n_same_address > 0 ? "yes" : "no");
	return TORTURE_STATUS;
}
