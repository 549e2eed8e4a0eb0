/*
 * Libraries that come and go are told to the recorder in order with the samples.
 *
 * The real dlopen looks at its return address: the caller's RUNPATH decides
 * where a bare name is searched.  So it must be jumped to, not called, unless the
 * name is a path; then the mappings are told when the next one is opened or closed,
 * and the recorder, who finds code that it does not know, looks by itself.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/sigprof_client.h"
#include "lib/wrapper.h"

static void *(*real_dlopen)(const char *, int);
static int (*real_dlclose)(void *);
static _Atomic bool has_unsent_maps;		/* relaxed: a hint */
static _Atomic unsigned long long n_sent_loads; /* relaxed: as of the last sending */

/* How many objects were loaded since the start; the first one knows. */
static int read_n_loads(struct dl_phdr_info *info, size_t size_bytes, void *n_loads)
{
	(void)size_bytes;
	*(unsigned long long *)n_loads = info->dlpi_adds;
	return 1;
}

/* Most calls of dlopen find what is loaded already. */
static bool has_new_loads(void)
{
	unsigned long long n_loads = 0;

	(void)dl_iterate_phdr(read_n_loads, &n_loads);
	return n_loads != atomic_exchange_explicit(&n_sent_loads, n_loads, memory_order_relaxed);
}

static void send_maps(void)
{
	const int saved_errno = errno;

	if (client_thread.slot && client_thread_is_own() && has_new_loads()) {
		atomic_store_explicit(&has_unsent_maps, false, memory_order_relaxed);
		client_maps_send();
	}
	errno = saved_errno;
}

static void send_unsent_maps(void)
{
	if (atomic_load_explicit(&has_unsent_maps, memory_order_relaxed))
		send_maps();
}

static void *open_path(const char *path, int mode)
{
	void *handle = real_dlopen(path, mode);

	if (handle)
		send_maps();
	return handle;
}

WRAPPER void *dlopen(const char *name, int mode)
{
	WRAPPER_FIND(real_dlopen, "dlopen");
	send_unsent_maps();
	/* "$ORIGIN" in a path is the caller's, too. */
	if (name && strchr(name, '/') && !strchr(name, '$'))
		return open_path(name, mode);
	if (name && *name)
		atomic_store_explicit(&has_unsent_maps, true, memory_order_relaxed);
	return real_dlopen(name, mode);
}

WRAPPER int dlclose(void *handle)
{
	WRAPPER_FIND(real_dlclose, "dlclose");
	send_unsent_maps();
	return real_dlclose(handle);
}
