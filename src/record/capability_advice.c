/* The masks have bit n for capability n, as /proc/PID/status has. */
#include "record/capability_advice.h"

#include <ctype.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct capability_name capability_names[] = {
	{ CAP_PERFMON, "PERFMON" },
	{ CAP_SYS_ADMIN, "SYS_ADMIN" },
	{ CAP_SYS_PTRACE, "SYS_PTRACE" },
	{ CAP_SYSLOG, "SYSLOG" },
	{ CAP_IPC_LOCK, "IPC_LOCK" },
	{ CAP_BPF, "BPF" },
	{ CAP_CHECKPOINT_RESTORE, "CHECKPOINT_RESTORE" },
	{ 0, NULL },
};

/* Worth keeping or asking for: more than that is more than tsprof needs. */
#define ADVISED                                                                                    \
	(UINT64_C(1) << CAP_PERFMON | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_SYSLOG |  \
	 UINT64_C(1) << CAP_IPC_LOCK | UINT64_C(1) << CAP_CHECKPOINT_RESTORE)

uint64_t capability_advice_mask(const char *command)
{
	uint64_t mask = 0;

	if (!strstr(command, "setcap "))
		return 0;
	for (const struct capability_name *name = capability_names; name->name; name++) {
		const size_t name_bytes = strlen(name->name);

		for (const char *at = strcasestr(command, "cap_"); at;
		     at = strcasestr(at + 4, "cap_"))
			if (strncasecmp(at + 4, name->name, name_bytes) == 0 &&
			    (at[4 + name_bytes] == ',' || at[4 + name_bytes] == '+'))
				mask |= UINT64_C(1) << name->number;
	}
	return mask;
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
							 const char *format, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static void add_setcap(char *command, size_t size, uint64_t mask)
{
	const char *separator = "";

	append(command, size, "sudo setcap ");
	for (const struct capability_name *name = capability_names; name->name; name++) {
		if (!(mask >> name->number & 1))
			continue;
		append(command, size, "%scap_", separator);
		for (const char *c = name->name; *c; c++)
			append(command, size, "%c", tolower((unsigned char)*c));
		separator = ",";
	}
	append(command, size, "+ep $(command -v tsprof)");
}

static void add_container(char *command, size_t size, uint64_t mask, const char *container)
{
	const bool is_pod = strcmp(container, "kubernetes") == 0;
	const char *separator = "";

	append(command, size, "%s",
	       is_pod				  ? "securityContext: {capabilities: {add: ["
	       : strcmp(container, "podman") == 0 ? "podman run "
						  : "docker run ");
	for (const struct capability_name *name = capability_names; name->name; name++) {
		if (!(mask >> name->number & 1))
			continue;
		append(command, size, is_pod ? "%s%s" : "%s--cap-add %s", separator, name->name);
		separator = is_pod ? ", " : " ";
	}
	append(command, size, is_pod ? "]}}" : " ...");
}

bool capability_advice_command(char *command, size_t size, uint64_t mask,
			       const struct machine_settings *settings, bool is_root)
{
	command[0] = '\0';
	if (settings->is_in_user_namespace || !mask)
		return false;
	if (settings->container[0] && settings->has_capabilities &&
	    (settings->bounding_set & mask) != mask) {
		add_container(command, size, mask, settings->container);
		return true;
	}
	if (!is_root)
		mask |= settings->capabilities & ADVISED;
	add_setcap(command, size, mask);
	return true;
}
