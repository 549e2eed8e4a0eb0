/*
 * Small text files, each read whole into a buffer on the stack and looked at as
 * if somebody else had written it: a container may show anything under /proc.
 */
#include "os/machine_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/proc_files.h"

/* Inodes of the namespaces that a machine boots with (include/linux/proc_ns.h). */
#define INITIAL_USER_NAMESPACE "user:[4026531837]"
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

#define ELF_NOTE_BUILD_ID 3

enum { TEXT_BYTES = 4096 };

static const char *own_environment(const char *name)
{
	return getenv(name);
}

const struct machine_source machine_source_own = { .root = "", .environment = own_environment };

static bool join(char path[PATH_MAX], const struct machine_source *source, const char *name)
{
	const int n_written = snprintf(path, PATH_MAX, "%s%s", source->root, name);

	return n_written > 0 && n_written < PATH_MAX;
}

static bool is_there(const struct machine_source *source, const char *name, int mode)
{
	char path[PATH_MAX];

	return join(path, source, name) && access(path, mode) == 0;
}

/* The beginning of a file as a string; bytes of 0 become spaces.  Returns its size. */
static size_t read_text(char text[TEXT_BYTES], const struct machine_source *source,
			const char *name)
{
	char path[PATH_MAX];
	size_t size = 0;
	ssize_t n_read = 1;
	int fd;

	text[0] = '\0';
	if (!join(path, source, name))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return 0;
	while (n_read > 0 && size < TEXT_BYTES - 1) {
		n_read = read(fd, text + size, TEXT_BYTES - 1 - size);
		size += n_read > 0 ? (size_t)n_read : 0;
	}
	(void)close(fd);
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[size] = '\0';
	return size;
}

static struct machine_number read_number(const struct machine_source *source, const char *name)
{
	struct machine_number number = { 0 };
	char path[PATH_MAX];

	number.is_known = join(path, source, name) &&
			  proc_files_read_number(&number.value, path) == 0;
	return number;
}

