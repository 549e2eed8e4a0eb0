#ifndef TSPROF_OS_MACHINE_SETTINGS_H
#define TSPROF_OS_MACHINE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the files of a machine say about what may be watched on it: plain facts,
 * judged in record/machine_checks.h.  A file that is missing, unreadable or
 * not what it should be leaves its fact unknown, never fails.
 */
struct machine_number {
	bool is_known;
	int64_t value;
};

enum machine_kallsyms {
	KALLSYMS_ABSENT, /* unreadable, or the kernel has none */
	KALLSYMS_HIDDEN, /* all addresses read as 0 */
	KALLSYMS_SHOWN,
};

enum {
	MACHINE_NAME_BYTES = 72,
	MACHINE_URLS_BYTES = 200,
	MACHINE_BUILD_ID_MAX_BYTES = 32,
};

struct machine_settings {
	/* /proc/sys/kernel */
	struct machine_number paranoid;	   /* perf_event_paranoid */
	struct machine_number mlock_kb;	   /* perf_event_mlock_kb, of each CPU */
	struct machine_number max_rate_hz; /* perf_event_max_sample_rate */
	struct machine_number kptr_restrict;
	struct machine_number ptrace_scope; /* yama's; unknown: not there, as with 0 */
	struct machine_number bpf_disabled; /* unprivileged_bpf_disabled */

	/* /proc/self */
	bool has_capabilities;
	uint64_t capabilities; /* effective; bit n is capability n of linux/capability.h */
	uint64_t bounding_set;
	struct machine_number seccomp_mode; /* 0 none, 1 strict, 2 filter */
	bool is_in_user_namespace;	    /* then capabilities mean nothing to perf events */
	bool is_in_pid_namespace;
	char container[MACHINE_NAME_BYTES]; /* "docker", "kubernetes" …; "" when there is no hint */

	/* symbols */
	char kernel_release[MACHINE_NAME_BYTES];
	uint8_t kernel_build_id[MACHINE_BUILD_ID_MAX_BYTES];
	size_t kernel_build_id_bytes; /* 0: not known */
	enum machine_kallsyms kallsyms;
	bool has_debug_files;			  /* /usr/lib/debug/.build-id */
	bool has_kernel_debug_files;		  /* vmlinux with DWARF */
	char debuginfod_urls[MACHINE_URLS_BYTES]; /* "": not set */
	bool has_debuginfod;			  /* the client library */

	bool has_tracefs; /* its events can be read: tracepoints, uprobes */
};

/* Where to look; the defaults are this machine's own. */
struct machine_source {
	const char *root;			      /* in front of every path; "" */
	const char *(*environment)(const char *name); /* getenv */
};

extern const struct machine_source machine_source_own;

void machine_settings_read(struct machine_settings *settings, const struct machine_source *source);

/* May this process use a capability against the machine, not only in its own user namespace? */
bool machine_settings_may(const struct machine_settings *settings, unsigned int capability);

#endif
