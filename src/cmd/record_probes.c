/* The functions behind --mark-function and --trace-function. */
#include "cmd/record_probes.h"

#include <string.h>

int record_probes_plan(struct app *app, struct probe_plan *plan,
		       const struct probe_request *request, bool is_quiet)
{
	struct error err = ERROR_INIT;

	if (probe_plan_make(plan, request, &err) < 0)
		return app_fail(app, EXIT_FAILED, &err);
	for (const char *line = buffer_string(&plan->remarks); *line && !is_quiet;) {
		const size_t n_bytes = strcspn(line, "\n");

		app_say(app, "%.*s", (int)n_bytes, line);
		line += n_bytes + (line[n_bytes] != '\0');
	}
	return EXIT_OK;
}