/* A line "KEY:\tVALUE" of /proc/self/status; NULL when it is not there. */
static const char *status_value(const char *text, const char *key)
{
	const size_t key_bytes = strlen(key);

	for (const char *line = text; line && *line;) {
		if (strncmp(line, key, key_bytes) == 0 && line[key_bytes] == ':')
			return line + key_bytes + 1;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

static bool status_mask(uint64_t *ret_mask, const char *text, const char *key)
{
	const char *const value = status_value(text, key);
	char *end;

	if (!value)
		return false;
	*ret_mask = strtoull(value, &end, 16);
	return end != value;
}

static void read_status(struct machine_settings *settings, const struct machine_source *source)
{
	char text[TEXT_BYTES];
	const char *value;
	char *end;

	(void)read_text(text, source, "/proc/self/status");
	settings->has_capabilities = status_mask(&settings->capabilities, text, "CapEff") &&
				     status_mask(&settings->bounding_set, text, "CapBnd");
	value = status_value(text, "Seccomp");
	if (value) {
		settings->seccomp_mode.value = strtoll(value, &end, 10);
		settings->seccomp_mode.is_known = end != value;
	}
}

/* True when the link can be read and is not the one of the machine's first namespace. */
static bool is_in_namespace(const struct machine_source *source, const char *name,
			    const char *initial)
{
	char path[PATH_MAX];
	char target[64];
	ssize_t size;

	if (!join(path, source, name))
		return false;
	size = readlink(path, target, sizeof(target) - 1);
	if (size <= 0)
		return false;
	target[size] = '\0';
	return strcmp(target, initial) != 0;
}

/* Any of these is a hint only: nothing is decided by it but what to advise. */
static const char *container_name(const struct machine_source *source)
{
	static const struct {
		const char *file;
		const char *content; /* NULL: being there is enough */
		const char *name;
	} hints[] = {
		{ "/proc/1/cgroup", "kubepods", "kubernetes" },
		{ "/run/.containerenv", NULL, "podman" },
		{ "/.dockerenv", NULL, "docker" },
		{ "/proc/1/cgroup", "docker", "docker" },
		{ "/proc/1/cgroup", "containerd", "containerd" },
		{ "/proc/1/cgroup", "lxc", "lxc" },
		{ "/run/systemd/container", "docker", "docker" },
		{ "/run/systemd/container", "podman", "podman" },
		{ "/run/systemd/container", "lxc", "lxc" },
		{ "/run/systemd/container", "systemd-nspawn", "systemd-nspawn" },
		{ "/proc/1/environ", "container=lxc", "lxc" },
		{ "/proc/1/environ", "container=", "container" },
	};
	char text[TEXT_BYTES];

	if (source->environment("KUBERNETES_SERVICE_HOST"))
		return "kubernetes";
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (!hints[i].content && is_there(source, hints[i].file, F_OK))
			return hints[i].name;
		if (hints[i].content && read_text(text, source, hints[i].file) &&
		    strstr(text, hints[i].content))
			return hints[i].name;
	}
	return "";
}

static void read_container(struct machine_settings *settings, const struct machine_source *source)
{
	settings->is_in_user_namespace = is_in_namespace(source, "/proc/self/ns/user",
							 INITIAL_USER_NAMESPACE);
	settings->is_in_pid_namespace = is_in_namespace(source, "/proc/self/ns/pid",
							INITIAL_PID_NAMESPACE);
	(void)snprintf(settings->container, sizeof(settings->container), "%s",
		       container_name(source));
}

/* An address that is not 0 anywhere in the beginning: the first ones may be 0 for good. */
static enum machine_kallsyms read_kallsyms(const struct machine_source *source)
{
	char text[TEXT_BYTES];

	if (!read_text(text, source, "/proc/kallsyms"))
		return KALLSYMS_ABSENT;
	for (const char *line = text; line && *line;) {
		if (strtoull(line, NULL, 16) != 0)
			return KALLSYMS_SHOWN;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return KALLSYMS_HIDDEN;
}

static void read_kernel_build_id(struct machine_settings *settings,
				 const struct machine_source *source)
{
	char path[PATH_MAX];
	uint8_t notes[TEXT_BYTES];
	struct bytes b;
	ssize_t size;
	int fd;

	if (!join(path, source, "/sys/kernel/notes"))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return;
	size = read(fd, notes, sizeof(notes));
	(void)close(fd);
	b = bytes_of(notes, size > 0 ? (size_t)size : 0);
	while (bytes_left(&b) > 0) {
		const uint32_t name_bytes = bytes_u32(&b);
		const uint32_t id_bytes = bytes_u32(&b);
		const uint32_t type = bytes_u32(&b);
		const uint8_t *name = bytes_take(&b, ((uint64_t)name_bytes + 3) & ~UINT64_C(3));
		const uint8_t *id = bytes_take(&b, ((uint64_t)id_bytes + 3) & ~UINT64_C(3));

		if (b.is_bad)
			return;
		if (type != ELF_NOTE_BUILD_ID || name_bytes != 4 || memcmp(name, "GNU", 4) != 0 ||
		    id_bytes < 2 || id_bytes > MACHINE_BUILD_ID_MAX_BYTES)
			continue;
		memcpy(settings->kernel_build_id, id, id_bytes);
		settings->kernel_build_id_bytes = id_bytes;
		return;
	}
}

static bool has_kernel_debug_files(const struct machine_settings *settings,
				   const struct machine_source *source)
{
	static const char *const places[] = { "/usr/lib/debug/boot/vmlinux-%s",
					      "/usr/lib/debug/lib/modules/%s/vmlinux",
					      "/usr/lib/debug/usr/lib/modules/%s/vmlinux" };
	char name[PATH_MAX];
	size_t used;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *const gap = strstr(places[i], "%s");

		(void)snprintf(name, sizeof(name), "%.*s%s%s", (int)(gap - places[i]), places[i],
			       settings->kernel_release, gap + 2);
		if (*settings->kernel_release && is_there(source, name, R_OK))
			return true;
	}
	if (!settings->kernel_build_id_bytes)
		return false;
	used = (size_t)snprintf(name, sizeof(name), "/usr/lib/debug/.build-id/%02x/",
				settings->kernel_build_id[0]);
	for (size_t i = 1; i < settings->kernel_build_id_bytes; i++)
		used += (size_t)snprintf(name + used, sizeof(name) - used, "%02x",
					 settings->kernel_build_id[i]);
	(void)snprintf(name + used, sizeof(name) - used, ".debug");
	return is_there(source, name, R_OK);
}

static bool has_debuginfod(const struct machine_source *source)
{
	static const char *const places[] = {
		"/usr/lib/x86_64-linux-gnu/libdebuginfod.so.1",
		"/usr/lib/aarch64-linux-gnu/libdebuginfod.so.1",
		"/usr/lib64/libdebuginfod.so.1",
		"/usr/lib/libdebuginfod.so.1",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (is_there(source, places[i], R_OK))
			return true;
	return false;
}

static void read_symbols(struct machine_settings *settings, const struct machine_source *source)
{
	const char *const urls = source->environment("DEBUGINFOD_URLS");
	char text[TEXT_BYTES];

	(void)read_text(text, source, "/proc/sys/kernel/osrelease");
	text[strcspn(text, "\n/")] = '\0';
	(void)snprintf(settings->kernel_release, sizeof(settings->kernel_release), "%.*s",
		       MACHINE_NAME_BYTES - 1, text);
	read_kernel_build_id(settings, source);
	settings->kallsyms = read_kallsyms(source);
	settings->has_debug_files = is_there(source, "/usr/lib/debug/.build-id", R_OK | X_OK);
	settings->has_kernel_debug_files = has_kernel_debug_files(settings, source);
	(void)snprintf(settings->debuginfod_urls, sizeof(settings->debuginfod_urls), "%s",
		       urls ? urls : "");
	settings->has_debuginfod = has_debuginfod(source);
}

void machine_settings_read(struct machine_settings *settings, const struct machine_source *source)
{
	*settings = (struct machine_settings){
		.paranoid = read_number(source, "/proc/sys/kernel/perf_event_paranoid"),
		.mlock_kb = read_number(source, "/proc/sys/kernel/perf_event_mlock_kb"),
		.max_rate_hz = read_number(source, "/proc/sys/kernel/perf_event_max_sample_rate"),
		.kptr_restrict = read_number(source, "/proc/sys/kernel/kptr_restrict"),
		.ptrace_scope = read_number(source, "/proc/sys/kernel/yama/ptrace_scope"),
		.bpf_disabled = read_number(source, "/proc/sys/kernel/unprivileged_bpf_disabled"),
	};
	read_status(settings, source);
	read_container(settings, source);
	read_symbols(settings, source);
	settings->has_tracefs = is_there(source, "/sys/kernel/tracing/events", R_OK | X_OK) ||
				is_there(source, "/sys/kernel/debug/tracing/events", R_OK | X_OK);
}

bool machine_settings_may(const struct machine_settings *settings, unsigned int capability)
{
	const uint64_t wanted = UINT64_C(1) << capability;
	const uint64_t all = UINT64_C(1) << CAP_SYS_ADMIN;
	uint64_t enough = wanted;

	/* Both were carved out of CAP_SYS_ADMIN, which still holds them (capabilities(7)). */
	if (capability == CAP_PERFMON || capability == CAP_BPF ||
	    capability == CAP_CHECKPOINT_RESTORE)
		enough |= all;
	return !settings->is_in_user_namespace && (settings->capabilities & enough) != 0;
}
